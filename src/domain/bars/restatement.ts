import { type DayInputs, words } from './day.ts';
import { HOUR_MS, isoHour } from '../time/hour.ts';

/** A change of levels that may already have been read. */
export interface Restatement {
  /** The first hour whose level changes. */
  readonly hourMs: number;
  readonly reason: string;
}

/**
 * Whether levels computed from `before` change when they are computed from `after`. Hours added after
 * the last stored one change nothing; hours added before it, or other content, do.
 * @returns the first change; undefined when there is none
 */
export function restatementOf(before: string, after: DayInputs): Restatement | undefined {
  const moved = [movedHour(before, after), reachedHour(before, after)].filter(
    (restatement) => restatement !== undefined,
  );
  return moved.toSorted((left, right) => left.hourMs - right.hourMs)[0];
}

/** The first hour whose own trades, or the trades before it, have changed. */
function movedHour(before: string, after: DayInputs): Restatement | undefined {
  const now = words(after.inputs);
  for (const [index, word] of words(before).entries()) {
    const current = now[index];
    if (current?.hour === word.hour && current.hash === word.hash) continue;
    return { hourMs: after.dayMs + word.hour * HOUR_MS, reason: reasonOf(word.hour, now, after) };
  }
  return undefined;
}

/** The first hour for which the rows that reach into it from the next hour's run have changed. */
function reachedHour(before: string, after: DayInputs): Restatement | undefined {
  const [old, now] = [before, after.inputs].map(reaches);
  const built = new Set(words(before).map(({ hour }) => hour));
  const hour = [...new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])])]
    .filter((into) => built.has(into) && old?.get(into) !== now?.get(into))
    .toSorted((left, right) => left - right)[0];
  if (hour === undefined) return undefined;
  const hourMs = after.dayMs + hour * HOUR_MS;
  const reason = `trades that follow ${isoHour(hourMs)} by id and lie in it by time were added or changed`;
  return { hourMs, reason };
}

/** Content words of the hours that reach back, by the hour that they reach into (0 to 23). */
function reaches(inputs: string): ReadonlyMap<number, string> {
  const found = [...inputs.matchAll(/(\d\d|next)=([^ ]+<\d+)/g)];
  return new Map(
    found.map(([, hour = '', content = '']) => [
      (hour === 'next' ? 24 : Number(hour)) - 1,
      content,
    ]),
  );
}

function reasonOf(hour: number, now: ReturnType<typeof words>, after: DayInputs): string {
  const at = isoHour(after.dayMs + hour * HOUR_MS);
  return now.some((word) => word.hour === hour)
    ? `trades before or in ${at} were added or changed; the level counts from ${isoHour(after.levelFromMs)}`
    : `${at} is no longer in the ledger`;
}
