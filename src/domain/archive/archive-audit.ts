import type { ArchiveName } from './archive-name.ts';
import { spansText } from '../proof/finding.ts';
import { describeForeign, type ForeignRow, ForeignRows } from '../proof/foreign-rows.ts';
import { DAY_MS, daysOf, floorTo, isoDay } from '../time/hour.ts';
import { firstAggId } from '../market.ts';
import type { TradeBlock } from '../trade/trade-block.ts';

/** Contiguous ids, both ends included. */
interface IdSpan {
  readonly from: number;
  readonly to: number;
}

interface IdRun extends IdSpan {
  to: number;
}

/** A long silence at the start or end of a file, compared with the rest of it. */
interface Suspicion {
  readonly side: 'start' | 'end';
  readonly text: string;
}

/** What one archive file contains, computed from its rows alone. */
export interface ArchiveContent {
  readonly rows: number;
  readonly firstId: number | undefined;
  readonly lastId: number | undefined;
  readonly firstUs: number | undefined;
  readonly lastUs: number | undefined;
  /** How many ids between the first and the last are missing. */
  readonly missingIds: number;
  /** The missing ids, both ends included. */
  readonly missing: readonly IdSpan[];
  /** The first thousand rows whose time lies outside the file's dates, or far from the rows around them. */
  readonly foreign: readonly ForeignRow[];
  /** Rows that repeat an id of an earlier row. */
  readonly doubleIds: number;
  readonly invalidRows: number;
  /** Serious findings, as text; none in a file without missing, repeated or misdated rows. */
  readonly problems: readonly string[];
  /** Ends at which the file may be cut; only the neighbouring file can confirm it. */
  readonly suspicions: readonly Suspicion[];
  /** Oddities for which nothing is missing. */
  readonly notes: readonly string[];
}

/**
 * An end of a file is suspected to be cut when the silence up to midnight is at least an hour and at
 * least a thousand times the file's mean spacing of trades.
 */
const CUT_SILENCE_US = 3_600_000_000;
const CUT_SPACINGS = 1_000;
const DAY_US = DAY_MS * 1000;

/** Rows with a wrong date that the text names. */
const FOREIGN_SHOWN = 5;

/**
 * Adds up the rows of one file while they are streamed. Ids that ascend without a hole take one run.
 * Files of two interleaved streams take one run per row, about 16 MB per million rows.
 */
export class ArchiveAudit {
  readonly #name: ArchiveName;
  readonly #foreign: ForeignRows;
  readonly #runs: IdRun[] = [];
  /** Days with at least one row. */
  readonly #days = new Set<number>();
  #rows = 0;
  #firstUs = Infinity;
  #lastUs = -Infinity;
  #previousUs = -Infinity;
  #previousId = -Infinity;
  #previousRawId: number | undefined;
  #invalidRows = 0;
  #descending = 0;
  #backwards = 0;
  #rawGaps = 0;

  constructor(name: ArchiveName) {
    this.#name = name;
    this.#foreign = new ForeignRows(name);
  }

  add(block: TradeBlock): void {
    this.#addAll(this.#foreign.push(block));
  }

