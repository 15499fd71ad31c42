import type { Anchor } from '../../domain/bars/anchor.ts';
import { MINUTE_MS } from '../../domain/time/hour.ts';
import { isoMinute } from '../print/format.ts';

/** The values of `--anchor`, for `--help`. */
export const ANCHOR_HELP = `
Anchors (where the level starts at 0):
  from                the start of the range shown
  day, week, month    UTC midnight of every day, Monday or first of a month
  total               UTC midnight of the first day ever requested
  2024-01-01T10:00Z   an instant at or before --from
  session:09:30@America/New_York
                      every day at this local time; bars are aligned to it
  rolling:24          no start: the level is the sum of the last 24 bars' deltas`;

const WORDS = {
  from: 'from 0 before the first bar',
  day: 'from 0 at each UTC midnight',
  week: 'from 0 at UTC midnight of each Monday',
  month: 'from 0 at UTC midnight of the first day of each month',
  total: 'from 0 at the origin of the series',
} as const;

/** Describes an anchor in the line above a table. */
export function anchorWords(anchor: Anchor): string {
  if (anchor.kind === 'instant') return `from 0 at ${isoMinute(anchor.atMs)}`;
  if (anchor.kind === 'rolling') return `sum of the deltas of the last ${anchor.bars} bars`;
  if (anchor.kind !== 'session') return WORDS[anchor.kind];
  const time = new Date(anchor.minuteOfDay * MINUTE_MS).toISOString().slice(11, 16);
  return `from 0 each day at ${time} ${anchor.zone}`;
}
