import { HOUR_MS, spanOfHours, type TimeRange } from '../../domain/time/hour.ts';
import { type SliceRecord, type Verdict, verdictOf } from '../../domain/proof/ledger.ts';
import { type Series, seriesKey } from '../../domain/market.ts';
import type {
  CoverageTotals,
  Gap,
  GapClass,
  Ledger,
  LedgerEntry,
  SeenGap,
  SeriesCoverage,
} from '../../ports/ledger.ts';
import { KeptRead } from './kept-read.ts';
import { PROVEN_BY_IDS } from './proven-hours.ts';
import { RECORD_COLUMNS, toRecord } from './slice-row.ts';
import { createSliceWriter, type OwnedRows, writeRecords } from './slice-writer.ts';
import {
  IN_RANGE,
  int,
  literal,
  OF_ANY_SERIES,
  OF_SERIES,
  ofSeries,
  optionalInt,
  seriesParameters,
  seriesValues,
  type Sql,
  text,
  type TextRow,
  timestamp,
  toSeries,
} from './sql.ts';

export function createLedger(sql: Sql): Ledger {
  return new QuestdbLedger(sql);
}

class QuestdbLedger implements Ledger {
  readonly #sql: Sql;
  readonly #writeOwned: (rows: OwnedRows) => Promise<void>;
  /** It reads every hour of every series (0.1 s for 173,000), so it is kept while `slices` is unchanged. */
  readonly #overview: KeptRead<SeriesCoverage[]>;

  constructor(sql: Sql) {
    this.#sql = sql;
    this.#writeOwned = createSliceWriter(sql);
    this.#overview = new KeptRead(sql, 'slices');
  }

  async records(series: Series, range: TimeRange): Promise<SliceRecord[]> {
    await this.#sql.waitApplied('slices');
    const rows = await this.#sql.query(
      `SELECT ${RECORD_COLUMNS} FROM slices WHERE ${OF_SERIES} AND ${IN_RANGE} ORDER BY ts`,
      seriesParameters(series, range),
    );
    return rows.map((row) => toRecord(series, row));
  }

  async record(series: Series, hourMs: number): Promise<SliceRecord | undefined> {
    const [record] = await this.records(series, hourRange(hourMs));
    return record;
  }

  async lastBefore(series: Series, timeMs: number): Promise<SliceRecord | undefined> {
    await this.#sql.waitApplied('slices');
    const [row] = await this.#sql.query(
      `SELECT ${RECORD_COLUMNS} FROM slices WHERE ${OF_SERIES} AND ts < cast($3 AS long)::timestamp ORDER BY ts DESC LIMIT 1`,
      [...seriesParameters(series), timeMs * 1000],
    );
    return row === undefined ? undefined : toRecord(series, row);
  }

  async reopenBefore(series: Series, timeMs: number): Promise<void> {
    await this.#sql.waitApplied('slices');
    const found = await this.#sql.query(
      `SELECT ts FROM slices WHERE ${OF_SERIES} AND ts < cast($3 AS long)::timestamp AND ended_at IS NOT NULL LIMIT 1`,
      [...seriesParameters(series), timeMs * 1000],
    );
    if (found.length === 0) return;
    await this.#sql.query(
      `UPDATE slices SET ended_at = NULL WHERE ${ofSeries(series)} AND ts < ${timestamp(timeMs)} AND ended_at IS NOT NULL`,
    );
    await this.#sql.waitApplied('slices');
  }

  async write(
    entries: readonly LedgerEntry[],
    nowMs: number,
    assertHeld?: () => Promise<void>,
  ): Promise<void> {
    const [first] = entries;
    if (first === undefined) return;
    const hours = entries.map(({ record }) => record.hourMs);
    const gaps = entries.flatMap((entry) => entry.gaps);
    await this.#replaceGaps(first.record, hours, gaps, nowMs);
    // The records come last, so that an hour never counts as proven before its gaps are stored.
    const records = entries.map(({ record }) => record);
    if (assertHeld === undefined) await writeRecords(this.#sql, records);
    else await this.#writeOwned({ records, assertHeld });
  }

  async note(series: Series, gaps: readonly Gap[], nowMs: number): Promise<void> {
    const hours = gaps.map(({ hourMs }) => hourMs);
    if (hours.length > 0) await this.#replaceGaps(series, hours, gaps, nowMs);
  }

  /** Open gaps of these hours that are not among `gaps` become resolved. */
  async #replaceGaps(
    series: Series,
    hours: readonly number[],
    gaps: readonly Gap[],
    nowMs: number,
  ): Promise<void> {
    const open = await this.openGaps(series, spanOfHours(hours));
    const before = open.filter(({ hourMs }) => hours.includes(hourMs));
    const resolved = before.filter((old) => !gaps.some((gap) => isSame(old, gap)));
    const seen = gaps.map((gap) => {
      const seenAtMs = before.find((old) => isSame(old, gap))?.seenAtMs ?? nowMs;
      return gapRow(series, { ...gap, seenAtMs }, undefined);
    });
    const rows = [...resolved.map((gap) => gapRow(series, gap, nowMs)), ...seen];
    if (rows.length > 0) await this.#sql.query(`INSERT INTO gaps VALUES ${rows.join(', ')}`);
  }

  async totals(series: Series, range: TimeRange): Promise<CoverageTotals> {
    await this.#sql.waitApplied('slices');
    const hours = `FROM slices WHERE ${OF_SERIES} AND ${IN_RANGE}`;
    const values = seriesParameters(series, range);
    const [all] = await this.#sql.query(
      `SELECT count() AS hours, sum(rows) AS rows ${hours}`,
      values,
    );
    // Read last: an hour that is recorded in between is not counted as proven.
    const others = await this.#sql.query(
      `SELECT ${RECORD_COLUMNS} ${hours} AND NOT (${PROVEN_BY_IDS})`,
      values,
    );
    return toTotals(
      all ?? { hours: '0' },
      others.map((row) => toRecord(series, row)),
    );
  }

  async openGaps(series: Series, range: TimeRange): Promise<SeenGap[]> {
    await this.#sql.waitApplied('gaps');
    const rows = await this.#sql.query(
      `SELECT ts::long AS hour_us, class, from_id, to_id, evidence, seen_at::long AS seen_us FROM gaps ` +
        `WHERE ${OF_SERIES} AND ${IN_RANGE} AND resolved_at IS NULL ORDER BY ts, from_id`,
      seriesParameters(series, range),
    );
    return rows.map(toGap);
  }

  async knows(series: Series): Promise<boolean> {
    const rows = await this.#sql.query(
      `SELECT symbol FROM slices WHERE ${OF_SERIES} LIMIT 1`,
      seriesParameters(series),
    );
    return rows.length > 0;
  }

  /**
   * Three statements over plain columns, whatever the history: `coverage` derives a verdict for each row,
   * which takes a hundred times as long for five million hours.
   */
  async overview(): Promise<SeriesCoverage[]> {
    return this.#overview.of('overview', async () => this.#readOverview());
  }

  async #readOverview(): Promise<SeriesCoverage[]> {
    const [all, plain, others] = await Promise.all([
      this.#sql.query(
        `SELECT market, symbol, min(ts)::long AS from_us, max(ts)::long AS last_us, count() AS hours, sum(rows) AS rows FROM slices WHERE ${OF_ANY_SERIES}`,
      ),
      this.#sql.query(
        `SELECT market, symbol, max(ts)::long AS proven_us FROM slices WHERE ${OF_ANY_SERIES} AND ${PROVEN_BY_IDS}`,
      ),
      this.#sql.query(
        `SELECT market, symbol, ${RECORD_COLUMNS} FROM slices WHERE ${OF_ANY_SERIES} AND NOT (${PROVEN_BY_IDS})`,
      ),
    ]);
    return coverageOf(all, plain, others);
  }
}

