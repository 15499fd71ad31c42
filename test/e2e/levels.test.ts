import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { formatDecimal, parseDecimal, QTY_SCALE } from '../../src/domain/trade/decimal.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { INTERVALS } from '../../src/domain/time/interval.ts';
import { int, type TextRow } from '../../src/adapters/questdb/sql.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { deltaE8Of, expectExact, referenceDay, truth, withoutTrust } from './reference.ts';
import { Rig, spot } from './rig.ts';

const DAYS = [0, 1, 2, 3].map((day) => Date.UTC(2024, 4, 6) + day * DAY_MS) as [
  number,
  number,
  number,
  number,
];
const [DAY_0, DAY_1, DAY_2, DAY_3] = DAYS;
const SPAN = { fromMs: DAY_0 - DAY_MS, toMs: DAY_3 + 2 * DAY_MS };
const trades = syntheticTrades({ seed: 21, ...SPAN, tradesPerHour: 150 });

const EARLIER = unique('LEVA');
const MIDDAY = unique('LEVB');
const HOLE = unique('LEVC');
const FRONT = unique('LEVD');

let rig: Rig;
let app: App;

beforeAll(async () => {
  rig = await Rig.start({
    symbols: [EARLIER, MIDDAY, HOLE, FRONT].map((symbol) => ({ symbol, trades })),
  });
  app = await rig.app();
});

afterAll(async () => rig.dispose());

/** Backfills the hours [from, to) of a day. */
async function fill(symbol: string, dayMs: number, from: number, to: number): Promise<void> {
  const range = { startMs: dayMs + from * HOUR_MS, endMs: dayMs + to * HOUR_MS };
  expect(await rig.backfill(app, [spot(symbol)], range)).toMatchObject({ exitCode: 0, unknown: 0 });
}

