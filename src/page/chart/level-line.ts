import type { LineData, UTCTimestamp, WhitespaceData } from 'lightweight-charts';
import { parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import type { LevelBar, Point } from '../data/bar.ts';

export function chartTime(timeMs: number): UTCTimestamp {
  return (timeMs / 1000) as UTCTimestamp;
}

/** What a line needs of a bar. */
export type LineBar = Pick<LevelBar, 'close' | 'delta'>;

/**
 * The closes of consecutive bars as a line, which breaks where a bar is missing and where levels start again.
 * @param isRolling levels start again at each bar: the line breaks where bars are missing only
 */
export function levelLine(
  points: readonly Point[],
  bars: ReadonlyMap<number, LineBar>,
  isRolling = false,
): (LineData | WhitespaceData)[] {
  const ofPoints = points.map(({ timeMs }) => bars.get(timeMs));
  return points.map(({ timeMs }, index) => {
    const time = chartTime(timeMs);
    const bar = ofPoints[index];
    if (bar === undefined) return { time };
    const next = ofPoints[index + 1];
    const hasNext = next !== undefined && (isRolling || goesOn(bar, next));
    // The colour of a point is that of the line to the next one.
    return {
      time,
      value: Number(bar.close),
      ...(!hasNext && index < points.length - 1 && { color: '#00000000' }),
    };
  });
}

function goesOn({ close }: LineBar, next: LineBar): boolean {
  const e8 = (text: string) => parseDecimal(text, QTY_SCALE);
  return e8(next.close) - e8(next.delta) === e8(close);
}
