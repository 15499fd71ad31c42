import type { LevelBar } from './bar.ts';
import { firstIndex } from '../time/search.ts';

/**
 * What turns the level of a stored bar, a part of the bar that starts at `startMs`, into one that counts
 * from elsewhere.
 */
export type LevelOffset = (stored: LevelBar, startMs: number) => bigint;

/**
 * Levels that are 0 at any start of a stored bar: the deltas of the bars from there on.
 * @param stored in order
 * @param levelStartOf of the bar that starts at `startMs`
 */
export function countedFrom(
  stored: readonly LevelBar[],
  levelStartOf: (startMs: number) => number,
): LevelOffset {
  let sumE8 = 0n;
  const sumsBefore = [0n, ...stored.map(({ delta }) => (sumE8 += delta))];
  const sumBefore = (timeMs: number) =>
    sumsBefore[firstIndex(stored.length, (index) => (stored[index]?.openMs ?? 0) >= timeMs)] ?? 0n;
  return ({ openMs, close, delta }, startMs) =>
    sumBefore(openMs) + delta - close - sumBefore(levelStartOf(startMs));
}

export function movedBy<Moved extends LevelBar>(bar: Moved, offsetE8: bigint): Moved {
  return {
    ...bar,
    open: bar.open + offsetE8,
    high: bar.high + offsetE8,
    low: bar.low + offsetE8,
    close: bar.close + offsetE8,
  };
}
