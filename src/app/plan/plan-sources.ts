import { monthOf, parseArchiveName } from '../../domain/archive/archive-name.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { DAY_MS, type TimeRange } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import {
  type AwaitedClass,
  type DayWork,
  isWithinRest,
  mayComeLate,
  type SourcePolicy,
  suitsArchive,
} from '../../domain/plan/plan.ts';
import { isFilesOnly, sourceFolder } from '../../domain/plan/source-choice.ts';
import { stretchesOf } from '../../domain/plan/stretch.ts';
import type { ArchiveListing, ArchiveSource, ListedFile } from '../../ports/archive-source.ts';
import { silenceText } from '../witness.ts';

/** Hours that no source can provide at present. */
export interface Unreachable {
  readonly gapClass: Exclude<AwaitedClass, 'truncated_file'>;
  readonly hours: number;
  /** Ascending. */
  readonly days: readonly number[];
}

/** The sources of the due hours of a series. */
export interface SourcePlan {
  readonly archiveDays: number;
  readonly archiveHours: number;
  /** Jobs that take these days from their files: see stretchesOf(). */
  readonly stretches: number;
  readonly files: number;
  /** Total size of these files; undefined when there is no listing. */
  readonly fileBytes: number | undefined;
  /** Why there is no listing, if known. */
  readonly unlisted: string | undefined;
  /** Size of the due days alone: of a monthly file only their share. */
  readonly dayBytes: number;
  readonly restHours: number;
  readonly unreachable: readonly Unreachable[];
  /** Upper bound of the jobs in Redis at a time: those of the WINDOW_DAYS largest days. */
  readonly jobs: number;
}

/** Days of one series in Redis at a time: see feed-run. */
const WINDOW_DAYS = 24;

interface Split {
  archive: number;
  rest: number;
  file: ListedFile | undefined;
  dayBytes: number;
  nowhere: Unreachable['gapClass'] | undefined;
  nowhereHours: number;
}

interface WorkToSplit {
  readonly series: Series;
  readonly days: readonly DayWork[];
  readonly policy: SourcePolicy;
}

/** Splits the due days by source, using the listing of the archive files. */
export async function planSources(
  archive: ArchiveSource,
  { series, days, policy }: WorkToSplit,
  signal: AbortSignal,
): Promise<SourcePlan> {
  const byFile = days.filter((day) => suitsArchive(day, policy));
  const { listing, reason } = await listed(archive, series, byFile, signal);
  const splits = days.map((day) => ({
    day,
    ...splitDay(day, listing, policy, suitsArchive(day, policy)),
  }));
  const sum = (of: (split: Split) => number) => splits.reduce((n, split) => n + of(split), 0);
  const files = new Map(
    splits.flatMap(({ file }) => (file === undefined ? [] : [[file.name, file.bytes]])),
  );
  const ofFiles = splits.filter((split) => split.archive > 0);
  return {
    archiveDays: ofFiles.length,
    stretches: stretchCount(
      ofFiles.map(({ day }) => day.dayMs),
      listing,
    ),
    archiveHours: sum((split) => split.archive),
    files: files.size,
    fileBytes: listing === undefined && byFile.length > 0 ? undefined : total([...files.values()]),
    unlisted: reason,
    dayBytes: sum((split) => split.dayBytes),
    restHours: sum((split) => split.rest),
    unreachable: (['pending_archive', 'retention'] as const).flatMap((gapClass) => {
      const none = splits.filter((split) => split.nowhere === gapClass);
      const hours = total(none.map(({ nowhereHours }) => nowhereHours));
      return hours === 0 ? [] : [{ gapClass, hours, days: none.map(({ day }) => day.dayMs) }];
    }),
    jobs: total(
      splits
        .map((split) => 1 + (suitsArchive(split.day, policy) ? 1 : split.day.hours.length))
        .toSorted((left, right) => right - left)
        .slice(0, WINDOW_DAYS),
    ),
  };
}

function stretchCount(daysMs: readonly number[], listing: ArchiveListing | undefined): number {
  const bytesOf = (dayMs: number) => listing?.days.get(dayMs)?.bytes;
  const months = Map.groupBy(daysMs, (dayMs) => monthOf(dayMs).startMs);
  return total(
    [...months].map(([monthMs, days]) => {
      const names = stretchesOf(monthMs, bytesOf);
      return new Set(days.map((dayMs) => names.get(dayMs))).size;
    }),
  );
}

async function listed(
  archive: ArchiveSource,
  series: Series,
  days: readonly DayWork[],
  signal: AbortSignal,
): Promise<{ readonly listing?: ArchiveListing | undefined; readonly reason?: string }> {
  const [first, last] = [days.at(0), days.at(-1)];
  if (first === undefined || last === undefined) return {};
  const range: TimeRange = { startMs: first.dayMs, endMs: last.dayMs + DAY_MS };
  try {
    return { listing: await archive.list(series, range, signal) };
  } catch (error) {
    // A plan is an estimate: it reports that the host does not answer.
    if (error instanceof CdvaultError && error.code === 'ARCHIVE_UNREACHABLE')
      return { reason: silenceText(error) };
    throw error;
  }
}

function splitDay(
  { dayMs, hours }: DayWork,
  listing: ArchiveListing | undefined,
  policy: SourcePolicy,
  isByFile: boolean,
): Split {
  const none = {
    archive: 0,
    rest: 0,
    file: undefined,
    dayBytes: 0,
    nowhere: undefined,
    nowhereHours: 0,
  };
  if (isByFile && listing === undefined) return { ...none, archive: hours.length };
  const file = isByFile && listing !== undefined ? fileOf(listing, dayMs) : undefined;
  if (file !== undefined)
    return { ...none, archive: hours.length, file, dayBytes: bytesOfDay(file, dayMs) };
  const rest = isFilesOnly(policy.source)
    ? 0
    : hours.filter((hourMs) => isWithinRest(hourMs, policy)).length;
  const nowhereHours = hours.length - rest;
  if (nowhereHours === 0) return { ...none, rest };
  // No file appears in a folder by itself.
  const mayCome = sourceFolder(policy.source) === undefined && mayComeLate(dayMs, policy.nowMs);
  const nowhere = mayCome ? 'pending_archive' : 'retention';
  return { ...none, rest, nowhere, nowhereHours };
}

function fileOf({ days, months }: ArchiveListing, dayMs: number): ListedFile | undefined {
  return days.get(dayMs) ?? months.get(monthOf(dayMs).startMs);
}

/** The real day: 72.1 MB as csv, 11.9 MB as zip. */
const CSV_BYTES_PER_ZIPPED = 6;

/** The zipped size of one day in a file; a monthly file is divided evenly among its days. */
function bytesOfDay({ name, bytes }: ListedFile, dayMs: number): number {
  const { startMs, endMs } = parseArchiveName(name) ?? { startMs: dayMs, endMs: dayMs + DAY_MS };
  const zipped = name.endsWith('.csv') ? bytes / CSV_BYTES_PER_ZIPPED : bytes;
  return (zipped * DAY_MS) / (endMs - startMs);
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
