import { dailyStem } from '../../domain/archive/archive-name.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { describeForeign, type ForeignRow } from '../../domain/proof/foreign-rows.ts';
import type { TradeBlock } from '../../domain/trade/trade-block.ts';
import type { ArchiveFileRecord, ArchiveFiles } from '../../ports/archive-files.ts';
import type { ArchiveDay, ArchiveSource } from '../../ports/archive-source.ts';
import type { FileDay } from './file-day.ts';
import { type DayOutcome, loadDays, type LoadDaysDeps } from './load-days.ts';

/** What a day's file proved. `unproven`: hours that it did not prove. */
export interface IngestedDay {
  readonly day: FileDay;
  readonly proven: readonly number[];
  readonly unproven: readonly number[];
  /** How the file was classified; undefined when all hours were already proven and no file was needed. */
  readonly file: Pick<ArchiveFileRecord, 'name' | 'verdict' | 'evidence'> | undefined;
  /** ARCHIVE_UNREACHABLE when the host of the file did not answer. */
  readonly unreachable?: CdvaultError | undefined;
}

type IngestDeps = LoadDaysDeps & {
  readonly files: ArchiveFiles;
  /** Whether REST also serves a day, so that a file with rows without quantity can be refused. */
  readonly isInReach: (day: FileDay) => boolean;
};

/**
 * Ingests days of a series from their archive files and records how the files were classified. A faulty file
 * is an outcome, not an error: `unproven` names the hours that it did not prove.
 * @param days as for loadDays()
 * @throws CdvaultError what loadDays() throws
 */
export async function ingestFiles(
  deps: IngestDeps,
  days: readonly FileDay[],
  signal: AbortSignal,
  onRows: (rows: number) => void,
): Promise<readonly IngestedDay[] | 'busy'> {
  const watched = new WatchedArchive(deps.archive, days, deps.isInReach);
  const outcomes = await loadDays({ ...deps, archive: watched.source }, days, signal, onRows);
  if (outcomes === 'busy') return 'busy';
  const seenAtMs = deps.clock.nowMs();
  const records: ArchiveFileRecord[] = [];
  const ingested = days.map((day): IngestedDay => {
    const outcome = outcomes.get(day.dayMs) ?? { proven: [], unproven: day.hours, isCut: false };
    const { proven, unproven, unread } = outcome;
    const seen = watched.seen(day.dayMs);
    const unreachable = unread?.kind === 'unreachable' ? unread.error : undefined;
    // Where REST does not reach, the job asks the host again: nothing has been seen yet.
    const isSeen = unreachable === undefined || deps.isInReach(day);
    const classified = isSeen ? classify(outcome, seen) : undefined;
    if (classified === undefined) return { day, proven, unproven, file: undefined, unreachable };
    const file = recordOf(day, seen?.file, classified, seenAtMs);
    records.push(file);
    return { day, proven, unproven, file, unreachable };
  });
  await deps.files.write(records);
  return ingested;
}

type FileClass = Pick<ArchiveFileRecord, 'verdict' | 'evidence'>;

/** @returns undefined when no file was needed */
function classify(
  { unread, isCut }: DayOutcome,
  seen: SeenFile | undefined,
): FileClass | undefined {
  if (unread?.kind === 'absent')
    return { verdict: 'absent', evidence: 'the exchange has no such file, or none yet' };
  if (unread?.kind === 'refused') return { verdict: 'refused', evidence: unread.error.message };
  if (unread?.kind === 'unreachable')
    return { verdict: 'unreachable', evidence: unread.error.message };
  return seen === undefined
    ? undefined
    : withForeign(classifyRows(seen, isCut), seen.file.foreign());
}

function classifyRows(seen: SeenFile, isCut: boolean): FileClass {
  const { rows, firstId, lastId, lastUs } = seen;
  if (rows === 0) return { verdict: 'empty', evidence: 'it has no trade of the day' };
  const missing = lastId - firstId + 1 - rows;
  if (missing > 0)
    return {
      verdict: 'holes',
      evidence: `${missing === 1 ? '1 id is' : `${missing} ids are`} missing`,
    };
  if (isCut) {
    const endsAt = new Date(lastUs / 1000).toISOString().slice(11, 19);
    return { verdict: 'truncated', evidence: `it ends at ${endsAt}Z` };
  }
  const notes = [
    ...(seen.withoutQuantity > 0 ? [`${seen.withoutQuantity} rows have no quantity`] : []),
    ...(seen.file.note === undefined ? [] : [seen.file.note]),
  ];
  return { verdict: 'whole', evidence: notes.join('; ') };
}

