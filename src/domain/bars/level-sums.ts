import type { LevelBar } from './bar.ts';
import { firstIndex } from '../time/search.ts';

/**
 * The offset to add to the level of a stored bar so that it counts from another instant. The stored bar
 * is a part of the bar that starts at `startMs`. Units of 1e-8.
 */
export type LevelOffset = (stored: LevelBar, startMs: number) => bigint;

/**
 * Levels that are 0 at the start of any stored bar: sums of the deltas from that bar on.
 * @param stored in time order
 * @param levelStartOf the instant at which the level of the bar that starts at `startMs` is 0
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
