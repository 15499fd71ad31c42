import { dailyStem } from '../../domain/archive/archive-name.ts';
import { CdvaultError, isArchiveFault } from '../../domain/errors.ts';
import { describeForeign, type ForeignRow } from '../../domain/proof/foreign-rows.ts';
import type { TradeBlock } from '../../domain/trade/trade-block.ts';
import type { ArchiveFileRecord, ArchiveFiles } from '../../ports/archive-files.ts';
import type { ArchiveDay, ArchiveSource } from '../../ports/archive-source.ts';
import type { JobPayloads } from '../../ports/job-queue.ts';
import { type DayOutcome, loadDay, type LoadDayDeps } from './load-day.ts';

/** What a day's file proved. `unproven`: hours that it did not prove. */
export interface IngestedDay {
  readonly proven: readonly number[];
  readonly unproven: readonly number[];
  /** How the file was classified; undefined when all hours were already proven and no file was needed. */
  readonly file: Pick<ArchiveFileRecord, 'name' | 'verdict' | 'evidence'> | undefined;
}

type IngestDeps = LoadDayDeps & { readonly files: ArchiveFiles };

type WantedDay = JobPayloads['archive'] & {
  /** Whether REST also serves the day, so that a file with rows without quantity can be refused. */
  readonly isInReach: boolean;
};

/**
 * Ingests a day from its archive file and records how that file was classified. A faulty file is an
 * outcome, not an error: `unproven` names the hours that it did not prove.
 * @throws CdvaultError ARCHIVE_UNREACHABLE, and what loadDay() throws except for faults of the file
 */
export async function ingestArchiveDay(
  deps: IngestDeps,
  day: WantedDay,
  signal: AbortSignal,
  onRows: (rows: number) => void,
): Promise<IngestedDay | 'busy'> {
  const watched = new WatchedArchive(deps.archive, day);
  let outcome: DayOutcome | CdvaultError;
  try {
    outcome = await loadDay({ ...deps, archive: watched.source }, day, signal, onRows);
  } catch (error) {
    if (!isArchiveFault(error)) throw error;
    outcome = error;
  }
  if (outcome instanceof CdvaultError) {
    const classified = { verdict: 'refused' as const, evidence: outcome.message };
    return {
      proven: [],
      unproven: day.hours,
      file: await record(deps, day, watched.file, classified),
    };
  }
  if (outcome.kind === 'busy') return 'busy';
  const { unproven } = outcome;
  if (outcome.kind === 'absent')
    return { proven: [], unproven, file: await record(deps, day, undefined, ABSENT) };
  const { proven } = outcome;
  if (watched.file === undefined) return { proven, unproven, file: undefined };
  const classified = withForeign(classifyFile(watched, outcome.isCut), watched.file.foreign());
  return { proven, unproven, file: await record(deps, day, watched.file, classified) };
}

/** Records that the host of the files did not answer. */
export async function recordUnreachable(
  deps: Pick<IngestDeps, 'files' | 'clock'>,
  day: WantedDay,
  { message }: CdvaultError,
): Promise<void> {
  await record(deps, day, undefined, { verdict: 'unreachable', evidence: message });
}

const ABSENT = {
  verdict: 'absent' as const,
  evidence: 'the exchange has no such file, or none yet',
};

type FileClass = Pick<ArchiveFileRecord, 'verdict' | 'evidence'>;

function classifyFile(seen: WatchedArchive, isCut: boolean): FileClass {
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
    ...(seen.file?.note === undefined ? [] : [seen.file.note]),
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

async function record(
  { files, clock }: Pick<IngestDeps, 'files' | 'clock'>,
  { market, symbol, dayMs }: WantedDay,
  file: ArchiveDay | undefined,
  classified: FileClass,
): Promise<ArchiveFileRecord> {
  const written = {
    market,
    symbol,
    dayMs,
    name: file?.name ?? `${dailyStem(symbol, dayMs)}.zip`,
    etag: file?.etag,
    sha256: file?.sha256,
    bytes: file?.bytes,
    ...classified,
    seenAtMs: clock.nowMs(),
  };
  await files.write(written);
  return written;
}

/** Passes the day's file on and keeps it, with a summary of its rows. */
class WatchedArchive {
  file: ArchiveDay | undefined;
  rows = 0;
  firstId = 0;
  lastId = 0;
  lastUs = 0;
  withoutQuantity = 0;
  readonly source: ArchiveSource;

  constructor(archive: ArchiveSource, day: WantedDay) {
    this.source = {
      withDay: (series, dayMs, signal, use) =>
        // Files of neighbouring days are not recorded.
        archive.withDay(series, dayMs, signal, (file) => {
          if (dayMs !== day.dayMs) return use(file);
          this.file = file;
          return use({ ...file, rows: () => this.#watch(file, day.isInReach) });
        }),
      list: (...asked) => archive.list(...asked),
      find: (...asked) => archive.find(...asked),
      hasLater: (...asked) => archive.hasLater(...asked),
    };
  }

  async *#watch(file: ArchiveDay, isInReach: boolean): AsyncGenerator<TradeBlock> {
    // The file is read again when the store did not take its rows.
    this.rows = 0;
    this.withoutQuantity = 0;
    for await (const block of file.rows()) {
      const { rows, aggIds, timesUs } = block;
      if (rows > 0) {
        if (this.rows === 0) this.firstId = aggIds[0] ?? 0;
        this.lastId = aggIds[rows - 1] ?? 0;
        this.lastUs = timesUs[rows - 1] ?? 0;
        this.rows += rows;
      }
      this.withoutQuantity += withoutQuantity(block);
      if (this.withoutQuantity > 0 && isInReach)
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