async function rows(
  symbol: string,
  table: string,
  startMs: number,
  endMs: number,
): Promise<readonly TextRow[]> {
  return app.sql.query(
    `SELECT * FROM ${table} WHERE symbol = '${symbol}' AND ts >= '${iso(startMs)}' AND ts < '${iso(endMs)}' AND status <> 'void' ORDER BY ts`,
  );
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

async function restatements(symbol: string): Promise<readonly TextRow[]> {
  return app.sql.query(
    `SELECT ts::long AS at_us, what, old_level, new_level, reason FROM restatements WHERE symbol = '${symbol}' ORDER BY seen_at`,
  );
}

function idsIn(startMs: number, endMs: number): number {
  return truth(trades, { startMs, endMs }).length;
}

/** The DOUBLE that a view gives for an exact value. */
function double(valueE8: bigint): number {
  return Number(formatDecimal(valueE8, QTY_SCALE));
}

async function levelsOf(symbol: string): Promise<Record<string, readonly TextRow[]>> {
  const found: Record<string, readonly TextRow[]> = {};
  for (const interval of INTERVALS) {
    for (const table of [`cdv_exact_${interval}`, `cdv_${interval}`, `cdv_${interval}_total`])
      found[table] = await rows(symbol, table, DAY_2, DAY_3 + DAY_MS);
  }
  return found;
}

test('earlier days that are added after later ones move no stored level, also in _total', async () => {
  await fill(EARLIER, DAY_2, 0, 3);
  await fill(EARLIER, DAY_3, 0, 2);
  const before = await levelsOf(EARLIER);
  expect(before['cdv_exact_1m']).toHaveLength(300);
  expect(before['cdv_1h_total']?.map((row) => Number(row['level_missing']))).toEqual([
    0,
    0,
    0,
    // Day 2 is not stored from 03:00 on, and level_missing counts its ids.
    ...Array<number>(2).fill(idsIn(DAY_2 + 3 * HOUR_MS, DAY_3)),
  ]);

  await fill(EARLIER, DAY_1, 22, 24);
  await fill(EARLIER, DAY_0, 23, 24);

  expect(await levelsOf(EARLIER)).toEqual(before);
  expect(await restatements(EARLIER)).toEqual([]);
});

test('before the origin the continuous level is the negated sum of the trades from there to the origin', async () => {
  const stored = [
    ...truth(trades, { startMs: DAY_1 - HOUR_MS, endMs: DAY_1 }),
    ...truth(trades, { startMs: DAY_2 - 2 * HOUR_MS, endMs: DAY_2 }),
  ];
  const bars = await rows(EARLIER, 'cdv_1m_total', DAY_0, DAY_2);
  expect(bars).toHaveLength(180);
  for (const bar of bars) {
    const endUs = Date.parse(`${bar['ts']?.replace(' ', 'T')}Z`) * 1000 + MINUTE_MS * 1000;
    const toCome = stored.filter(({ timeUs }) => timeUs >= endUs);
    expect(Number(bar['close']), bar['ts'] ?? '').toBe(double(-deltaE8Of(toCome)));
    const isDay0 = endUs <= DAY_1 * 1000;
    const missing = isDay0 ? idsIn(DAY_1, DAY_2 - 2 * HOUR_MS) : 0;
    expect(int(bar, 'level_missing')).toBe(missing);
  }
});

test('hours within a day count from their own start; filling the day from midnight on restates them', async () => {
  const firstMs = DAY_1 + 22 * HOUR_MS;
  await fill(MIDDAY, DAY_1, 22, 24);
  await fill(MIDDAY, DAY_2, 0, 1);
  const evening = { startMs: firstMs, endMs: DAY_2 };
  const before = await app.bars.bars(spot(MIDDAY), '1m', evening);
  expect(before.map(withoutTrust)).toEqual(
    referenceDay(trades, DAY_1, '1m', { hours: [firstMs, firstMs + HOUR_MS] }),
  );
  expect(new Set(before.map(({ levelFromMs }) => levelFromMs))).toEqual(new Set([firstMs]));
  expect(new Set(before.map(({ levelMissing }) => levelMissing))).toEqual(new Set([0]));
  const [hourBefore] = await app.bars.bars(spot(MIDDAY), '1h', evening);
  const baseBefore = deltaE8Of(truth(trades, evening));
  // Nobody can count the trades between the origin, which is midnight, and the first stored hour.
  expect(await anchorOf(MIDDAY, DAY_2)).toEqual({ baseE8: baseBefore, missing: undefined });

  await fill(MIDDAY, DAY_1, 0, 22);

  await expectExact(app, MIDDAY, trades, { startMs: DAY_1, endMs: DAY_2 });
  const shift = deltaE8Of(truth(trades, { startMs: DAY_1, endMs: firstMs }));
  expect(shift).not.toBe(0n);
  const [hourAfter] = await app.bars.bars(spot(MIDDAY), '1h', evening);
  expect(parseDecimal(hourAfter?.close ?? '', QTY_SCALE)).toBe(
    parseDecimal(hourBefore?.close ?? '', QTY_SCALE) + shift,
  );
  expect(await anchorOf(MIDDAY, DAY_2)).toEqual({ baseE8: baseBefore + shift, missing: 0 });
  expect(await restatements(MIDDAY)).toEqual([
    {
      at_us: String(firstMs * 1000),
      what: 'bars',
      old_level: hourBefore?.close,
      new_level: hourAfter?.close,
      reason: expect.stringContaining('the level counts from 2024-05-07T00Z'),
    },
  ]);
});

async function anchorOf(symbol: string, dayMs: number): Promise<unknown> {
  const { bases: anchors } = await app.bars.midnightBases(spot(symbol));
  const found = anchors.find((anchor) => anchor.dayMs === dayMs);
  return found === undefined ? undefined : { baseE8: found.baseE8, missing: found.missing };
}

test('filling the start of a later day keeps the level of its midnight, which is exact from then on', async () => {
  await fill(FRONT, DAY_1, 0, 24);
  await fill(FRONT, DAY_2, 2, 3);
  const baseE8 = deltaE8Of(truth(trades, { startMs: DAY_1, endMs: DAY_2 }));
  const missing = idsIn(DAY_2, DAY_2 + 2 * HOUR_MS);
  expect(missing).toBeGreaterThan(0);
  expect(await anchorOf(FRONT, DAY_2)).toEqual({ baseE8, missing });

  await fill(FRONT, DAY_2, 0, 2);

  expect(await anchorOf(FRONT, DAY_2)).toEqual({ baseE8, missing: 0 });
  const bars = await rows(FRONT, 'cdv_1h_total', DAY_2, DAY_3);
  expect(bars.map((bar) => int(bar, 'level_missing'))).toEqual([0, 0, 0]);
  // No level that was exact has moved.
  expect((await restatements(FRONT)).filter(({ what }) => what === 'anchor')).toEqual([]);
});

test('a missing hour counts in level_missing of the bars after it, by the exact number of ids, until it is filled', async () => {
  await fill(HOLE, DAY_1, 0, 22);
  await fill(HOLE, DAY_1, 23, 24);
  await fill(HOLE, DAY_2, 0, 1);
  const inHole = idsIn(DAY_1 + 22 * HOUR_MS, DAY_1 + 23 * HOUR_MS);
  expect(inHole).toBeGreaterThan(20);
  const before = Object.fromEntries(Array.from({ length: 22 }, (_, hour) => [hour, 0]));
  expect(await missingByHour('cdv_1h')).toEqual({ ...before, 23: inHole, 24: 0 });
  expect(await missingByHour('cdv_1m')).toEqual({ ...before, 23: inHole, 24: 0 });
  expect(await missingByHour('cdv_1h_total')).toEqual({ ...before, 23: inHole, 24: inHole });
  const statuses = await app.sql.query(
    `SELECT ts::long AS at_us, status FROM cdv_4h WHERE symbol = '${HOLE}' ORDER BY ts`,
  );
  // The last two are partial, since not all of their own hours are proven: one spans the hole, the other
  // one the unfetched hours of the next day.
  expect(statuses.map(({ status }) => status)).toEqual([
    ...Array.from({ length: 5 }, () => 'final'),
    'partial',
    'partial',
  ]);

  await fill(HOLE, DAY_1, 22, 23);

  const clean = { ...before, 22: 0, 23: 0, 24: 0 };
  expect(await missingByHour('cdv_1m')).toEqual(clean);
  expect(await missingByHour('cdv_1h_total')).toEqual(clean);
  for (const interval of INTERVALS) {
    const day = { startMs: DAY_1, endMs: DAY_2 };
    const bars = await app.bars.bars(spot(HOLE), interval, day);
    expect(bars.map(withoutTrust)).toEqual(referenceDay(trades, DAY_1, interval));
  }
});

/** level_missing by hour since the start of day 1. Fails when the bars of an hour differ. */
async function missingByHour(view: string): Promise<Record<number, number>> {
  const found: Record<number, number> = {};
  const bars = await app.sql.query(
    `SELECT ts::long AS at_us, level_missing FROM ${view} WHERE symbol = '${HOLE}' ORDER BY ts`,
  );
  for (const bar of bars) {
    const hour = Math.floor((int(bar, 'at_us') / 1000 - DAY_1) / HOUR_MS);
    const missing = int(bar, 'level_missing');
    expect(found[hour] ?? missing, `hour ${hour}`).toBe(missing);
    found[hour] = missing;
  }
  return found;
}
