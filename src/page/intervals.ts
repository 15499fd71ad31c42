/** The lengths of bars that the page offers. The API puts those together that are not stored. */

import { HOUR_MS } from '../domain/time/hour.ts';
import { INTERVAL_MS, INTERVALS } from '../domain/time/interval.ts';
import { instantOf } from './time/level-start.ts';

export const CHART_INTERVAL_MS = {
  ...INTERVAL_MS,
  '2h': 2 * HOUR_MS,
  '6h': 6 * HOUR_MS,
  '12h': 12 * HOUR_MS,
};

export type ChartInterval = keyof typeof CHART_INTERVAL_MS;

/** Shortest first. */
export const CHART_INTERVALS = (Object.keys(CHART_INTERVAL_MS) as ChartInterval[]).sort(
  (left, right) => CHART_INTERVAL_MS[left] - CHART_INTERVAL_MS[right],
);

/** Those that are stored: of the others, each answer is put together. */
export const STORED_INTERVALS: readonly ChartInterval[] = INTERVALS;

/** Those of which no bar has the anchor inside: the levels of its two parts can't be computed. */
export function fittingIntervals(
  anchor: string,
  intervals: readonly ChartInterval[] = CHART_INTERVALS,
): readonly ChartInterval[] {
  const instantMs = instantOf(anchor) ?? 0;
  return intervals.filter((interval) => instantMs % CHART_INTERVAL_MS[interval] === 0);
}
