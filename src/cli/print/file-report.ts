import {
  type AwaitedHours,
  awaitedHours,
  type EdgeHours,
  edgeHours,
} from '../../app/day/awaited-hours.ts';
import { DAY_MS, HOUR_MS, isoDay, isoHour, type TimeRange } from '../../domain/time/hour.ts';
import { type SliceRecord, verdictOf } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import type { ArchiveFileRecord } from '../../ports/archive-files.ts';
import type { FailedJob } from '../../ports/job-queue.ts';
import type { App } from '../compose.ts';
import { counted } from './progress-text.ts';

/** Lines of one kind beyond this many are counted, not listed. */
const LISTED = 10;

export const OPEN_GAPS = 'select * from gaps where resolved_at is null';

/** What a run has to say of files: those that were not whole, and hours that wait for one. */
export interface FileReport {
  readonly files: readonly ArchiveFileRecord[];
  readonly awaited: readonly AwaitedHours[];
  /** On record, and not proven for want of a trade beside them. */
  readonly edges: readonly EdgeHours[];
}

/** @param sinceMs files that were looked at before are no news */
export async function fileReport(
  { files, ledger }: Pick<App, 'files' | 'ledger'>,
  series: readonly Series[],
  range: TimeRange,
  sinceMs: number,
): Promise<FileReport> {
  const seen = await Promise.all(series.map((one) => files.records(one, range)));
  const awaited = await Promise.all(series.map((one) => awaitedHours({ ledger }, one, range)));
  const edges = await Promise.all(series.map((one) => edgeHours({ ledger }, one, range)));
  const news = seen
    .flat()
    .filter(({ seenAtMs, evidence }) => seenAtMs >= sinceMs && evidence !== '');
  const hours = await Promise.all(
    news.map(({ market, symbol, dayMs }) =>
      ledger.records({ market, symbol }, { startMs: dayMs, endMs: dayMs + DAY_MS }),
    ),
  );
  return {
    files: news.filter((file, index) => !wasThin(file, hours[index] ?? [])),
    awaited: awaited.flat(),
    edges: edges.flat(),
  };
}

/**
 * A file that ends early is cut, or that of a symbol that did not trade any more that day. Once every
 * hour is proven, and all trades of the day came from the file, it was the latter.
 */
export function wasThin(
  { verdict }: Pick<ArchiveFileRecord, 'verdict'>,
  records: readonly SliceRecord[],
): boolean {
  return (
    verdict === 'truncated' &&
    records.length === DAY_MS / HOUR_MS &&
    records.every((hour) => verdictOf(hour) === 'proven') &&
    records.every(({ source, rows }) => source === 'archive' || rows === 0)
  );
}

export function fileLines({ files, awaited, edges }: FileReport): string[] {
  const silent = files.filter(({ verdict }) => verdict === 'unreachable');
  const awaitedDays = new Set(awaited.map(({ symbol, dayMs }) => `${symbol} ${dayMs}`));
  // Hours that wait for a file, or for a better one, say so themselves.
  const told = files.filter(
    ({ symbol, dayMs, verdict }) =>
      verdict !== 'unreachable' && !awaitedDays.has(`${symbol} ${dayMs}`),
  );
  return [
    ...silent
      .slice(0, 1)
      .map(({ evidence }) => `the exchange’s files can’t be had, REST instead: ${evidence}`),
    ...short(told.map(fileLine), "select * from archive_files where evidence <> ''"),
    ...short(awaited.map(awaitedLine), OPEN_GAPS),
    ...short(edges.map(edgeLine), OPEN_GAPS),
  ];
}

/** Of a job that failed for good. */
export function failureLine({ kind, payload, reason }: FailedJob): string {
  return `failed ${kind} ${JSON.stringify(payload)}: ${reason}`;
}

function fileLine({ name, dayMs, verdict, evidence }: ArchiveFileRecord): string {
  const day = name.includes(isoDay(dayMs)) ? '' : ` for ${isoDay(dayMs)}`;
  return `${name}${day}: ${verdict}: ${evidence}`;
}

function awaitedLine({ symbol, gapClass, dayMs, hours, evidence }: AwaitedHours): string {
  const some = counted(hours, 'hour');
  const verb = hours === 1 ? 'waits' : 'wait';
  const day = isoDay(dayMs);
  if (gapClass === 'pending_archive')
    return `${symbol}: ${some} ${verb} for the exchange’s file of ${day}; the hourly schedule, or the same command, asks again`;
  if (gapClass === 'retention') return `${symbol}: ${some} of ${day} can’t be had: ${evidence}`;
  return `${symbol}: ${some} of ${day} not proven by the file: ${evidence}`;
}

function edgeLine({ symbol, fromMs, hours, evidence }: EdgeHours): string {
  const some =
    hours === 1 ? `the hour ${isoHour(fromMs)}` : `${hours} hours from ${isoHour(fromMs)}`;
  return `${symbol}: ${some} not proven: ${evidence}`;
}

function short(lines: readonly string[], query: string): string[] {
  if (lines.length <= LISTED) return [...lines];
  return [...lines.slice(0, LISTED), `and ${lines.length - LISTED} more: ${query}`];
}
