import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS } from '../../src/domain/time/hour.ts';
import type { ExchangeSymbol } from '../exchange/exchange.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import type { TradeSeries } from '../exchange/trade-series.ts';
import { unique } from '../support/command-line.ts';
import { expectAnchors, expectExact, hoursOfDay, truth } from './reference.ts';
import { eventually, Rig, spot } from './rig.ts';

// The exchange changes from milliseconds to microseconds at the midnight between the two days.
const START = Date.UTC(2024, 11, 31);
const RANGE = { startMs: START, endMs: START + 2 * DAY_MS };
const SPAN = { fromMs: START - DAY_MS, toMs: RANGE.endMs + DAY_MS };

const SERIES: Readonly<Record<string, TradeSeries>> = {
  [unique('BUSY')]: syntheticTrades({ seed: 11, ...SPAN, tradesPerHour: 500 }),
  // About one trade in two hours: minutes and hours without trades.
  [unique('QUIET')]: syntheticTrades({ seed: 12, ...SPAN, tradesPerHour: 0.6, firstId: 7_000 }),
  // A day's volume is many times 2^53 units of 1e-8.
  [unique('CHEAP')]: syntheticTrades({ seed: 13, ...SPAN, tradesPerHour: 40, cheapCoin: true }),
};
const SYMBOLS = Object.keys(SERIES);

let rig: Rig;
let app: App;

beforeAll(async () => {
  const symbols = SYMBOLS.map((symbol): ExchangeSymbol => ({ symbol, trades: tradesOf(symbol) }));
  rig = await Rig.start({ symbols, concurrency: 4 });
  app = await rig.app();
});

afterAll(async () => rig.dispose());

function tradesOf(symbol: string): TradeSeries {
  const trades = SERIES[symbol];
  if (trades === undefined) throw new Error(`no series ${symbol}`);
  return trades;
}

test('the series have the properties that the test needs', () => {
  const [busy = '', quiet = '', cheap = ''] = SYMBOLS;
  const hours = [...Array(2).keys()].flatMap((day) => hoursOfDay(START + day * DAY_MS));
  const rowsIn = (symbol: string, startMs: number, lengthMs: number) =>
    truth(tradesOf(symbol), { startMs, endMs: startMs + lengthMs });
  expect(hours.filter((hourMs) => rowsIn(quiet, hourMs, 3_600_000).length === 0)).not.toEqual([]);
  expect(rowsIn(busy, START, 3_600_000).length).toBeGreaterThan(200);
  const volume = rowsIn(cheap, START, DAY_MS).reduce((sum, { qty }) => sum + Number(qty), 0);
  expect(volume * 1e8).toBeGreaterThan(2 ** 53);
});

test('bars and anchors of three symbols at once by two worker processes equal the reference', async () => {
  const series = SYMBOLS.map(spot);
  const ready: string[] = [];
  const workers = [1, 2].map(() =>
    rig.startCli(['worker', '--concurrency', '4'], (line) => ready.push(line)),
  );
  await eventually('both workers are ready', () => ready.join().split('worker: ready').length > 2);
  const runId = await rig.enqueue(app, series, RANGE);
  await rig.untilOver(app, [runId], series);
  for (const worker of workers) worker.kill('SIGTERM');
  for (const worker of workers) {
    const { exitCode, stderr } = await worker.done;
    expect(exitCode, stderr.slice(-2_000)).toBe(0);
  }

  for (const symbol of SYMBOLS) {
    await expectExact(app, symbol, tradesOf(symbol), RANGE);
    await expectAnchors(app, symbol, tradesOf(symbol), { range: RANGE, originMs: START });
    expect(await app.ledger.totals(spot(symbol), RANGE)).toEqual({
      proven: 48,
      open: 0,
      gap: 0,
      rows: truth(tradesOf(symbol), RANGE).length,
    });
  }
});
