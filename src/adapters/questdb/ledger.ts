import { HOUR_MS, type TimeRange } from '../../domain/hour.ts';
import { type Neighbour, type SliceRecord, type Verdict } from '../../domain/ledger.ts';
import type { Market, Series } from '../../domain/market.ts';
import type { Gap, GapClass, Ledger, SeriesCoverage } from '../../ports/ledger.ts';
import { int, ofSeries, optionalInt, type Sql, text, type TextRow, timestamp } from './sql.ts';

const RECORD_COLUMNS =
  'ts::long AS hour_us, rows, first_id, first_ts::long AS first_us, last_id, last_ts::long AS last_us, ' +
  'prev_id, prev_ts::long AS prev_us, next_id, next_ts::long AS next_us, invalid_rows, backward_rows, ' +
  'buy_qty, sell_qty, content_hash, source, run_id, code_version, fetched_at::long AS fetched_us';

export function createLedger(sql: Sql): Ledger {
  async function records(series: Series, range: TimeRange): Promise<SliceRecord[]> {
    await sql.waitApplied('slices');
    const rows = await sql.query(
      `SELECT ${RECORD_COLUMNS} FROM slices WHERE ${ofSeries(series)} AND ${inRange(range)} ORDER BY ts`,
    );
    return rows.map((row) => toRecord(series, row));
  }

  async function openGaps(series: Series, range: TimeRange): Promise<Gap[]> {
    await sql.waitApplied('gaps');
    const rows = await sql.query(
      `SELECT ts::long AS hour_us, class, from_id, to_id, evidence, seen_at::long AS seen_us FROM gaps WHERE ${ofSeries(series)} ` +
        `AND ${inRange(range)} AND resolved_at IS NULL ORDER BY ts, from_id`,
    );
    return rows.map(toGap);
  }

  return {
    records,
    openGaps,
    async record(series, hourMs) {
      const [record] = await records(series, { startMs: hourMs, endMs: hourMs + HOUR_MS });
      return record;
    },
    async write(record, gaps, nowMs) {
      const range = { startMs: record.hourMs, endMs: record.hourMs + HOUR_MS };
      const before = await openGaps(record, range);
      const isStill = (old: Gap) => gaps.some((gap) => gap.gapClass === old.gapClass && gap.fromId === old.fromId);
      for (const gap of before.filter((old) => !isStill(old))) await writeGap(sql, record, gap, nowMs, nowMs);
      for (const gap of gaps) await writeGap(sql, record, gap, nowMs, undefined);
      // The row comes last: an hour never looks better than its gaps say.
      await writeRecord(sql, record);
      await sql.waitApplied('slices');
    },
    async coverage(series, range) {
      await sql.waitApplied('slices');
      const rows = await sql.query(
        `SELECT ts::long AS hour_us, verdict, rows, missing FROM coverage WHERE ${ofSeries(series)} AND ${inRange(range)} ORDER BY ts`,
      );
      return rows.map((row) => ({
        hourMs: int(row, 'hour_us') / 1000,
        verdict: text(row, 'verdict') as Verdict,
        rows: int(row, 'rows'),
        missing: int(row, 'missing'),
      }));
    },
    async totals(series, range) {
      await sql.waitApplied('slices');
      const rows = await sql.query(
        `SELECT verdict, count() AS hours, sum(rows) AS rows FROM coverage WHERE ${ofSeries(series)} AND ${inRange(range)}`,
      );
      const of = (verdict: Verdict) => rows.find((row) => row['verdict'] === verdict);
      const hours = (verdict: Verdict) => Number(of(verdict)?.['hours'] ?? 0);
      return {
        proven: hours('proven'),
        open: hours('open'),
        gap: hours('gap'),
        rows: rows.reduce((total, row) => total + Number(row['rows'] ?? 0), 0),
      };
    },
    async overview() {
      await sql.waitApplied('slices');
      const count = (verdict: Verdict) => `sum(CASE WHEN verdict = '${verdict}' THEN 1 ELSE 0 END) AS ${verdict}`;
      const rows = await sql.query(
        `SELECT market, symbol, min(ts)::long AS from_us, max(ts)::long AS last_us, sum(rows) AS rows, ` +
          `${count('proven')}, ${count('open')}, ${count('gap')} FROM coverage ORDER BY market, symbol`,
      );
      return rows.map(toCoverage);
    },
    async knows(series) {
      const rows = await sql.query(`SELECT symbol FROM slices WHERE ${ofSeries(series)} LIMIT 1`);
      return rows.length > 0;
    },
  };
}

