import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createBarStore } from '../../src/adapters/questdb/bar-store.ts';
import { IlpConnection } from '../../src/adapters/questdb/ilp-connection.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { createDistilledCache } from '../../src/adapters/system/distilled-cache.ts';
import { buildDay } from '../support/one-day.ts';
import type { App } from '../../src/cli/compose.ts';
import { createHourDistiller } from '../../src/domain/bars/distiller.ts';
import type { Series } from '../../src/domain/market.ts';
import type { SliceRecord } from '../../src/domain/proof/ledger.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { INTERVALS } from '../../src/domain/time/interval.ts';
import { TIER_INTERVALS } from '../../src/domain/bars/tier.ts';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { Rig } from '../e2e/rig.ts';
import { NOTHING_KEPT } from '../support/built-day.ts';
import { NEVER, silentLog, uniqueSeries } from '../support/store.ts';
import { recordOfTrades, tradeOf } from '../support/trades.ts';

/** Which rows a build writes: from the first changed hour on, and void where an earlier build has left bars. */

const DAY = Date.UTC(2024, 1, 29);
const RANGE = { startMs: DAY, endMs: DAY + DAY_MS };
const PER_HOUR = 10;
/** So much that a trade is in the highest tier; others are in the second one. */
const LARGE = '200.00000000';

let rig: Rig;
let app: App;
let ilp: IlpConnection;
let series: Series;
beforeAll(async () => {
  rig = await Rig.start({});
  app = await rig.app(createDistilledCache());
  ilp = new IlpConnection(rig.services.questdbHttpUrl, systemClock, silentLog);
});
afterAll(async () => {
  await ilp.close();
  await rig.dispose();
});
beforeEach(() => {
  series = uniqueSeries('WRITTEN');
});

/** Ten trades an hour, every other minute from the hour's first one on. */
function tradesOf(hour: number, qty = '1.50000000'): AggTrade[] {
  return Array.from({ length: PER_HOUR }, (_, place) =>
    tradeOf(1_000 + hour * PER_HOUR + place, DAY + hour * HOUR_MS + place * 2 * MINUTE_MS, {
      qty,
      isBuyerMaker: place % 3 === 0,
    }),
  );
}

function recordOf(hour: number, trades: readonly AggTrade[]): SliceRecord {
  const hourMs = DAY + hour * HOUR_MS;
  const firstId = 1_000 + hour * PER_HOUR;
  const prev = { id: firstId - 1, timeUs: hourMs * 1000 - 1 };
  return recordOfTrades(series, hourMs, trades, { prev, nextId: firstId + PER_HOUR });
}

/** Stores an hour with some of its trades: with all of them, it is proven. */
async function store(hour: number, trades = tradesOf(hour)): Promise<void> {
  await app.catalogue.pinOrigin(series, DAY);
  const all = tradesOf(hour).filter(({ aggId }) => !trades.some((one) => one.aggId === aggId));
  if (all.length > 0) await app.trades.bury(series, all, NEVER);
  await app.trades.write(series, trades, NEVER);
  await app.ledger.write([{ record: recordOf(hour, trades), gaps: [] }], Date.now());
}

async function build(into: App = app) {
  return buildDay({ ...into, distilled: NOTHING_KEPT }, series, DAY, NEVER);
}

/** An app that sends a part of the lines, and notes all of them. */
function watched(keep: (line: string) => boolean = () => true) {
  const lines: string[] = [];
  const part: Pick<IlpConnection, 'stream'> = {
    async stream(pieces, rows, signal) {
      const sent: string[] = [];
      for await (const piece of pieces) sent.push(...piece.toString().trimEnd().split('\n'));
      lines.push(...sent);
      const kept = sent.filter(keep);
      await ilp.write(Buffer.from(`${kept.join('\n')}\n`), kept.length, signal);
      if (kept.length < sent.length) throw new Error(`killed after ${kept.length} of ${rows()}`);
    },
  };
  return { lines, app: { ...app, bars: createBarStore({ ...app, ilp: part }) } };
}

async function everything(of = series): Promise<unknown> {
  const found = [];
  for (const interval of INTERVALS) found.push(await app.bars.bars(of, interval, RANGE));
  for (const interval of TIER_INTERVALS) found.push(await app.bars.tierBars(of, interval, RANGE));
  return found;
}

async function tierMinutes() {
  return app.bars.tierBars(series, '1m', RANGE);
}

/** The bars of the same ledger in a series that was built once. */
async function builtOnce(hours: ReadonlyMap<number, readonly AggTrade[]>): Promise<unknown> {
  const kept = series;
  series = uniqueSeries('ONCE');
  try {
    for (const [hour, trades] of hours) await store(hour, [...trades]);
    expect(await build()).toBe('built');
    return await everything();
  } finally {
    series = kept;
  }
}

const opens = (lines: readonly string[], table: string) =>
  lines
    .filter((line) => line.startsWith(`${table},`))
    .map((line) => Number(/ (\d+)000t$/.exec(line)?.[1]));

test('an added hour is written with the longer bars that contain it, and nothing before', async () => {
  await store(0);
  await store(1);
  await build();
  await store(2);
  const { lines, app: into } = watched();
  expect(await build(into)).toBe('built');
  const at = DAY + 2 * HOUR_MS;
  expect(Math.min(...opens(lines, 'cdv_exact_1m'))).toBe(at);
  expect(opens(lines, 'cdv_exact_1m')).toHaveLength(60);
  // The hour's first minute in each of four tiers, and the minutes with trades in the second one.
  expect(opens(lines, 'tier_minutes')).toHaveLength(4 + PER_HOUR - 1);
  expect(opens(lines, 'cdv_exact_1h')).toEqual([at]);
  expect(opens(lines, 'cdv_exact_4h')).toEqual([DAY]);
  expect(opens(lines, 'cdv_exact_1d')).toEqual([DAY]);
  expect(lines.filter((line) => line.includes('status=void'))).toEqual([]);
  const hours = new Map([0, 1, 2].map((hour) => [hour, tradesOf(hour)]));
  expect(await everything()).toEqual(await builtOnce(hours));
});