  #addAll(blocks: readonly TradeBlock[]): void {
    for (const block of blocks)
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
    this.#days.add(floorTo(timeUs / 1000, DAY_MS));
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
    this.#addAll(this.#foreign.end());
    const { holes, doubleIds } = joined(this.#runs);
    const missingIds = holes.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    const ends = endsOf(this.#runs);
    return {
      rows: this.#rows + this.#foreign.count,
      ...ends,
      firstUs: this.#rows === 0 ? undefined : this.#firstUs,
      lastUs: this.#rows === 0 ? undefined : this.#lastUs,
      missingIds,
      missing: holes,
      foreign: this.#foreign.named,
      doubleIds,
      invalidRows: this.#invalidRows,
      problems: [
        ...(this.#rows === 0 ? ['it contains no trades'] : []),
        ...(missingIds > 0
          ? [`${idsAre(missingIds)} missing: ${spansText(holes, 'more holes')}`]
          : []),
        ...(doubleIds > 0 ? [`${doubleIds} rows repeat an id`] : []),
        ...this.#foreignRows(),
      ],
      suspicions: this.#cutEnds(),
      notes: [
        ...(this.#descending > 0 ? [`${this.#descending} rows are not in id order`] : []),
        ...(this.#invalidRows > 0 ? [`${this.#invalidRows} rows are invalid trades`] : []),
        ...this.#silentDays(holes),
        ...(this.#backwards > 0 ? [`${this.#backwards} times run backwards`] : []),
        ...(this.#rawGaps > 0 ? [`${this.#rawGaps} raw ids skip`] : []),
      ],
    };
  }

  #foreignRows(): string[] {
    const { count, named } = this.#foreign;
    if (count === 0) return [];
    const shown = named.slice(0, FOREIGN_SHOWN).map(describeForeign);
    const more = count > shown.length ? [`and ${count - shown.length} more`] : [];
    return [
      `${count === 1 ? '1 row has' : `${count} rows have`} a wrong date: ${[...shown, ...more].join('; ')}`,
    ];
  }

  /** Days of a month without trades. No ids are missing, so nothing was traded on them. */
  #silentDays(holes: readonly IdSpan[]): string[] {
    if (holes.length > 0) return [];
    const [first, last] = [Math.min(...this.#days), Math.max(...this.#days)];
    const silent = [...daysOf(this.#name)].filter(
      (dayMs) => dayMs > first && dayMs < last && !this.#days.has(dayMs),
    );
    return silent.length === 0
      ? []
      : [`no trades on ${silent.map(isoDay).join(', ')}; no ids are missing`];
  }

  /** A file can't prove that it reaches midnight; its neighbour can. Until then a cut is a suspicion. */
  #cutEnds(): Suspicion[] {
    if (this.#rows === 0) return [];
    const { startMs, endMs } = this.#name;
    const spacingUs = (this.#lastUs - this.#firstUs) / Math.max(1, this.#rows - 1);
    const paceUs = Math.max(CUT_SILENCE_US, CUT_SPACINGS * spacingUs);
    // A silence of a whole day is suspicious whatever the spacing.
    const threshold = this.#rows === 1 ? DAY_US : Math.min(paceUs, DAY_US);
    const cuts: Suspicion[] = [];
    if (this.#firstUs - startMs * 1000 >= threshold)
      cuts.push({ side: 'start', text: `it starts at ${clock(this.#firstUs)} and may be cut` });
    if (endMs * 1000 - this.#lastUs >= threshold)
      cuts.push({ side: 'end', text: `it ends at ${clock(this.#lastUs)} and may be cut` });
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

function idsAre(count: number): string {
  return count === 1 ? '1 id is' : `${count} ids are`;
}

/** A file that was read, to be compared with others of its symbol. */
export interface AuditedFile extends ArchiveName {
  readonly content: ArchiveContent;
}

/**
 * Ids that are missing or repeated between the files of one symbol. The ids of neighbouring files must
 * follow one another, even if all checksums are correct.
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
        `${between} ${idsAre(firstId - lastId - 1)} missing: ${lastId + 1} to ${firstId - 1}${days}`,
      ];
    return firstId <= lastId ? [`${between} ids overlap: ${firstId} to ${lastId}`] : [];
  });
}

/**
 * The suspicions that remain after files of one symbol have been compared with their neighbours. Where
 * the ids continue across a border, nothing was cut. Nothing can be missing before the lowest possible id.
 */
export function unsettled<File extends AuditedFile>(
  files: readonly File[],
): ReadonlyMap<File, readonly string[]> {
  const sorted = files.toSorted((left, right) => left.startMs - right.startMs);
  return new Map(
    sorted.map((file, index) => {
      const { firstId, lastId, suspicions } = file.content;
      const isStart = firstId === FIRST_ID || goesOn(sorted[index - 1]?.content.lastId, firstId);
      const isEnd = goesOn(lastId, sorted[index + 1]?.content.firstId);
      const open = suspicions.filter(({ side }) => !(side === 'start' ? isStart : isEnd));
      return [file, open.map(({ text }) => text)];
    }),
  );
}

/** The lowest id of spot. A file does not name its market; on futures the lowest id is 1. */
const FIRST_ID = firstAggId('binance_spot');

function goesOn(lastId: number | undefined, firstId: number | undefined): boolean {
  return lastId !== undefined && firstId === lastId + 1;
}
