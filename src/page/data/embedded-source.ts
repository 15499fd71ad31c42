import { CHART_INTERVALS } from '../intervals.ts';
import type { Answers, Endpoint, Table } from './answers.ts';
import { queryText } from './query.ts';
import { type DataSource, type Query, Refusal } from './source.ts';

/** Answers for the whole range of a page that is a file, by endpoint and query without `from` and `to`. */
export type EmbeddedAnswers = Readonly<Record<string, Answers[Endpoint]>>;

/** The key of a request among the embedded answers. */
export function embeddedKey(endpoint: Endpoint, query: Query): string {
  const sorted = Object.entries(query)
    .filter(([name]) => name !== 'from' && name !== 'to')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return endpoint + queryText(Object.fromEntries(sorted));
}

export function createEmbeddedSource(answers: EmbeddedAnswers): DataSource {
  const questions = Object.keys(answers).map(
    (key) => new URLSearchParams(key.replace(/^.*\?/, '')),
  );
  const held = new Set(questions.map((query) => query.get('interval')));
  return {
    isLive: false,
    intervals: CHART_INTERVALS.filter((interval) => held.has(interval)),
    async ask<E extends Endpoint>(endpoint: E, query: Query, signal: AbortSignal) {
      signal.throwIfAborted();
      const answer = answers[embeddedKey(endpoint, query)] as Answers[E] | undefined;
      if (answer !== undefined) return cut(answer, Number(query['from']), Number(query['to']));
      throw new Refusal('This file does not hold what is asked for.', {
        code: 'NOT_IN_FILE',
        advice: 'Make a file with it by `cdvault chart`, or open the page of `cdvault serve`.',
      });
    },
    listen: () => () => undefined,
  };
}

/** The rows of [from, to): by their time, or by their span where rows have one. */
function cut<A extends Answers[Endpoint]>(answer: A, fromMs: number, toMs: number): A {
  if (!('columns' in answer) || Number.isNaN(fromMs)) return answer;
  const { columns } = answer as Table<Readonly<Record<string, readonly unknown[]>>>;
  const starts = columns['time'] ?? columns['from'] ?? columns['hour'];
  if (starts === undefined) return answer;
  const ends = columns['to'];
  const kept = starts.flatMap((start, index) => {
    const isAfter = ends === undefined ? Number(start) >= fromMs : Number(ends[index]) > fromMs;
    return isAfter && Number(start) < toMs ? [index] : [];
  });
  const cutColumns = Object.fromEntries(
    Object.entries(columns).map(([name, values]) => [name, kept.map((index) => values[index])]),
  );
  return { ...answer, columns: cutColumns, count: kept.length };
}