/** At most this many are named: a file may have any number of rows with a wrong date. */
const FOREIGN_NAMED = 5;

function withForeign(classified: FileClass, foreign: readonly ForeignRow[]): FileClass {
  if (foreign.length === 0) return classified;
  const named = foreign.slice(0, FOREIGN_NAMED).map(describeForeign).join('; ');
  const others = foreign.length - FOREIGN_NAMED;
  const evidence = `rows with a wrong date are not stored: ${named}${others > 0 ? `; and ${others} more` : ''}`;
  return { ...classified, evidence: [classified.evidence, evidence].filter(Boolean).join('; ') };
}

function recordOf(
  { market, symbol, dayMs }: FileDay,
  file: ArchiveDay | undefined,
  classified: FileClass,
  seenAtMs: number,
): ArchiveFileRecord {
  return {
    market,
    symbol,
    dayMs,
    name: file?.name ?? `${dailyStem(symbol, dayMs)}.zip`,
    etag: file?.etag,
    sha256: file?.sha256,
    bytes: file?.bytes,
    ...classified,
    seenAtMs,
  };
}

/** A file of a day, with a summary of its rows. */
interface SeenFile {
  readonly file: ArchiveDay;
  rows: number;
  firstId: number;
  lastId: number;
  lastUs: number;
  withoutQuantity: number;
}

/** Passes the files of days on and keeps what was seen of them. */
class WatchedArchive {
  readonly source: ArchiveSource;
  readonly #seen = new Map<number, SeenFile>();

  constructor(
    archive: ArchiveSource,
    days: readonly FileDay[],
    isInReach: (day: FileDay) => boolean,
  ) {
    const watched = new Map(days.map((day) => [day.dayMs, isInReach(day)]));
    this.source = {
      withDay: (series, dayMs, signal, use) => {
        const isWithin = watched.get(dayMs);
        // Files of neighbouring days are not recorded.
        if (isWithin === undefined) return archive.withDay(series, dayMs, signal, use);
        return archive.withDay(series, dayMs, signal, (file) =>
          use({ ...file, rows: () => this.#watch(file, dayMs, isWithin) }),
        );
      },
      list: (...asked) => archive.list(...asked),
      find: (...asked) => archive.find(...asked),
      hasLater: (...asked) => archive.hasLater(...asked),
    };
  }

  seen(dayMs: number): SeenFile | undefined {
    return this.#seen.get(dayMs);
  }

  async *#watch(file: ArchiveDay, dayMs: number, isInReach: boolean): AsyncGenerator<TradeBlock> {
    const seen = { file, rows: 0, firstId: 0, lastId: 0, lastUs: 0, withoutQuantity: 0 };
    // A file that is read again is seen again.
    this.#seen.set(dayMs, seen);
    for await (const block of file.rows()) {
      const { rows, aggIds, timesUs } = block;
      if (rows > 0) {
        if (seen.rows === 0) seen.firstId = aggIds[0] ?? 0;
        seen.lastId = aggIds[rows - 1] ?? 0;
        seen.lastUs = timesUs[rows - 1] ?? 0;
        seen.rows += rows;
      }
      seen.withoutQuantity += withoutQuantity(block);
      if (seen.withoutQuantity > 0 && isInReach)
        throw new CdvaultError('ARCHIVE_BAD_ROW', `${file.name}: rows have no quantity`);
      yield block;
    }
  }
}

/** Some files of 2023 had such rows. A row that the exchange has marked invalid has no raw ids either. */
function withoutQuantity({ rows, valids, firstIds }: TradeBlock): number {
  let found = 0;
  for (let row = 0; row < rows; row += 1)
    if (valids[row] === 0 && (firstIds[row] ?? 0) >= 0) found += 1;
  return found;
}
