import type { ArchiveName } from './archive-name.ts';
import { spansText } from './finding.ts';
import { DAY_MS, isoDay } from './hour.ts';
import type { TradeBlock } from './trade-block.ts';

/** Contiguous ids, both ends included. */
interface IdRun {
  readonly from: number;
  to: number;
}

/** What one archive file holds, told from its rows alone. */
export interface ArchiveContent {
  readonly rows: number;
  readonly firstId: number | undefined;
  readonly lastId: number | undefined;
  readonly firstUs: number | undefined;
  readonly lastUs: number | undefined;
  /** Ids between the first and the last that the file does not have. */
  readonly missingIds: number;
  /** Rows whose id the file has given before. */
  readonly doubleIds: number;
  readonly invalidRows: number;
  /** Findings for people, the grave ones; none in a file that is whole in itself. */
  readonly problems: readonly string[];
  /** Oddities that lose nothing. */
  readonly notes: readonly string[];
}

/** A file's end counts as cut when it is this silent before midnight, and so unlike the file's own pace. */
const CUT_SILENCE_US = 3_600_000_000;
const CUT_SPACINGS = 1_000;

/**
 * Adds up the rows of one file as they stream by. Ids that ascend without a hole cost one run; files
 * of two interleaved streams cost one run a row, some 16 MB a million.
 */
export class ArchiveAudit {
  readonly #name: ArchiveName;
  readonly #runs: IdRun[] = [];
  #rows = 0;
  #firstUs = Infinity;
  #lastUs = -Infinity;
  #previousUs = -Infinity;
  #previousId = -Infinity;
  #previousRawId: number | undefined;
  #invalidRows = 0;
  #outside = 0;
  #descending = 0;
  #backwards = 0;
  #rawGaps = 0;

  constructor(name: ArchiveName) {
    this.#name = name;
  }

  add(block: TradeBlock): void {
    for (let row = 0; row < block.rows; row += 1) this.#addRow(block, row);
  }

