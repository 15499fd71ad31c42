/** What a page that is a file is asked for, and therefore must hold. */

import { INTERVAL_MS, INTERVALS, type Interval } from '../../domain/time/interval.ts';
import type { View, VisibleRange } from '../view.ts';
import type { Endpoint } from './answers.ts';
import { embeddedKey } from './embedded-source.ts';
import { barsQuery } from './feed.ts';
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
 * @param view with the range and the series that the file shows
 * @returns the questions for all intervals that the page may choose: the chosen one, or with `auto` all of
 *   which the range has neither too many bars nor less than one
 */
export function fileQuestions(view: FileView): FileQuestion[] {
  const { range, series } = view;
  const within = { from: range.fromMs, to: range.toMs };
  const intervals =
    view.interval === 'auto'
      ? INTERVALS.filter((interval) => suits(interval, range))
      : [view.interval];
  const questions = intervals.flatMap((interval) => {
    const choice = { interval, anchor: view.anchor, open: view.open };
    return [
      ...[series, ...view.overlays].map((one) => ['bars', barsQuery(one, choice, range)] as const),
      ...view.tiers.map(
        (tier) => ['tiers', { ...barsQuery(series, choice, range), tier }] as const,
      ),
    ];
  });
  return [
    ...questions,
    ['coverage', { ...series, ...within }] as const,
    ['gaps', { ...series, ...within }] as const,
  ].map(([endpoint, query]) => ({ endpoint, query, key: embeddedKey(endpoint, query) }));
}

function suits(interval: Interval, { fromMs, toMs }: VisibleRange): boolean {
  const bars = (toMs - fromMs) / INTERVAL_MS[interval];
  return bars >= 1 && bars <= MOST_FILE_BARS;
}
