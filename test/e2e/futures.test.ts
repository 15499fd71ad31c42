import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { canonicalLine } from '../../src/domain/trade/agg-trade.ts';
import { cdvBars, compareForBars } from '../support/reference-bars.ts';
import { worthText } from '../../src/domain/bars/contract.ts';
import {
  DAY_MS,
  daysOf,
  floorTo,
  HOUR_MS,
  hoursOf,
  type TimeRange,
} from '../../src/domain/time/hour.ts';
import { INTERVAL_MS, INTERVALS } from '../../src/domain/time/interval.ts';
import { verdictOf } from '../../src/domain/proof/ledger.ts';
import { tradesContracts, type Series } from '../../src/domain/market.ts';
import { withExcludedFills } from '../exchange/excluded-fills.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import type { TradeSeries } from '../exchange/trade-series.ts';
import { unique } from '../support/command-line.ts';
import { truth, withoutTrust } from './reference.ts';
import { cm, Rig, spot, um } from './rig.ts';
import { tradesView } from '../support/store.ts';

/** Futures REST has only the last two days, so these trades end now. */
const NOW = Date.now();
const END = floorTo(NOW, HOUR_MS) - HOUR_MS;
/** Spans one or two midnights at any time of day. */
const RANGE = { startMs: END - 30 * HOUR_MS, endMs: END };
const SPAN = { fromMs: END - 80 * HOUR_MS, toMs: NOW + DAY_MS, tradesPerHour: 400 };
const CONTRACTS = { qtyDecimals: 0, typicalLots: 20 };

const BY_REST = ['--source', 'rest'];

const SYMBOL = unique('FUT');
const COIN = `${unique('FUT')}_PERP`;
const GONE = `${unique('GONE')}_PERP`;
const NEW = unique('NEW');

const onSpot = syntheticTrades({ seed: 31, ...SPAN });
const onUm = withExcludedFills(syntheticTrades({ seed: 32, ...SPAN, firstId: 70_001 }));
const onCm = withExcludedFills(syntheticTrades({ seed: 33, ...SPAN, ...CONTRACTS }));
/** Trades of a symbol that was listed ten hours before the end, so that its ids begin within the range. */
const young = withExcludedFills(
  syntheticTrades({ seed: 34, ...SPAN, fromMs: END - 10 * HOUR_MS + 1_234_567 }),
);

let rig: Rig;
let app: App;

beforeAll(async () => {
  rig = await Rig.start({
    symbols: [
      { symbol: SYMBOL, trades: onSpot },
      { market: 'um', symbol: SYMBOL, trades: onUm },
      { market: 'um', symbol: NEW, trades: young },
      { market: 'cm', symbol: COIN, trades: onCm, contractSize: 10 },
      { market: 'cm', symbol: GONE, trades: onCm },
    ],
  });
  app = await rig.app();
});

beforeEach(() => rig.exchange.requests.clear());

afterAll(async () => rig.dispose());

function args({ startMs, endMs }: TimeRange): string[] {
  return ['--from', new Date(startMs).toISOString(), '--to', new Date(endMs).toISOString()];
}

function marketOf({ market }: Series): string {
  return market.slice('binance_'.length);
}

async function backfill(series: Series, range: TimeRange) {
  const market = ['--market', marketOf(series)];
  return rig.cli(['backfill', series.symbol, ...market, ...BY_REST, ...args(range), '--json']);
}

