import { monthOf } from '../archive/archive-name.ts';
import { compactDay, DAY_MS, daysOf } from '../time/hour.ts';

/**
 * The most that the files of a stretch add up to: about 300,000 trades, so that a stretch is one request of
 * some 30 MB to the store. A busy day is a stretch of its own; a thin series' month is one.
 */
const STRETCH_BYTES = 4_000_000;

/**
 * Cuts a month into stretches: days in a row whose files are small enough to be taken by one job. Which
 * stretch a day belongs to depends on the files alone, not on what is due, so that the jobs of a run have
 * the same names when they are planned again.
 * @param bytesOf size of a day's zip file; undefined when it is not known, and the day then stands alone
 * @returns the name of each day's stretch
 */
export function stretchesOf(
  monthMs: number,
  bytesOf: (dayMs: number) => number | undefined,
): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  let days: number[] = [];
  let bytes = 0;
  const close = () => {
    const [first, last] = [days[0], days.at(-1)];
    if (first === undefined || last === undefined) return;
    const name = first === last ? compactDay(first) : `${compactDay(first)}-${compactDay(last)}`;
    for (const dayMs of days) names.set(dayMs, name);
    days = [];
    bytes = 0;
  };
  for (const dayMs of daysOf(monthOf(monthMs))) {
    const more = bytesOf(dayMs);
    const isNext = days.at(-1) === dayMs - DAY_MS;
    if (more === undefined || !isNext || bytes + more > STRETCH_BYTES) close();
    days.push(dayMs);
    bytes += more ?? STRETCH_BYTES;
  }
  close();
  return names;
}
