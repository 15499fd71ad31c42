/** Levels that count from the left edge of the picture: exact, in units of 1e-8. */

import { formatDecimal, parseDecimal, QTY_SCALE } from '../domain/trade/decimal.ts';
import type { LevelBar } from './data/bar.ts';

export type LevelTexts = Pick<LevelBar, 'open' | 'high' | 'low' | 'close' | 'levelMissing'>;

/**
 * Levels of consecutive bars, 0 before the first one. `open`, `high` and `low` keep their distance from the
 * level before their bar, `close` − `delta`, whatever anchor that level was counted from.
 * @param bars undefined where no bar is stored
 */
export function levelsFromStart(
  bars: readonly (LevelBar | undefined)[],
): readonly (LevelTexts | undefined)[] {
  let before = 0n;
  let isComplete = true;
  return bars.map((bar) => {
    if (bar === undefined) {
      isComplete = false;
      return undefined;
    }
    if (bar.status !== 'final') isComplete = false;
    const delta = units(bar.delta);
    const shift = before - (units(bar.close) - delta);
    before += delta;
    return {
      open: text(units(bar.open) + shift),
      high: text(units(bar.high) + shift),
      low: text(units(bar.low) + shift),
      close: text(before),
      levelMissing: isComplete ? 0 : null,
    };
  });
}

function units(value: string): bigint {
  return parseDecimal(value, QTY_SCALE);
}

function text(value: bigint): string {
  return formatDecimal(value, QTY_SCALE);
}
