/** Parses the times of the command line. All times are UTC; notes report every assumption. */

import { CdvaultError } from '../../domain/errors.ts';
import {
  CLOSING_MS,
  DAY_MS,
  floorTo,
  HOUR_MS,
  lastClosedHourEnd,
  type TimeRange,
  widenToHours,
} from '../../domain/time/hour.ts';
import { parseTime } from '../../domain/instant.ts';
import { formatDuration, isoMinute } from '../print/format.ts';

export interface TimeOptions {
  /** `--from`: an instant, a date, a month or "now". */
  readonly from?: string | undefined;
  /** `--to`: the same, exclusive: `2024-01-02` is that midnight. Default: now. */
  readonly to?: string | undefined;
  /** `--last`: 12h, 30d, 6w; counted back from `--to`. */
  readonly last?: string | undefined;
}

export interface ResolvedRange {
  /** The exact instants, half-open: for `show`. */
  readonly asked: TimeRange;
  /** Whole closed hours, half-open: for everything that plans, stores, verifies or exports. */
  readonly hours: TimeRange;
  /** What was assumed, widened or left out: text for the user. */
  readonly notes: readonly string[];
}

/** The exchange opened in July 2017 and rejects earlier times. */
const EXCHANGE_OPENED_MS = Date.UTC(2017, 0, 1);

/**
 * The range of a command, from its options.
 * @throws CdvaultError BAD_TIME, BAD_RANGE
 */
export function resolveRange(options: TimeOptions, nowMs: number): ResolvedRange {
  const notes: string[] = [];
  const endMs = resolveEnd(options, nowMs, notes);
  const startMs = resolveStart(options, endMs, nowMs, notes);
  const asked = { startMs, endMs };
  checkOrder(asked, options);
  const hours = wholeClosedHours(asked, nowMs, notes);
  return { asked, hours, notes };
}

/**
 * The range of a command that shows bars: without `--to`, `--from` means its day.
 * @throws CdvaultError BAD_TIME, BAD_RANGE
 */
export function resolveShown(options: TimeOptions, nowMs: number): ResolvedRange {
  const { from, to } = options;
  if (to !== undefined || from === undefined) return resolveRange(options, nowMs);
  const { startMs } = resolveRange({ from, to: 'now' }, nowMs).asked;
  const endMs = floorTo(startMs, DAY_MS) + DAY_MS;
  return resolveRange(
    endMs > nowMs ? options : { ...options, to: new Date(endMs).toISOString() },
    nowMs,
  );
}

/** The resolved range in one line: `2024-01-01T10:00Z to 2024-01-01T11:00Z, 1 hour (…)`. */
export function describeRange({ hours, notes }: ResolvedRange): string {
  const count = (hours.endMs - hours.startMs) / HOUR_MS;
  const length = count === 1 ? '1 hour' : `${count.toLocaleString('en-US')} hours`;
  const remarks = notes.length === 0 ? '' : ` (${notes.join('; ')})`;
  return `${isoMinute(hours.startMs)} to ${isoMinute(hours.endMs)}, ${length}${remarks}`;
}

function resolveEnd({ to }: TimeOptions, nowMs: number, notes: string[]): number {
  if (to === undefined || isNow(to)) {
    const endMs = lastClosedHourEnd(nowMs);
    notes.push(
      `${to === undefined ? 'no --to: now' : '--to now'} is the end of the last closed hour`,
    );
    return endMs;
  }
  const { timeMs, isZoneAssumed } = parseTime('--to', to);
  if (timeMs > nowMs) {
    throw new CdvaultError(
      'BAD_RANGE',
      `--to ${isoMinute(timeMs)} lies in the future (now: ${isoMinute(floorTo(nowMs, 60_000))})`,
      {
        advice: 'Use --to now for everything up to now.',
      },
    );
  }
  if (isZoneAssumed) notes.push(readAs('--to', to, timeMs));
  return timeMs;
}

