import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSql, literal, type Sql, timestamp } from '../../src/adapters/questdb/sql.ts';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import { INTERVALS } from '../../src/domain/time/interval.ts';
import { TIER_INTERVALS } from '../../src/domain/bars/tier.ts';

/** The rows of a series in one table, in an order that does not depend on how they were written. */
export interface OrderedExport {
  readonly rows: number;
  /** Hash of all lines. */
  readonly sha256: string;
  /** The first lines, so that a failed test shows where they differ. */
  readonly lines: readonly string[];
}

/** The order of each table: its key, which is unique within a series. agg_trades: the series' own table. */
const ORDER = {
  agg_trades: 'ts, agg_id',
  slices: 'ts',
  gaps: 'ts, class, from_id',
  series: 'ts',
  bar_days: 'ts',
  anchors: 'ts',
  restatements: 'ts, what, seen_at',
  tiers_exact_1m: 'ts, tier',
  tiers_exact_1h: 'ts, tier',
  tiers_exact_1d: 'ts, tier',
  cdv_exact_1m: 'ts',
  cdv_exact_3m: 'ts',
  cdv_exact_30m: 'ts',
  cdv_exact_5m: 'ts',
  cdv_exact_15m: 'ts',
  cdv_exact_1h: 'ts',
  cdv_exact_4h: 'ts',
  cdv_exact_1d: 'ts',
} as const;
export type SeriesTable = keyof typeof ORDER;

/** Trades, bars and all that is derived or recorded, except the log of restatements. */
export const RESULT_TABLES: readonly SeriesTable[] = [
  'agg_trades',
  'slices',
  'gaps',
  'series',
  'bar_days',
  'anchors',
  ...INTERVALS.map((interval) => `cdv_exact_${interval}` as const),
  ...TIER_INTERVALS.map((interval) => `tiers_exact_${interval}` as const),
];

/** Columns of run and time, and the symbol, which differ between tests whose tables must be equal. */
const LEFT_OUT: readonly string[] = [
  'symbol',
  'series_tier',
  'run_id',
  'code_version',
  'fetched_at',
  'built_at',
  'trades_table',
  'trades_view',
  'seen_at',
  'resolved_at',
];

const LINES_KEPT = 3_000;
const EXPORT_AGAIN_MS = 100;

export interface ExportOptions {
  /** Default: all except those of run, time and symbol. */
  readonly columns?: readonly string[];
  /** Only rows before this instant. */
  readonly toMs?: number;
}

export async function orderedExport(
  services: ServiceUrls,
  table: SeriesTable,
  symbol: string,
  { columns, toMs }: ExportOptions = {},
): Promise<OrderedExport> {
  const { from, all } = await lookAt(services, table, symbol);
  const wanted = (columns ?? all).join(', ');
  const before = toMs === undefined ? '' : ` AND ts < ${timestamp(toMs)}`;
  const query = `SELECT ${wanted} FROM (SELECT * FROM ${from}${before} ORDER BY ${ORDER[table]})`;
  const hash = createHash('sha256');
  const lines: string[] = [];
  let rows = 0;
  for await (const line of csvLines(services.questdbHttpUrl, query)) {
    rows += 1;
    hash.update(`${line}\n`);
    if (lines.length < LINES_KEPT) lines.push(line);
  }
  return { rows, sha256: hash.digest('hex'), lines };
}

/** Exports several tables of a series, for one comparison. */
export async function exportSeries(
  services: ServiceUrls,
  symbol: string,
  tables: readonly SeriesTable[] = RESULT_TABLES,
  options: ExportOptions = {},
): Promise<Readonly<Record<string, OrderedExport>>> {
  const exports: Record<string, OrderedExport> = {};
  for (const table of tables)
    exports[table] = await orderedExport(services, table, symbol, options);
  return exports;
}

/** Tables in which a series has any row, in alphabetical order. */
export async function tablesWith(sql: Sql, symbol: string): Promise<SeriesTable[]> {
  const found: SeriesTable[] = [];
  for (const table of (Object.keys(ORDER) as SeriesTable[]).toSorted()) {
    const from = await rowsOf(sql, table, symbol);
    if (from === undefined) continue;
    if ((await sql.query(`SELECT ts FROM ${from} LIMIT 1`)).length > 0) found.push(table);
  }
  return found;
}

/** The table and the condition of a series' rows, without the rows that are not applied yet. */
async function rowsOf(sql: Sql, table: SeriesTable, symbol: string): Promise<string | undefined> {
  await sql.waitApplied(table === 'agg_trades' ? 'series' : table);
  // What a view reads.
  if (table === 'tiers_exact_1m')
    for (const read of ['tier_minutes', 'cdv_exact_1m', 'tiers_exact_1d'])
      await sql.waitApplied(read);
  if (table !== 'agg_trades') return `${table} WHERE symbol = ${literal(symbol)}`;
  const [known] = await sql.query(
    `SELECT trades_table FROM series WHERE symbol = ${literal(symbol)}`,
  );
  const name = known?.['trades_table'];
  if (typeof name !== 'string') return undefined;
  const tables = await sql.query(
    `SELECT table_name FROM tables() WHERE table_name = ${literal(name)}`,
  );
  if (tables.length === 0) return undefined;
  await sql.waitApplied(name);
  return `${name} WHERE ts >= 0`;
}

/** Where a series' rows are, and the columns to compare. */
async function lookAt(
  services: ServiceUrls,
  table: SeriesTable,
  symbol: string,
): Promise<{ readonly from: string; readonly all: readonly string[] }> {
  const sql = createSql(services.questdbPgUrl, 1);
  try {
    const from = await rowsOf(sql, table, symbol);
    if (from === undefined) throw new Error(`no trades of ${symbol} are stored`);
    const rows = await sql.query(
      `SELECT "column" AS name FROM table_columns('${from.split(' ')[0]}')`,
    );
    const all = rows.map(({ name }) => name ?? '').filter((name) => !LEFT_OUT.includes(name));
    return { from, all };
  } finally {
    await sql.close();
  }
}

/** Data lines of a query, streamed, so that a day of trades is never in memory. */
async function* csvLines(httpUrl: string, query: string): AsyncGenerator<string> {
  const url = new URL('/exp', httpUrl);
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.search = new URLSearchParams({ query }).toString();
  url.username = '';
  url.password = '';
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  let response = await fetch(url, { headers: { authorization } });
  // On a small machine the server accepts two exports at a time, and test files run in parallel.
  for (; response.status === 429; response = await fetch(url, { headers: { authorization } }))
    await sleep(EXPORT_AGAIN_MS);
  if (!response.ok || response.body === null)
    throw new Error(`QuestDB refused ${query}: ${await response.text()}`);
  let isHeader = true;
  const input = Readable.fromWeb(response.body);
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (isHeader) isHeader = false;
    else yield line;
  }
}
