/** What a page that is a file is asked for, and therefore must hold. */

import { type ChartInterval, CHART_INTERVAL_MS, fittingIntervals } from '../intervals.ts';
import type { SeriesName, View, VisibleRange } from '../view.ts';
import type { Endpoint } from './answers.ts';
import { embeddedKey } from './embedded-source.ts';
import { barsQuery, partsOf } from './feed.ts';
import type { Query } from './source.ts';

/** Bars of one interval in a file: some 200 bytes each. More would make it too large to send. */
export const MOST_FILE_BARS = 20_000;

/** What a file shows. */
export type FileView = View & {
  readonly series: NonNullable<View['series']>;
  readonly range: VisibleRange;
};

export interface FileQuestion {
  readonly endpoint: Endpoint;
  readonly query: Query;
  /** Of the answer in the file. */
  readonly key: string;
}

/**
 * The intervals that a file holds: the chosen one, or with `auto` all that fit the anchor and of which the range
 * has neither too many bars nor less than one.
 */
export function fileIntervals({ interval, anchor, range }: FileView): readonly ChartInterval[] {
  if (interval !== 'auto') return [interval];
  return fittingIntervals(anchor).filter((one) => suits(one, range));
}

/** @param view with the range and the series that the file shows */
export function fileQuestions(view: FileView): FileQuestion[] {
  const { range, series, anchor, open } = view;
  const within = { from: range.fromMs, to: range.toMs };
  const questions = fileIntervals(view).flatMap((interval) => {
    const parts = partsOf({ interval, anchor, open }, range);
    const [counted = { choice: { interval, anchor, open }, range }] = parts.slice(-1);
    const queryOf = (one: SeriesName) => barsQuery(one, counted.choice, counted.range);
    return [
      ...parts.map((part) => ['bars', barsQuery(series, part.choice, part.range)] as const),
      ...view.overlays.map((one) => ['bars', queryOf(one)] as const),
      ...view.tiers.map((tier) => ['tiers', { ...queryOf(series), tier }] as const),
    ];
  });
  return [
    ...questions,
    ['coverage', { ...series, ...within }] as const,
    ['gaps', { ...series, ...within }] as const,
  ].map(([endpoint, query]) => ({ endpoint, query, key: embeddedKey(endpoint, query) }));
}

function suits(interval: ChartInterval, { fromMs, toMs }: VisibleRange): boolean {
  const bars = (toMs - fromMs) / CHART_INTERVAL_MS[interval];
  return bars >= 1 && bars <= MOST_FILE_BARS;
}