test('a changed hour and all after it are written; its bars that no longer exist are void', async () => {
  for (const hour of [0, 1, 2]) await store(hour);
  await build();
  const fewer = tradesOf(1).filter((_, place) => place % 2 === 0);
  await store(1, fewer);
  const { lines, app: into } = watched();
  expect(await build(into)).toBe('built');
  expect(Math.min(...opens(lines, 'cdv_exact_1m'))).toBe(DAY + HOUR_MS);
  const voids = lines.filter((line) => line.includes('status=void'));
  // A gap has bars in minutes with trades only.
  expect(opens(voids, 'cdv_exact_1m')).toHaveLength(60 - fewer.length);
  expect(opens(voids, 'cdv_exact_1h')).toEqual([]);
  const hours = new Map([
    [0, tradesOf(0)],
    [1, fewer],
    [2, tradesOf(2)],
  ]);
  expect(await everything()).toEqual(await builtOnce(hours));
});

test('a minute in which a tier no longer trades has the level before it, in a proven hour too', async () => {
  for (const hour of [0, 1, 2]) await store(hour, tradesOf(hour, LARGE));
  await build();
  // Every other trade of the hour was small; the hour is proven before and after.
  const less = tradesOf(1, LARGE).map((trade, place) =>
    place % 2 === 0 ? trade : { ...trade, qty: '1.50000000' },
  );
  await store(1, less);
  const { lines, app: into } = watched();
  expect(await build(into)).toBe('built');
  const left = lines.filter((line) => /^tier_minutes,.*1000000 .*agg_trades=0i/.test(line));
  expect(left).toHaveLength(5);
  const hours = new Map([
    [0, tradesOf(0, LARGE)],
    [1, less],
    [2, tradesOf(2, LARGE)],
  ]);
  expect(await everything()).toEqual(await builtOnce(hours));
  expect(await tierMinutes()).toHaveLength(4 * 3 * 60);
});

test('minutes of tiers whose rows are not stored yet are unknown, not silent', async () => {
  await store(0);
  await store(1);
  await build();
  await store(2);
  const half = watched((line) => !line.startsWith('tier_minutes,'));
  await expect(build(half.app)).rejects.toThrow('killed');
  expect(await app.bars.bars(series, '1m', RANGE)).toHaveLength(3 * 60);
  expect(await tierMinutes()).toHaveLength(4 * 2 * 60);
});

test('a tier that the day no longer has is in no minute', async () => {
  await store(0, tradesOf(0, LARGE));
  await build();
  const fewer = { ...app, bars: createBarStore({ ...app, ilp }, [0, 500]) };
  expect(await build(fewer)).toBe('built');
  const rows = await tierMinutes();
  expect(new Set(rows.map(({ tier }) => tier))).toEqual(new Set([0, 500]));
  expect(rows).toHaveLength(2 * 60);
});

test('bars of a day half written: the next build writes the whole day, whatever has changed since', async () => {
  for (const hour of [0, 1]) await store(hour);
  await build();
  await store(2);
  await store(1, tradesOf(1, '7.00000000'));
  const half = watched((line) => /^(cdv_exact_(1m|5m|1d)|tiers_exact_1h),/.test(line));
  await expect(build(half.app)).rejects.toThrow('killed');
  expect(await app.bars.days(series, RANGE)).toMatchObject([{ isCurrent: false }]);
  // The changed hour is as it was before, and the added one has no proof and one trade.
  await store(1);
  const [only] = tradesOf(2);
  if (only === undefined) throw new Error('an hour without trades');
  await store(2, [only]);
  expect(await build()).toBe('built');
  const hours = new Map([
    [0, tradesOf(0)],
    [1, tradesOf(1)],
    [2, [only]],
  ]);
  expect(await everything()).toEqual(await builtOnce(hours));
  expect(await build()).toBe('fresh');
});

test('a first build that was killed leaves no bar that the next one does not have', async () => {
  for (const hour of [0, 1]) await store(hour);
  const half = watched((line) => /^(cdv_exact_3m|tier_minutes),/.test(line));
  await expect(build(half.app)).rejects.toThrow('killed');
  const [only] = tradesOf(0);
  if (only === undefined) throw new Error('an hour without trades');
  await store(0, [only]);
  expect(await build()).toBe('built');
  const hours = new Map([
    [0, [only]],
    [1, tradesOf(1)],
  ]);
  expect(await everything()).toEqual(await builtOnce(hours));
});

test('a kept hour that does not agree with the ledger is not used', async () => {
  await store(0);
  const { market, symbol } = series;
  const { contentHash } = recordOf(0, tradesOf(0));
  const key = { market, symbol, hourMs: DAY, contentHash, tiers: app.bars.tiers };
  const wrong = createHourDistiller({ hourMs: DAY, tiers: app.bars.tiers, contract: undefined });
  for (const trade of tradesOf(0, '1.50000001')) wrong.update(trade);
  const hour = wrong.finish();
  if (hour === undefined) throw new Error('an hour out of order');
  const distilled = createDistilledCache();
  distilled.keep({ ...key, contract: undefined }, hour);
  expect(await buildDay({ ...app, distilled }, series, DAY, NEVER)).toBe('built');
  expect(await everything()).toEqual(await builtOnce(new Map([[0, tradesOf(0)]])));
});
