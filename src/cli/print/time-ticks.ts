import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../domain/time/hour.ts';

const STEPS_MS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map((days) => days * DAY_MS),
];
/** A date and a space to the next one. */
const LEAST_CHARS = 12;

/**
 * Two lines below a picture: ticks at round UTC times, and their labels. Midnights have a date, other ticks
 * a time.
 */
export function timeAxis(
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  chars: number,
): [string, string] {
  const msPerChar = (toMs - fromMs) / chars;
  const stepMs = STEPS_MS.find((step) => step / msPerChar >= LEAST_CHARS) ?? Infinity;
  const ticks = Array<string>(chars).fill('─');
  let labels = '';
  for (let atMs = Math.ceil(fromMs / stepMs) * stepMs; atMs < toMs; atMs += stepMs) {
    const at = Math.floor((atMs - fromMs) / msPerChar);
    const label = tickLabel(atMs);
    if (at + label.length > chars) break;
    ticks[at] = '┬';
    labels = labels.padEnd(at) + label;
  }
  return [ticks.join(''), labels];
}

function tickLabel(timeMs: number): string {
  const iso = new Date(timeMs).toISOString();
  return timeMs % DAY_MS === 0 ? iso.slice(0, 10) : iso.slice(11, 16);
}