async function writeRecord(sql: Sql, record: SliceRecord): Promise<void> {
  await sql.query(
    'INSERT INTO slices VALUES (' +
      'cast($1 AS long)::timestamp, $2, $3, cast($4 AS long), cast($5 AS long), cast($6 AS long)::timestamp, ' +
      'cast($7 AS long), cast($8 AS long)::timestamp, cast($9 AS long), cast($10 AS long)::timestamp, ' +
      'cast($11 AS long), cast($12 AS long)::timestamp, cast($13 AS long), cast($14 AS long), ' +
      'cast($15 AS decimal(38,8)), cast($16 AS decimal(38,8)), $17, $18, $19, $20, cast($21 AS long)::timestamp)',
    [
      record.hourMs * 1000,
      record.market,
      record.symbol,
      record.rows,
      ...neighbourValues(record.first),
      ...neighbourValues(record.last),
      ...neighbourValues(record.prev),
      ...neighbourValues(record.next),
      record.invalidRows,
      record.backwardRows,
      record.buyQty,
      record.sellQty,
      record.contentHash,
      record.source,
      record.runId,
      record.codeVersion,
      record.fetchedAtMs * 1000,
    ],
  );
}

async function writeGap(sql: Sql, series: Series, gap: Gap, seenMs: number, resolvedMs: number | undefined): Promise<void> {
  await sql.query(
    'INSERT INTO gaps VALUES (cast($1 AS long)::timestamp, $2, $3, $4, cast($5 AS long), cast($6 AS long), $7, ' +
      'cast($8 AS long)::timestamp, cast($9 AS long)::timestamp)',
    [
      gap.hourMs * 1000,
      series.market,
      series.symbol,
      gap.gapClass,
      gap.fromId,
      gap.toId,
      gap.evidence,
      (gap.seenAtMs ?? seenMs) * 1000,
      resolvedMs === undefined ? null : resolvedMs * 1000,
    ],
  );
}

function toCoverage(row: TextRow): SeriesCoverage {
  const startMs = int(row, 'from_us') / 1000;
  const endMs = int(row, 'last_us') / 1000 + HOUR_MS;
  const [proven, open, gap] = [int(row, 'proven'), int(row, 'open'), int(row, 'gap')];
  return {
    market: text(row, 'market') as Market,
    symbol: text(row, 'symbol'),
    startMs,
    endMs,
    rows: int(row, 'rows'),
    proven,
    open,
    gap,
    unknown: (endMs - startMs) / HOUR_MS - proven - open - gap,
  };
}

function inRange({ startMs, endMs }: TimeRange): string {
  return `ts >= ${timestamp(startMs)} AND ts < ${timestamp(endMs)}`;
}

function neighbourValues(neighbour: Neighbour | undefined): (number | null)[] {
  return neighbour === undefined ? [null, null] : [neighbour.id, neighbour.timeUs];
}

function toNeighbour(row: TextRow, name: string): Neighbour | undefined {
  const id = optionalInt(row, `${name}_id`);
  return id === undefined ? undefined : { id, timeUs: int(row, `${name}_us`) };
}

function toRecord(series: Series, row: TextRow): SliceRecord {
  return {
    market: series.market,
    symbol: series.symbol,
    hourMs: int(row, 'hour_us') / 1000,
    rows: int(row, 'rows'),
    first: toNeighbour(row, 'first'),
    last: toNeighbour(row, 'last'),
    prev: toNeighbour(row, 'prev'),
    next: toNeighbour(row, 'next'),
    invalidRows: int(row, 'invalid_rows'),
    backwardRows: int(row, 'backward_rows'),
    buyQty: text(row, 'buy_qty'),
    sellQty: text(row, 'sell_qty'),
    contentHash: text(row, 'content_hash'),
    source: text(row, 'source') === 'archive' ? 'archive' : 'rest',
    runId: text(row, 'run_id'),
    codeVersion: text(row, 'code_version'),
    fetchedAtMs: int(row, 'fetched_us') / 1000,
  };
}

function toGap(row: TextRow): Gap {
  return {
    hourMs: int(row, 'hour_us') / 1000,
    gapClass: text(row, 'class') as GapClass,
    fromId: int(row, 'from_id'),
    toId: int(row, 'to_id'),
    evidence: text(row, 'evidence'),
    seenAtMs: int(row, 'seen_us') / 1000,
  };
}
