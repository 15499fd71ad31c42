import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createSql, literal, type Sql, type TextRow } from '../../src/adapters/questdb/sql.ts';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import { type App, compose } from '../../src/cli/compose.ts';
import { loadConfig } from '../../src/config.ts';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { type Bar, barText, rollUp } from '../../src/domain/bars/bar.ts';
import { cdvBars } from '../support/reference-bars.ts';
import { dayInputs, inputRange } from '../../src/domain/bars/day.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { INTERVAL_MS, type Interval, INTERVALS } from '../../src/domain/time/interval.ts';
import { REAL_DAY_PATH, realDayTrades } from '../golden/real-day.ts';
import {
  type CliProcess,
  type CliResult,
  cliEnv,
  startCli,
  unique,
} from '../support/command-line.ts';
import {
  type ExchangeProcess,
  type LoggedRequest,
  startExchangeProcess,
} from '../support/exchange-process.ts';
import {
  exportSeries,
  type OrderedExport,
  orderedExport,
  RESULT_TABLES,
} from '../support/exports.ts';
import { tradesTable } from '../support/store.ts';
import { buildByWindows } from '../support/window-bars/window-bars.ts';

export const DAY = Date.UTC(2024, 0, 1);
export const HOURS: readonly number[] = Array.from(
  { length: 24 },
  (_, hour) => DAY + hour * HOUR_MS,
);
export const DAY_ROWS = 863_403;
export const PAGE_ROWS = 1_000;

/** Each long test takes about a minute on two idle cores; a build machine is rarely idle. */
export const PATIENCE_MS = 300_000;
const POLL_MS = 50;

/** Deltas of the exchange's klines, 2 × taker buy base − volume, as published by others. */
export const PUBLISHED: readonly (readonly [Interval, string, string])[] = [
  ['1d', '00:00', '1489.16457000'],
  ['1h', '00:00', '93.47054000'],
  ['1h', '01:00', '228.26598000'],
  ['5m', '00:00', '56.85733000'],
  ['5m', '00:05', '-2.40790000'],
  ['1m', '00:00', '10.44808000'],
  ['1m', '00:01', '5.78187000'],
  ['1m', '00:02', '0.83211000'],
];

/** Rows of a pandas notebook: the index and the four levels. */
export const NOTEBOOK_ROWS = [
  '2024-01-01 10:00:00 217.20149 217.84858 216.39749 217.64984',
  '2024-01-01 10:01:00 217.64801 218.11814 216.56164 218.11742',
  '2024-01-01 10:02:00 218.11655 219.43334 211.32915 211.34749',
  '2024-01-01 10:03:00 211.34667 219.99003 211.13644 211.14596',
];

/** The real day on a simulated exchange, under one symbol for each test; ends what the tests start. */
export class RealDayRig {
  readonly services: ServiceUrls;
  readonly exchange: ExchangeProcess;
  readonly #sql: Readonly<Record<'owner' | 'reader', Sql>>;
  readonly #names: string[] = [];
  readonly #commands: CliProcess[] = [];
  readonly #apps: App[] = [];

  static async start(services: ServiceUrls, symbols: readonly string[]): Promise<RealDayRig> {
    const files = symbols.flatMap((symbol) => ['--trades', REAL_DAY_PATH, '--symbol', symbol]);
    const args = ['--no-weight-limit', '--neighbours', ...files];
    return new RealDayRig(services, await startExchangeProcess(args));
  }