function resolveStart(
  { from, last }: TimeOptions,
  endMs: number,
  nowMs: number,
  notes: string[],
): number {
  if (from !== undefined && last !== undefined) {
    throw new CdvaultError('BAD_RANGE', '--from and --last both set the start', {
      advice: 'Give only one of them.',
    });
  }
  if (last !== undefined) return startOfLast(last, endMs, notes);
  if (from === undefined) {
    throw new CdvaultError('BAD_RANGE', 'no start given', {
      advice: 'Give --from 2024-01-01 or --last 30d.',
    });
  }
  if (isNow(from)) {
    throw new CdvaultError('BAD_RANGE', '--from now starts at the end of the data', {
      advice: 'Use --last 12h instead.',
    });
  }
  const { timeMs, isZoneAssumed } = parseTime('--from', from);
  if (timeMs > nowMs)
    throw new CdvaultError('BAD_RANGE', `--from ${isoMinute(timeMs)} lies in the future`);
  checkOpened(`--from ${isoMinute(timeMs)}`, timeMs);
  if (isZoneAssumed) notes.unshift(readAs('--from', from, timeMs));
  return timeMs;
}

const UNIT_MS: Readonly<Record<string, number>> = { h: HOUR_MS, d: DAY_MS, w: 7 * DAY_MS };

/**
 * A length such as 12h, 30d or 6w; 0h is one, too.
 * @throws CdvaultError BAD_TIME
 */
export function parseLength(option: string, text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,6})\s*([hdw])$/i.exec(text.trim()) ?? [];
  const unitMs = UNIT_MS[unit.toLowerCase()];
  if (unitMs === undefined) throw notALength(option, text);
  return Number(count) * unitMs;
}

function notALength(option: string, text: string): CdvaultError {
  return new CdvaultError('BAD_TIME', `${option} ${JSON.stringify(text)} is not a duration`, {
    advice: 'Write it as 12h, 30d or 6w.',
  });
}

function startOfLast(text: string, endMs: number, notes: string[]): number {
  const lengthMs = parseLength('--last', text);
  if (lengthMs === 0) throw notALength('--last', text);
  const startMs = endMs - lengthMs;
  checkOpened(`--last ${text.trim()}`, startMs);
  notes.unshift(`--last ${text.trim()} counts back from ${isoMinute(endMs)}`);
  return startMs;
}

/** Catches mistyped years, which would plan millions of empty hours. */
function checkOpened(what: string, startMs: number): void {
  if (startMs >= EXCHANGE_OPENED_MS) return;
  throw new CdvaultError(
    'BAD_RANGE',
    `${what} starts before 2017, when the exchange was not open yet`,
  );
}

function checkOrder({ startMs, endMs }: TimeRange, { from, to, last }: TimeOptions): void {
  if (startMs < endMs) return;
  if (startMs === endMs && from !== undefined && from === to) {
    throw new CdvaultError('BAD_RANGE', `--from ${from} --to ${to} is empty: --to is exclusive`, {
      advice: 'Set --to to the day, month or instant after the last one you want.',
    });
  }
  if (to === undefined || isNow(to)) {
    const end = isoMinute(endMs);
    throw new CdvaultError(
      'BAD_RANGE',
      `no hour since ${from ?? last ?? ''} has closed yet; the last closed hour ended at ${end}`,
      {
        advice: 'An hour can be fetched two minutes after its end.',
      },
    );
  }
  throw new CdvaultError(
    'BAD_RANGE',
    `--from ${isoMinute(startMs)} is not before --to ${isoMinute(endMs)}`,
  );
}

function wholeClosedHours(asked: TimeRange, nowMs: number, notes: string[]): TimeRange {
  const wide = widenToHours(asked);
  if (wide.startMs !== asked.startMs || wide.endMs !== asked.endMs)
    notes.push(`widened to whole hours from ${exactly(asked)}`);
  const closedMs = lastClosedHourEnd(nowMs);
  if (wide.endMs <= closedMs) return wide;
  if (wide.startMs >= closedMs) {
    const waitMs = wide.startMs + HOUR_MS + CLOSING_MS - nowMs;
    throw new CdvaultError('BAD_RANGE', `the hour ${isoMinute(wide.startMs)} has not closed yet`, {
      advice: `It can be fetched two minutes after its end, in ${formatDuration(waitMs)}.`,
    });
  }
  notes.push(`up to ${isoMinute(closedMs)}: later hours have not closed yet`);
  return { startMs: wide.startMs, endMs: closedMs };
}

function exactly({ startMs, endMs }: TimeRange): string {
  return `${isoMinute(startMs)} to ${isoMinute(endMs)}`;
}

function isNow(text: string): boolean {
  return text.trim().toLowerCase() === 'now';
}

function readAs(option: string, text: string, timeMs: number): string {
  return `${option} ${text.trim()} read as ${isoMinute(timeMs)}`;
}
