import type { Point } from './bar.ts';

/** When the levels of bars start again, in order. */
export function restartsOf(points: readonly Point[]): number[] {
  const startMs = points[0]?.timeMs ?? 0;
  const levelStarts = new Set(points.flatMap(({ bar }) => bar?.levelFromMs ?? []));
  return [...levelStarts].filter((timeMs) => timeMs >= startMs);
}