  private constructor(services: ServiceUrls, exchange: ExchangeProcess) {
    this.services = services;
    this.exchange = exchange;
    this.#sql = {
      owner: createSql(services.questdbPgUrl, 1),
      reader: createSql(services.questdbReadonlyPgUrl, 1),
    };
  }

  /** The environment of a new installation, with its own Redis prefix and weight budget. */
  env(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    const name = unique('e2e-real-day-');
    this.#names.push(name);
    return cliEnv(this.services, this.exchange.url, name, { CDVAULT_LOG: 'error', ...more });
  }

  startCli(...[args, options]: Parameters<typeof startCli>): CliProcess {
    const command = startCli(args, options);
    this.#commands.push(command);
    return command;
  }

  /** An app, composed as a command in this environment would. */
  async app(env: Readonly<Record<string, string>>): Promise<App> {
    const home = path.join(import.meta.dirname, '../../.cdvault/test');
    const fixed = { home, archiveUrl: 'http://127.0.0.1:9', concurrency: '1', logLevel: 'error' };
    const app = compose(loadConfig(fixed, env), this.services);
    this.#apps.push(app);
    await app.prepare(AbortSignal.timeout(10_000));
    return app;
  }

  /** The requests for a symbol's trades. */
  async requestsOf(symbol: string): Promise<readonly LoggedRequest[]> {
    const requests = await this.exchange.tradeRequests();
    return requests.filter(({ query }) => query['symbol'] === symbol);
  }

  /** How many rows of a symbol the exchange has served, including repeated ones. */
  async rowsServed(symbol: string): Promise<number> {
    return (await this.requestsOf(symbol)).reduce((total, { rows }) => total + rows, 0);
  }

  async query(text: string, user: 'owner' | 'reader' = 'owner'): Promise<readonly TextRow[]> {
    return this.#sql[user].query(text);
  }

  /** The table of a symbol's trades. */
  async tradesOf(symbol: string): Promise<string> {
    return tradesTable(this.#sql.owner, symbol);
  }

  async endCommands(): Promise<void> {
    const commands = this.#commands.splice(0);
    for (const command of commands) command.kill('SIGKILL');
    await Promise.all(commands.map(async ({ done }) => done));
  }

  async dispose(): Promise<void> {
    await this.endCommands();
    await Promise.all(this.#apps.map(async (app) => app.close()));
    await Promise.all([this.#sql.owner.close(), this.#sql.reader.close()]);
    const redis = new Redis(this.services.redisUrl);
    for (const name of this.#names) {
      const keys = redis.scanStream({ match: `${name}:*`, count: 1_000 }) as AsyncIterable<
        string[]
      >;
      for await (const found of keys) if (found.length > 0) await redis.unlink(found);
    }
    redis.disconnect();
    await this.exchange.stop();
  }
}

/**
 * Polls a state instead of sleeping.
 * @param by the commands that bring the state about
 * @throws Error when one of them ends first, or after PATIENCE_MS
 */
export async function eventually(
  what: string,
  by: readonly CliProcess[],
  holds: () => Promise<boolean>,
): Promise<void> {
  let ended: CliResult | undefined;
  for (const { done } of by) void done.then((result) => (ended = result));
  const endMs = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (ended !== undefined)
      throw new Error(
        `${what}: a command ended before (exit code ${ended.exitCode}): ${ended.stderr}`,
      );
    if (performance.now() > endMs) throw new Error(`never happened: ${what}`);
    await sleep(POLL_MS);
  }
}

/** The trades of the day's file, and the reference bars of these. */
export interface Reference {
  readonly trades: readonly AggTrade[];
  readonly bars: ReadonlyMap<Interval, readonly Readonly<Record<string, unknown>>[]>;
}

export async function reference(): Promise<Reference> {
  const trades: AggTrade[] = [];
  for await (const trade of realDayTrades()) trades.push(trade);
  const minutes: Bar[] = [...cdvBars(trades, { intervalMs: MINUTE_MS, denseHours: HOURS })];
  const bars = INTERVALS.map((interval) => {
    const rolled = interval === '1m' ? minutes : [...rollUp(minutes, INTERVAL_MS[interval])];
    return [interval, rolled.map((bar) => exactRow(bar))] as const;
  });
  return { trades, bars: new Map(bars) };
}

/** A reference bar in the form of `exactRows`. */
function exactRow(bar: Bar): Readonly<Record<string, unknown>> {
  return { ...barText(bar), status: 'final', levelFromMs: DAY, levelMissing: 0 };
}

/** The tables of bars as the window functions of the database compute them from the stored trades. */
export async function windowTables(
  rig: RealDayRig,
  { sql, ledger }: Pick<App, 'sql' | 'ledger'>,
  symbol: string,
): Promise<Readonly<Record<string, OrderedExport>>> {
  const from = { market: 'binance_spot', symbol } as const;
  const into = { market: 'binance_spot', symbol: unique('REALWINDOWS') } as const;
  const inputs = dayInputs(DAY, await ledger.records(from, inputRange(DAY)));
  if (inputs === undefined) throw new Error('the day is not in the ledger');
  await buildByWindows(sql, { from, into }, inputs);
  const tables = RESULT_TABLES.filter((table) => /^(cdv|tiers)_exact_/.test(table));
  return exportSeries(rig.services, into.symbol, tables);
}

/** All columns of an exact table for the day: decimals as text, counts as numbers. */
export async function exactRows(
  rig: RealDayRig,
  interval: Interval,
  symbol: string,
): Promise<Readonly<Record<string, unknown>>[]> {
  const rows = await rig.query(
    `SELECT ts::long ts_us, level_from::long level_from_us, * FROM cdv_exact_${interval} ` +
      `WHERE symbol = ${literal(symbol)} AND status <> 'void' ORDER BY ts`,
  );
  return rows.map((row) => {
    const fields: Record<string, unknown> = {
      openMs: Number(row['ts_us']) / 1000,
      levelFromMs: Number(row['level_from_us']) / 1000,
    };
    for (const [column, value] of Object.entries(row)) {
      if (KEYS.has(column)) continue;
      const isCount = COUNTS.has(column) && value !== null;
      fields[camelCase(column)] = isCount ? Number(value) : (value ?? undefined);
    }
    return fields;
  });
}

const KEYS: ReadonlySet<string> = new Set([
  'ts_us',
  'level_from_us',
  'ts',
  'level_from',
  'market',
  'symbol',
]);
const COUNTS: ReadonlySet<string> = new Set([
  'agg_trades',
  'trades',
  'buy_agg_trades',
  'buy_trades',
  'first_id',
  'last_id',
  'level_missing',
]);

function camelCase(column: string): string {
  return column.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The stored trades, digit for digit, one line each; `fileLine` gives a trade of the file in the same form. */
export async function storedTrades(rig: RealDayRig, symbol: string) {
  const columns = ['agg_id', 'price', 'qty', 'first_id', 'last_id', 'ts::long', 'is_buyer_maker'];
  return orderedExport(rig.services, 'agg_trades', symbol, { columns });
}

export function fileLine(trade: AggTrade): string {
  const { aggId, price, qty, firstId, lastId, timeUs, isBuyerMaker } = trade;
  return `${aggId},"${price}","${qty}",${firstId},${lastId},${timeUs},${isBuyerMaker}`;
}

/** First and last id of an hour. */
export type HourIds = readonly [number, number];

/**
 * How many rows of each hour were fetched before a moment and again after it: the overlap of the last page
 * before it with the first page after it.
 * @param moment a number of requests
 */
export function refetched(
  requests: readonly LoggedRequest[],
  moment: number,
  hours: readonly HourIds[],
): number[] {
  const pages = requests
    .map(({ rows, firstId = 0, lastId = 0 }, index) => ({ index, rows, firstId, lastId }))
    // Requests with one row only find the start of an hour.
    .filter(({ rows }) => rows > 1);
  return hours.map(([first, last]) => {
    // The first page of an hour may begin with the row before it.
    const own = pages.filter(({ firstId }) => firstId >= first - 1 && firstId < last);
    const before = own.filter(({ index }) => index < moment);
    const after = own.filter(({ index }) => index >= moment);
    // A page without a following page only proves an hour that is already stored to its last row.
    const goesOn = new Set(after.map(({ firstId }) => firstId));
    const resumed = after.filter(
      ({ firstId, lastId }) => firstId > first || goesOn.has(lastId + 1),
    );
    const reachedId = Math.max(...before.map(({ lastId }) => Math.min(lastId, last)));
    const resumedId = Math.min(...resumed.map(({ firstId }) => firstId));
    return Math.max(0, reachedId - resumedId + 1);
  });
}