function gapRow(series: Series, gap: SeenGap, resolvedMs: number | undefined): string {
  return (
    `(${timestamp(gap.hourMs)}, ${seriesValues(series)}, ${literal(gap.gapClass)}, ` +
    `${gap.fromId}, ${gap.toId}, ${literal(gap.evidence)}, ${timestamp(gap.seenAtMs)}, ` +
    `${resolvedMs === undefined ? 'NULL' : timestamp(resolvedMs)})`
  );
}

function isSame(left: Gap, right: Gap): boolean {
  return (
    left.hourMs === right.hourMs && left.gapClass === right.gapClass && left.fromId === right.fromId
  );
}

function hourRange(hourMs: number): TimeRange {
  return { startMs: hourMs, endMs: hourMs + HOUR_MS };
}

/**
 * @param all number of hours, and their rows
 * @param others those of these hours that are not proven by ids
 */
function toTotals(all: TextRow, others: readonly SliceRecord[]): CoverageTotals {
  const verdicts = others.map(verdictOf);
  const of = (verdict: Verdict) => verdicts.filter((one) => one === verdict).length;
  const [open, gap] = [of('open'), of('gap')];
  return {
    proven: int(all, 'hours') - open - gap,
    open,
    gap,
    rows: optionalInt(all, 'rows') ?? 0,
  };
}

/**
 * @param all hours and rows of each series
 * @param plain newest hour of each series that is proven by ids
 * @param others ledger rows of the other hours, which verdictOf() judges
 */
function coverageOf(
  all: readonly TextRow[],
  plain: readonly TextRow[],
  others: readonly TextRow[],
): SeriesCoverage[] {
  const newest = new Map(plain.map((row) => [seriesKey(toSeries(row)), int(row, 'proven_us')]));
  const judged = Map.groupBy(
    others.map((row) => toRecord(toSeries(row), row)),
    (record) => seriesKey(record),
  );
  return all
    .map((row) => {
      const series = toSeries(row);
      const key = seriesKey(series);
      const records = judged.get(key) ?? [];
      const startMs = int(row, 'from_us') / 1000;
      const endMs = int(row, 'last_us') / 1000 + HOUR_MS;
      const totals = toTotals(row, records);
      const plainUs = newest.get(key);
      const proven = records.filter((record) => verdictOf(record) === 'proven');
      const provenMs = [
        ...(plainUs === undefined ? [] : [plainUs / 1000]),
        ...proven.map(({ hourMs }) => hourMs),
      ];
      return {
        ...series,
        startMs,
        endMs,
        ...totals,
        provenToMs: provenMs.length === 0 ? undefined : provenMs.reduce(later) + HOUR_MS,
        unknown: (endMs - startMs) / HOUR_MS - int(row, 'hours'),
      };
    })
    .toSorted((left, right) => (seriesKey(left) < seriesKey(right) ? -1 : 1));
}

function later(left: number, right: number): number {
  return Math.max(left, right);
}

function toGap(row: TextRow): SeenGap {
  return {
    hourMs: int(row, 'hour_us') / 1000,
    gapClass: text(row, 'class') as GapClass,
    fromId: int(row, 'from_id'),
    toId: int(row, 'to_id'),
    evidence: text(row, 'evidence'),
    seenAtMs: int(row, 'seen_us') / 1000,
  };
}
