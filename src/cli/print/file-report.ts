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
import { counted } from './format.ts';

/** The most lines of one kind that are printed; the rest is counted. */
const LISTED = 10;

export const OPEN_GAPS = 'select * from gaps where resolved_at is null';

/** Report of a run on files: those that were not whole, and hours that wait for one. */
export interface FileReport {
  readonly files: readonly ArchiveFileRecord[];
  readonly awaited: readonly AwaitedHours[];
  /** Recorded hours that are not proven because a neighbouring trade is unknown. */
  readonly edges: readonly EdgeHours[];
}

/** @param sinceMs files that were read earlier are left out, epoch ms */
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
 * True when a file that ends early is complete after all, because the symbol stopped trading that day:
 * every hour is proven and all trades of the day came from the file. Otherwise the file was truncated.
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
  // Files of days that wait for a file, or for a better one, are reported with those hours.
  const reported = files.filter(
    ({ symbol, dayMs, verdict }) =>
      verdict !== 'unreachable' && !awaitedDays.has(`${symbol} ${dayMs}`),
  );
  return [
    ...silent
      .slice(0, 1)
      .map(({ evidence }) => `archive files are not available, using REST instead: ${evidence}`),
    ...short(reported.map(fileLine), "select * from archive_files where evidence <> ''"),
    ...short(awaited.map(awaitedLine), OPEN_GAPS),
    ...short(edges.map(edgeLine), OPEN_GAPS),
  ];
}

/** One line for a job that failed for good. */
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
    return `${symbol}: ${some} ${verb} for the archive file of ${day}; the hourly schedule or the same command tries again`;
  if (gapClass === 'retention') return `${symbol}: ${some} of ${day} not available: ${evidence}`;
  return `${symbol}: ${some} of ${day} not proven by its file: ${evidence}`;
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
