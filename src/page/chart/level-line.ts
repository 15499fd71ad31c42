import type { LineData, UTCTimestamp, WhitespaceData } from 'lightweight-charts';
import { parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import type { LevelBar, Point } from '../data/bar.ts';

export function chartTime(timeMs: number): UTCTimestamp {
  return (timeMs / 1000) as UTCTimestamp;
}

/** What a line needs of a bar. */
export type LineBar = Pick<LevelBar, 'close' | 'delta'>;

/** The closes of consecutive bars as a line, which breaks where a bar is missing and where levels start again. */
export function levelLine(
  points: readonly Point[],
  bars: ReadonlyMap<number, LineBar>,
): (LineData | WhitespaceData)[] {
  const ofPoints = points.map(({ timeMs }) => bars.get(timeMs));
  return points.map(({ timeMs }, index) => {
    const time = chartTime(timeMs);
    const bar = ofPoints[index];
    if (bar === undefined) return { time };
    const isEnd = index === points.length - 1 || goesOn(bar, ofPoints[index + 1]);
    // The colour of a point is that of the line to the next one.
    return { time, value: Number(bar.close), ...(!isEnd && { color: '#00000000' }) };
  });
}

function goesOn({ close }: LineBar, next: LineBar | undefined): boolean {
  if (next === undefined) return false;
  const e8 = (text: string) => parseDecimal(text, QTY_SCALE);
  return e8(next.close) - e8(next.delta) === e8(close);
}