function lastLine(stdout: string): Record<string, unknown> {
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

async function expectExactBars(series: Series, trades: TradeSeries, size?: string): Promise<void> {
  for (const dayMs of daysOf(RANGE)) {
    const hours = [...hoursOf(RANGE)].filter((hourMs) => floorTo(hourMs, DAY_MS) === dayMs);
    const [first = 0] = hours;
    const stretch = { startMs: first, endMs: first + hours.length * HOUR_MS };
    const rows = truth(trades, stretch, series.market).toSorted(compareForBars);
    for (const interval of INTERVALS) {
      const request = { intervalMs: INTERVAL_MS[interval], denseHours: hours };
      const contract = tradesContracts(series.market) ? { size } : undefined;
      const wanted = [...cdvBars(rows, request)].map((bar) => worthText(bar, contract));
      const range = { startMs: dayMs, endMs: dayMs + DAY_MS };
      const stored = await app.bars.bars(series, interval, range);
      expect(stored.map(withoutTrust), `${series.symbol} ${interval}`).toEqual(wanted);
    }
  }
}

test.each([
  ['USD-M', um(SYMBOL), onUm, undefined],
  ['COIN-M', cm(COIN), onCm, '10.00000000'],
] as const)(
  '%s: the last two days by REST have every trade and every bar; a second run requests nothing',
  async (_, series, trades, size) => {
    const first = await backfill(series, RANGE);
    expect(first.exitCode, first.stderr).toBe(0);
    expect(lastLine(first.stdout)).toMatchObject({ proven: 30, gap: 0, open: 0, unknown: 0 });
    expect(rig.exchange.requests.entries.filter(({ status }) => status !== 200)).toEqual([]);
    const path = marketOf(series) === 'um' ? '/fapi/v1/aggTrades' : '/dapi/v1/aggTrades';
    const asked = rig.exchange.requests.tradeRequests();
    expect(new Set(asked.map((each) => `${each.path} ${each.weight}`))).toEqual(
      new Set([`${path} 20`]),
    );

    const rows: string[] = [];
    for await (const row of app.trades.read(series, {
      startUs: RANGE.startMs * 1000,
      endUs: RANGE.endMs * 1000,
    }))
      rows.push(canonicalLine(row));
    expect(rows).toEqual(truth(trades, RANGE, series.market).map(canonicalLine));
    await expectExactBars(series, trades, size);
    // Fills that the futures market leaves out are no gap.
    expect(await app.ledger.openGaps(series, RANGE)).toEqual([]);

    rig.exchange.requests.clear();
    const again = await backfill(series, RANGE);
    expect(again.exitCode).toBe(0);
    expect(rig.exchange.requests.tradeRequests()).toEqual([]);
  },
);

test('a range is verified without candles, and the output says so; repair finds nothing to do', async () => {
  const market = ['--market', 'um', ...args(RANGE)];
  const verified = await rig.cli(['verify', SYMBOL, ...market]);
  expect(verified.stdout).toContain('all ids, sums and bars verified');
  expect(verified.stdout).toContain('candles not compared: on futures they include fills');
  expect(verified.exitCode).toBe(0);
  expect(rig.exchange.requests.entries).toEqual([]);
  expect((await rig.cli(['repair', SYMBOL, ...market])).exitCode).toBe(0);
  expect(rig.exchange.requests.tradeRequests()).toEqual([]);
  const coin = await rig.cli(['verify', COIN, '--market', 'cm', ...args(RANGE)]);
  expect(coin.exitCode, coin.stdout + coin.stderr).toBe(0);
});

test('one symbol on two markets is two series, in every table and for every command', async () => {
  const few = { startMs: END - 3 * HOUR_MS, endMs: END };
  expect((await backfill(spot(SYMBOL), few)).exitCode).toBe(0);
  await expectExactBars(um(SYMBOL), onUm);
  const countOf = async ({ market }: Series) =>
    app.sql.query(
      `SELECT market, symbol, count() AS n FROM ${await tradesView(app.sql, SYMBOL, market)}`,
    );
  expect(await countOf(spot(SYMBOL))).toEqual([
    { market: 'binance_spot', symbol: SYMBOL, n: String(truth(onSpot, few).length) },
  ]);
  expect(await countOf(um(SYMBOL))).toEqual([
    { market: 'binance_um', symbol: SYMBOL, n: String(truth(onUm, RANGE, 'binance_um').length) },
  ]);
  const shown = async (market: string) =>
    (await rig.cli(['show', SYMBOL, '--market', market, ...args(few), '--json'])).stdout;
  expect(await shown('spot')).not.toBe(await shown('um'));
  const prints = ['spot', 'um'].map(async (market) =>
    rig.cli(['fingerprint', SYMBOL, '--market', market, ...args(few)]),
  );
  const roots = (await Promise.all(prints)).map(({ exitCode, stdout }) => ({ exitCode, stdout }));
  expect(roots.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(roots[0]?.stdout).not.toBe(roots[1]?.stdout);
  const status = (await rig.cli(['status'])).stdout;
  expect(status).toMatch(new RegExp(`${SYMBOL.slice(0, 12)}.\\s+um`));
  const { stdout } = await rig.cli(['status', '--json']);
  const { series } = JSON.parse(stdout) as { series: { symbol: string; bytes: number }[] };
  const sizes = series.filter(({ symbol }) => symbol === SYMBOL).map(({ bytes }) => bytes);
  expect(sizes).toHaveLength(2);
  expect(Math.min(...sizes)).toBeGreaterThan(1_000);
});

test('a range older than 48 hours is refused by REST before anything is fetched', async () => {
  const old = { startMs: END - 60 * HOUR_MS, endMs: END - 55 * HOUR_MS };
  for (const series of [um(SYMBOL), cm(COIN)]) {
    const { exitCode, stderr } = await rig.cli([
      'backfill',
      series.symbol,
      '--market',
      marketOf(series),
      ...BY_REST,
      ...args(old),
    ]);
    expect(stderr).toContain('error RETENTION: ');
    expect(stderr).toContain('futures REST serves only the last 48 hours');
    expect(stderr).toContain('archive files');
    expect(exitCode).toBe(3);
    expect(await app.ledger.records(series, old)).toEqual([]);
  }
  expect(rig.exchange.requests.tradeRequests()).toEqual([]);
  // A range whose due part is too old is refused as well.
  const whole = await backfill(um(SYMBOL), { ...old, endMs: END });
  expect(whole.exitCode).toBe(3);
});

test('repair reports the hours that only archive files have', async () => {
  const old = { startMs: END - 60 * HOUR_MS, endMs: END - 59 * HOUR_MS };
  const { exitCode, stderr } = await rig.cli(['repair', SYMBOL, '--market', 'um', ...args(old)]);
  expect(stderr).toContain('1 hour older than futures REST serves');
  expect(exitCode).toBe(3);
  expect(rig.exchange.requests.tradeRequests()).toEqual([]);
});

test('an hour that has left the REST history after planning fails for good with RETENTION', async () => {
  const old = { startMs: END - 57 * HOUR_MS, endMs: END - 56 * HOUR_MS };
  const result = await rig.backfill(app, [um(SYMBOL)], old);
  expect(result).toMatchObject({ exitCode: 4, unknown: 1 });
  expect(result.failures[0]?.reason).toContain('RETENTION');
  expect(rig.exchange.requests.tradeRequests()).toEqual([]);
});

test('a REST history that is shorter than documented, and skipped without an error, proves nothing', async () => {
  const symbol = unique('SHORT');
  const other = await Rig.start({
    symbols: [{ market: 'um', symbol, trades: onUm }],
    futures: { historyMs: 20 * HOUR_MS, beyondHistory: 'skip' },
  });
  try {
    const range = { startMs: floorTo(NOW, HOUR_MS) - 22 * HOUR_MS, endMs: END - 15 * HOUR_MS };
    const result = await other.backfill(await other.app(), [um(symbol)], range);
    expect(result).toMatchObject({ exitCode: 3, unknown: 0 });
    const records = await app.ledger.records(um(symbol), range);
    // The start of the history moves during the requests, so the two hours around it are not checked here.
    expect(records.slice(0, 2).map(verdictOf)).toEqual(['gap', 'gap']);
    expect(records.slice(4).map(verdictOf)).toEqual(['proven', 'proven']);
    for (const record of records.filter((each) => verdictOf(each) === 'proven')) {
      const hour = { startMs: record.hourMs, endMs: record.hourMs + HOUR_MS };
      expect(record.rows).toBe(truth(onUm, hour, 'binance_um').length);
    }
    const [first] = await app.ledger.openGaps(um(symbol), range);
    expect(first?.gapClass).toBe('retention');
  } finally {
    await other.dispose();
  }
});

test('the hour in which a symbol was listed is proven, since ids begin with 1', async () => {
  const range = { startMs: END - 12 * HOUR_MS, endMs: END - 8 * HOUR_MS };
  expect((await backfill(um(NEW), range)).exitCode).toBe(0);
  const records = await app.ledger.records(um(NEW), range);
  expect(records.map(verdictOf)).toEqual(['proven', 'proven', 'proven', 'proven']);
  expect(records.map(({ rows }) => rows > 0)).toEqual([false, false, true, true]);
  expect(records[2]?.first?.id).toBe(1);
  const listing = await app.sql.query(
    `SELECT ts::long / 1000 AS at_ms FROM coverage WHERE symbol = '${NEW}' AND edge = 'listing' ORDER BY ts`,
  );
  expect(listing.map((row) => Number(row['at_ms']))).toContain(records[2]?.hourMs);
});

test('the views of COIN-M name their unit: contracts exactly, the base asset converted', async () => {
  const dayMs = floorTo(RANGE.endMs - 1, DAY_MS);
  const where = `symbol = '${COIN}' AND ts >= '${new Date(dayMs).toISOString()}'`;
  const range = { startMs: dayMs, endMs: END };
  const rows = truth(onCm, range, 'binance_cm');
  const sum = (of: (row: (typeof rows)[number]) => number) =>
    rows.reduce((total, row) => total + of(row), 0);
  const contracts = sum(({ qty }) => Number(qty));
  const coins = sum(({ qty, price }) => (Number(qty) * 10) / Number(price));
  for (const view of ['cdv_1d', 'cdv_1d_total', 'bars_1d', 'cdv_1m', 'bars_5m']) {
    const base = view.startsWith('bars') ? 'base_volume' : 'base_buy_volume + base_sell_volume';
    const [row] = await app.sql.query(
      `SELECT min(unit) AS least, max(unit) AS most, sum(contracts) AS contracts, sum(buy_volume + sell_volume) AS volume, ` +
        `sum(${base}) AS coins FROM ${view} WHERE ${where}`,
    );
    expect([row?.['least'], row?.['most']], view).toEqual(['contracts', 'contracts']);
    expect(Number(row?.['contracts']), view).toBe(contracts);
    expect(Number(row?.['volume']), view).toBe(contracts);
    expect(Number(row?.['coins']), view).toBeCloseTo(coins, 6);
  }
  const [day] = await app.sql.query(`SELECT vwap, quote_delta FROM cdv_1d WHERE ${where}`);
  expect(Number(day?.['vwap'])).toBeCloseTo((contracts * 10) / coins, 3);
  const signed = sum(({ qty, isBuyerMaker }) => (isBuyerMaker ? -10 : 10) * Number(qty));
  expect(Number(day?.['quote_delta'])).toBe(signed);
  const [trades] = await app.sql.query(
    `SELECT sum(contracts) AS contracts, sum(qty) AS coins FROM ${await tradesView(app.sql, COIN)} WHERE ts >= '${new Date(dayMs).toISOString()}' AND ts < '${new Date(END).toISOString()}'`,
  );
  expect(Number(trades?.['contracts'])).toBe(contracts);
  expect(Number(trades?.['coins'])).toBeCloseTo(coins, 6);
  const [usdm] = await app.sql.query(
    `SELECT unit, contracts, base_buy_volume, buy_volume FROM cdv_1d WHERE symbol = '${SYMBOL}' AND market = 'binance_um' LIMIT 1`,
  );
  expect(usdm).toMatchObject({ unit: 'base', contracts: null });
  expect(usdm?.['base_buy_volume']).toBe(usdm?.['buy_volume']);
});

test('the contract size of a symbol that is no longer listed stays unknown', async () => {
  rig.exchange.unlist(GONE, 'cm');
  const few = { startMs: END - 3 * HOUR_MS, endMs: END };
  expect(await rig.backfill(app, [cm(GONE)], few)).toMatchObject({ exitCode: 0, proven: 3 });
  const found = await app.sql.query(
    `SELECT quote_delta, vwap, base_buy_volume, contracts IS NOT NULL AS counted FROM cdv_1h WHERE symbol = '${GONE}'`,
  );
  expect(found).toHaveLength(3);
  for (const row of found)
    expect(row).toEqual({ quote_delta: null, vwap: null, base_buy_volume: null, counted: 't' });
  const verified = await rig.cli(['verify', GONE, '--market', 'cm', ...args(few)]);
  expect(verified.exitCode, verified.stdout).toBe(0);
});
