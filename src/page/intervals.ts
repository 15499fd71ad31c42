/** The lengths of bars that the page offers. The API puts those together that are not stored. */

import { HOUR_MS } from '../domain/time/hour.ts';
import { INTERVAL_MS } from '../domain/time/interval.ts';

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
