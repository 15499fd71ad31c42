import { type AwaitedHours, awaitedHours } from '../app/await-file.ts';
import { isoDay, type TimeRange } from '../domain/hour.ts';
import type { Series } from '../domain/market.ts';
import type { ArchiveFileRecord } from '../ports/archive-files.ts';
import type { FailedJob } from '../ports/job-queue.ts';
import type { App } from './compose.ts';
import { counted } from './progress-text.ts';

/** Lines of one kind beyond this many are counted, not listed. */
const LISTED = 10;

/** What a run has to say of files: those that were not whole, and hours that wait for one. */
export interface FileReport {
  readonly files: readonly ArchiveFileRecord[];
  readonly awaited: readonly AwaitedHours[];
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
  return {
    files: seen.flat().filter(({ seenAtMs, evidence }) => seenAtMs >= sinceMs && evidence !== ''),
    awaited: awaited.flat(),
  };
}

export function fileLines({ files, awaited }: FileReport): string[] {
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
    ...short(told.map(fileLine), "select * from archive_files where verdict <> 'whole'"),
    ...short(awaited.map(awaitedLine), 'select * from gaps where resolved_at is null'),
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

function short(lines: readonly string[], query: string): string[] {
  if (lines.length <= LISTED) return [...lines];
  return [...lines.slice(0, LISTED), `and ${lines.length - LISTED} more: ${query}`];
}