  #addRow(block: TradeBlock, row: number): void {
    const aggId = block.aggIds[row] ?? 0;
    const timeUs = block.timesUs[row] ?? 0;
    const run = this.#runs.at(-1);
    if (run !== undefined && aggId === run.to + 1) run.to = aggId;
    else this.#runs.push({ from: aggId, to: aggId });
    const isNext = aggId === this.#previousId + 1;
    if (aggId <= this.#previousId) this.#descending += 1;
    if (isNext && timeUs < this.#previousUs) this.#backwards += 1;
    if (timeUs < this.#name.startMs * 1000 || timeUs >= this.#name.endMs * 1000) this.#outside += 1;
    if (block.valids[row] === 0) {
      this.#invalidRows += 1;
      this.#previousRawId = undefined;
    } else {
      if (
        isNext &&
        this.#previousRawId !== undefined &&
        block.firstIds[row] !== this.#previousRawId + 1
      )
        this.#rawGaps += 1;
      this.#previousRawId = block.lastIds[row];
    }
    this.#rows += 1;
    this.#firstUs = Math.min(this.#firstUs, timeUs);
    this.#lastUs = Math.max(this.#lastUs, timeUs);
    this.#previousUs = timeUs;
    this.#previousId = aggId;
  }

  finish(): ArchiveContent {
    const { holes, doubleIds } = joined(this.#runs);
    const missingIds = holes.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    const ends = endsOf(this.#runs);
    return {
      rows: this.#rows,
      ...ends,
      firstUs: this.#rows === 0 ? undefined : this.#firstUs,
      lastUs: this.#rows === 0 ? undefined : this.#lastUs,
      missingIds,
      doubleIds,
      invalidRows: this.#invalidRows,
      problems: [
        ...(this.#rows === 0 ? ['it holds no trades'] : []),
        ...(missingIds > 0
          ? [`${missingIds} ids are missing: ${spansText(holes, 'more holes')}`]
          : []),
        ...(doubleIds > 0 ? [`${doubleIds} rows repeat an id`] : []),
        ...(this.#outside > 0 ? [`${this.#outside} rows lie outside the file's date`] : []),
        ...this.#cutEnds(),
      ],
      notes: [
        ...(this.#descending > 0 ? [`${this.#descending} rows are not in the order of ids`] : []),
        ...(this.#invalidRows > 0 ? [`${this.#invalidRows} rows are invalid trades`] : []),
        ...(this.#backwards > 0 ? [`${this.#backwards} times run backwards`] : []),
        ...(this.#rawGaps > 0 ? [`${this.#rawGaps} raw ids skip`] : []),
      ],
    };
  }

  /** No file can prove that it reaches midnight; the one beside it can. Until then this is a suspicion. */
  #cutEnds(): string[] {
    if (this.#rows < 2) return [];
    const spacingUs = (this.#lastUs - this.#firstUs) / (this.#rows - 1);
    const threshold = Math.max(CUT_SILENCE_US, CUT_SPACINGS * spacingUs);
    const { startMs, endMs } = this.#name;
    const cuts: string[] = [];
    if (this.#firstUs - startMs * 1000 > threshold)
      cuts.push(`it begins only at ${clock(this.#firstUs)}: cut?`);
    if (endMs * 1000 - this.#lastUs > threshold)
      cuts.push(`it ends already at ${clock(this.#lastUs)}: cut?`);
    return cuts;
  }
}

function endsOf(runs: readonly IdRun[]): {
  firstId: number | undefined;
  lastId: number | undefined;
} {
  if (runs.length === 0) return { firstId: undefined, lastId: undefined };
  let [firstId, lastId] = [Infinity, -Infinity];
  for (const { from, to } of runs) {
    firstId = Math.min(firstId, from);
    lastId = Math.max(lastId, to);
  }
  return { firstId, lastId };
}

function joined(runs: readonly IdRun[]): { holes: IdRun[]; doubleIds: number } {
  const holes: IdRun[] = [];
  let doubleIds = 0;
  let reached = -Infinity;
  for (const { from, to } of runs.toSorted((left, right) => left.from - right.from)) {
    if (reached !== -Infinity && from > reached + 1)
      holes.push({ from: reached + 1, to: from - 1 });
    doubleIds += Math.max(0, Math.min(to, reached) - from + 1);
    reached = Math.max(reached, to);
  }
  return { holes, doubleIds };
}

function clock(timeUs: number): string {
  return `${new Date(timeUs / 1000).toISOString().slice(0, 19)}Z`;
}

/** A file in its place beside others of its symbol. */
export interface AuditedFile extends ArchiveName {
  readonly content: ArchiveContent;
}

/**
 * What is missing or stands twice between files of one symbol: the ids of neighbouring files must
 * meet, whatever their checksums say.
 */
export function seams(files: readonly AuditedFile[]): string[] {
  const sorted = files.toSorted((left, right) => left.startMs - right.startMs);
  return sorted.flatMap((file, index) => {
    const before = sorted[index - 1];
    const { lastId } = before?.content ?? {};
    const { firstId } = file.content;
    if (before === undefined || lastId === undefined || firstId === undefined) return [];
    const between = `between ${before.stem} and ${file.stem}`;
    const absentDays = (file.startMs - before.endMs) / DAY_MS;
    const days = absentDays > 0 ? `, ${absentDays} days without a file` : '';
    if (firstId > lastId + 1)
      return [
        `${between} ${firstId - lastId - 1} ids are missing: ${lastId + 1} to ${firstId - 1}${days}`,
      ];
    if (firstId <= lastId) return [`${between} ids overlap: ${firstId} to ${lastId}`];
    return absentDays > 0
      ? [`no trades from ${isoDay(before.endMs)} to ${isoDay(file.startMs)}${days}`]
      : [];
  });
}
