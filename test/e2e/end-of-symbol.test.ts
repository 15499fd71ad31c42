import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import type { ExchangeSymbol } from '../exchange/exchange.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import type { TradeSeries } from '../exchange/trade-series.ts';
import { unique } from '../support/command-line.ts';
import { Rig, spot } from './rig.ts';

const DAY = Date.UTC(2024, 9, 7);
const SPAN = { fromMs: DAY - HOUR_MS, toMs: DAY + 8 * HOUR_MS };
/** The end of the trades, in hour 2. */
const ENDS_AT = DAY + 2 * HOUR_MS + 20 * MINUTE_MS;

const hours = (count: number) => ({ startMs: DAY, endMs: DAY + count * HOUR_MS });

/** A series that ends at ENDS_AT; once `isResumed` is set, it goes on after a pause. */
class Stopping implements TradeSeries {
  readonly #base: TradeSeries;
  isResumed = false;

  constructor(seed: number) {
    this.#base = syntheticTrades({ seed, ...SPAN, tradesPerHour: 200, firstId: 1_000 });
  }

  get #pauseFrom(): number {
    return this.#base.indexAtTime(ENDS_AT * 1000);
  }
  get count(): number {
    return this.isResumed ? this.#base.count : this.#pauseFrom;
  }
  get firstId(): number {
    return this.#base.firstId;
  }
  get endUs(): number {
    return this.#base.endUs + 2 * HOUR_MS * 1000;
  }
  at(index: number) {
    const trade = this.#base.at(index);
    if (index < this.#pauseFrom) return trade;
    return { ...trade, timeUs: trade.timeUs + 3 * HOUR_MS * 1000 };
  }
  indexOfId(id: number): number {
    return Math.min(this.count, this.#base.indexOfId(id));
  }
  indexAtTime(timeUs: number): number {
    let index = Math.min(this.count, this.#base.indexAtTime(timeUs - 3 * HOUR_MS * 1000));
    while (index < this.count && this.at(index).timeUs < timeUs) index += 1;
    return index;
  }
}

const symbols: ExchangeSymbol[] = [];

function listed(name: string, trades: TradeSeries): string {
  const symbol = unique(name);
  symbols.push({ symbol, trades });
  return symbol;
}

const pausing = new Stopping(81);
const BROKEN = listed('EOBRK', pausing);
const UNLISTED = listed('EOUNL', new Stopping(82));
const PURGED = listed('EOPRG', new Stopping(83));

let rig: Rig;
let app: App;

beforeAll(async () => {
  rig = await Rig.start({ symbols });
  app = await rig.app();
});

beforeEach(() => rig.exchange.requests.clear());

afterAll(async () => rig.dispose());

async function coverageOf(symbol: string) {
  const rows = await app.sql.query(
    `SELECT verdict, edge, rows FROM coverage WHERE symbol = '${symbol}' ORDER BY ts`,
  );
  return rows.map(({ verdict, edge, rows: count }) => [verdict, edge, Number(count) > 0]);
}

function infoRequests(symbol: string): number {
  return rig.exchange.requests.entries.filter(
    ({ path, query }) => path === '/api/v3/exchangeInfo' && query['symbol'] === symbol,
  ).length;
}

test('the last hour of a symbol that no longer trades, and those after it, are proven; they are requested again when it trades again', async () => {
  rig.exchange.setStatus(BROKEN, 'BREAK');
  const ended = await rig.backfill(app, [spot(BROKEN)], hours(5));
  expect(ended).toMatchObject({ exitCode: 0, proven: 5, open: 0, gap: 0 });
  expect(infoRequests(BROKEN)).toBe(1);
  expect(await coverageOf(BROKEN)).toEqual([
    ['proven', null, true],
    ['proven', null, true],
    ['proven', 'end_of_symbol', true],
    ['proven', 'end_of_symbol', false],
    ['proven', 'end_of_symbol', false],
  ]);
  const bars = await app.bars.bars(spot(BROKEN), '1m', hours(5));
  expect(bars).toHaveLength(5 * 60);
  expect(new Set(bars.map(({ status }) => status))).toEqual(new Set(['final']));

  rig.exchange.requests.clear();
  expect(await rig.backfill(app, [spot(BROKEN)], hours(5))).toMatchObject({ exitCode: 0 });
  expect(rig.exchange.requests.tradeRequests()).toEqual([]);

  pausing.isResumed = true;
  rig.exchange.setStatus(BROKEN, 'TRADING');
  const resumed = await rig.backfill(app, [spot(BROKEN)], hours(7));
  // Hours that the symbol's end had proven are open again; the next run requests them.
  expect(resumed).toMatchObject({ exitCode: 3, proven: 4, open: 3 });
  expect(await rig.backfill(app, [spot(BROKEN)], hours(7))).toMatchObject({
    exitCode: 0,
    proven: 7,
  });
  expect(await coverageOf(BROKEN)).toEqual(
    [true, true, true, false, false, true, true].map((isTraded) => ['proven', null, isTraded]),
  );
});

test('hours of a symbol that the exchange no longer lists are proven by its trades', async () => {
  rig.exchange.unlist(UNLISTED);
  const range = ['--from', '2024-10-07T00Z', '--to', '2024-10-07T05Z'];
  const { exitCode, stderr } = await rig.cli(['backfill', UNLISTED, ...range]);
  expect(stderr).not.toContain('error');
  expect(exitCode).toBe(0);
  expect((await coverageOf(UNLISTED)).map(([verdict, edge]) => [verdict, edge])).toEqual([
    ['proven', null],
    ['proven', null],
    ['proven', 'end_of_symbol'],
    ['proven', 'end_of_symbol'],
    ['proven', 'end_of_symbol'],
  ]);
});

test('when the exchange has removed a symbol’s trades, hours checked after its end are proven, and others stay open', async () => {
  expect(await rig.backfill(app, [spot(PURGED)], hours(3))).toMatchObject({ exitCode: 3, open: 1 });
  const last = await app.ledger.record(spot(PURGED), DAY + 2 * HOUR_MS);
  if (last === undefined) throw new Error('the last hour is not on record');
  // As if it had been fetched at that time: no trade had followed until then.
  await app.ledger.write(
    [{ record: { ...last, fetchedAtMs: DAY + 4 * HOUR_MS + MINUTE_MS }, gaps: [] }],
    DAY,
  );
  rig.exchange.delist(PURGED);
  const range = ['--from', '2024-10-07T00Z', '--to', '2024-10-07T05Z'];
  const { exitCode, stderr } = await rig.cli(['backfill', PURGED, ...range]);
  expect(stderr).not.toContain('error');
  expect(exitCode).toBe(3);
  expect(await coverageOf(PURGED)).toEqual([
    ['proven', null, true],
    ['proven', null, true],
    ['proven', 'end_of_symbol', true],
    ['proven', 'end_of_symbol', false],
    ['open', null, false],
  ]);
  // Nothing was fetched now, so the time of the fetch is unchanged.
  expect(await app.ledger.record(spot(PURGED), last.hourMs)).toMatchObject({
    fetchedAtMs: DAY + 4 * HOUR_MS + MINUTE_MS,
    endedAtMs: DAY + 4 * HOUR_MS + MINUTE_MS,
  });
});
