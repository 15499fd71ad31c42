import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { type Bar, barText, rollUp } from '../../src/domain/bars/bar.ts';
import { type Contract, worthText } from '../../src/domain/bars/contract.ts';
import { cdvBars, compareForBars } from '../support/reference-bars.ts';
import { barStatus, type DayInputs, dayInputs } from '../../src/domain/bars/day.ts';
import { formatDecimal, parseDecimal } from '../../src/domain/trade/decimal.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { INTERVAL_MS, INTERVALS } from '../../src/domain/time/interval.ts';
import type { SliceRecord } from '../../src/domain/proof/ledger.ts';
import type { Series } from '../../src/domain/market.ts';
import { TIER_INTERVALS } from '../../src/domain/bars/tier.ts';
import { TierPass } from '../support/reference-tiers.ts';
import type { ExactTierBar } from '../../src/ports/bar-store.ts';
import type { DistilledHours } from '../../src/ports/distilled-hours.ts';
import { buildDay, keptHours, NOTHING_KEPT } from '../support/built-day.ts';
import { NEVER, openStore, uniqueSeries } from '../support/store.ts';
import { recordOfTrades } from '../support/trades.ts';
import { buildByWindows } from '../support/window-bars/window-bars.ts';

/** Compares the stored bars with the bigint pass and with the window functions of the database, on made-up days. */

const DAY = Date.UTC(2024, 1, 29);
const FIRST_ID = 1_000_000;

let store: ReturnType<typeof openStore>;
beforeAll(() => {
  store = openStore();
});
afterAll(() => store.close());

type HourKind = 'proven' | 'holes' | 'absent';

interface MadeHour {
  readonly kind: HourKind;
  readonly trades: readonly {
    readonly offsetUs: number;
    readonly qtyE8: bigint;
    readonly sell: boolean;
    readonly priceE8: bigint;
  }[];
}

/** Range of the bit lengths of one day's quantities, in units of 1e-8. */
interface Magnitude {
  readonly leastBits: number;
  readonly mostBits: number;
}

/**
 * One magnitude per day, since a day's volume decides how its running sum is kept: below 2^53 units a
 * DOUBLE holds it, from 2^53 to 2^63 a LONG still would, beyond 2^63 neither. A day has about 140 trades.
 */
const MAGNITUDES: readonly Magnitude[] = [
  // below 2^53
  { leastBits: 4, mostBits: 44 },
  // between 2^53 and 2^63
  { leastBits: 49, mostBits: 54 },
  // beyond 2^63
  { leastBits: 58, mostBits: 63 },
];

/** Few distinct instants, so that many trades share one; quantities from dust to the day's largest. */
function madeTrade(bits: number): fc.Arbitrary<MadeHour['trades'][number]> {
  const most = 2n ** BigInt(bits);
  return fc.record({
    offsetUs: fc.oneof(
      fc.integer({ min: 0, max: HOUR_MS * 1000 - 1 }),
      fc.constantFrom(0, 59_999_999, 60_000_000, 1_800_000_000, HOUR_MS * 1000 - 1),
    ),
    qtyE8: fc.oneof(fc.bigInt(1n, most), fc.bigInt(most / 2n, most)),
    sell: fc.boolean(),
    priceE8: fc.oneof(fc.bigInt(1n, 10n ** 4n), fc.bigInt(10n ** 10n, 10n ** 13n)),
  });
}

function madeDay({ leastBits, mostBits }: Magnitude): fc.Arbitrary<MadeHour[]> {
  const hour = (bits: number) =>
    fc.record({
      kind: fc.constantFrom<HourKind>('proven', 'proven', 'proven', 'holes', 'absent'),
      trades: fc.array(madeTrade(bits), { maxLength: 12 }),
    });
  return fc
    .integer({ min: leastBits, max: mostBits })
    .chain((bits) => fc.array(hour(bits), { minLength: 24, maxLength: 24 }));
}

interface StoredDay {
  readonly trades: AggTrade[];
  readonly records: SliceRecord[];
}

/** Ids run over the whole day. An hour with holes is missing every third row; an absent hour is not stored. */
function makeDay(hours: readonly MadeHour[], series: Series): StoredDay {
  const day: StoredDay = { trades: [], records: [] };
  let nextId = FIRST_ID;
  for (const [index, hour] of hours.entries()) {
    const hourMs = DAY + index * HOUR_MS;
    const made = hour.trades
      .toSorted((left, right) => left.offsetUs - right.offsetUs)
      .map(({ offsetUs, qtyE8, sell, priceE8 }, place): AggTrade => {
        const aggId = nextId + place;
        return {
          aggId,
          price: formatDecimal(priceE8, 8),
          qty: formatDecimal(qtyE8, 8),
          firstId: aggId * 2,
          lastId: aggId * 2 + (place % 3),
          timeUs: hourMs * 1000 + offsetUs,
          isBuyerMaker: sell,
        };
      });
    const prev = { id: nextId - 1, timeUs: hourMs * 1000 - 1 };
    nextId += made.length;
    if (hour.kind === 'absent') continue;
    const kept = hour.kind === 'holes' ? made.filter((_, place) => place % 3 !== 1) : made;
    day.trades.push(...kept);
    day.records.push(recordOfTrades(series, hourMs, kept, { prev, nextId }));
  }
  return day;
}

let builds = 0;

/** Every other build finds no distilled hour, and distils the stored rows again. */
function keptOrNot(
  series: Series,
  trades: readonly AggTrade[],
  records: readonly SliceRecord[],
  contract?: Contract,
): DistilledHours {
  builds += 1;
  if (builds % 2 === 0) return NOTHING_KEPT;
  const made = { dayMs: DAY, records, ...(contract === undefined ? {} : { contract }) };
  return keptHours(series, trades, made);
}

/** The same rows as by the window functions of the database. */
async function expectWindows(series: Series, day: DayInputs, contract?: Contract): Promise<void> {
  const into: Series = { ...series, symbol: `${series.symbol}W` };
  await buildByWindows(store.sql, { from: series, into }, day, contract);
  const range = { startMs: DAY, endMs: DAY + DAY_MS };
  for (const interval of INTERVALS)
    expect(await store.bars.bars(series, interval, range), interval).toEqual(
      await store.bars.bars(into, interval, range),
    );
  for (const interval of TIER_INTERVALS)
    expect(await store.bars.tierBars(series, interval, range), interval).toEqual(
      await store.bars.tierBars(into, interval, range),
    );
}

async function expectReference(hours: readonly MadeHour[], reversed: boolean): Promise<void> {
  const series = uniqueSeries('DIFF');
  const { trades, records } = makeDay(hours, series);
  const day = dayInputs(DAY, records);
  if (day === undefined) return;
  // Two commits, later ids first: rows of one instant are then stored out of id order.
  const half = Math.floor(trades.length / 2);
  const batches = reversed ? [trades.slice(half), trades.slice(0, half)] : [trades];
  for (const batch of batches) if (batch.length > 0) await store.trades.write(series, batch, NEVER);
  await buildDay(store, series, { dayMs: DAY, records }, keptOrNot(series, trades, records));
  await expectWindows(series, day);

  const denseHours = day.hours
    .filter(({ verdict }) => verdict === 'proven')
    .map(({ hourMs }) => hourMs);
  for (const interval of INTERVALS) {
    const intervalMs = INTERVAL_MS[interval];
    const wanted = [
      ...cdvBars(trades.toSorted(compareForBars), { intervalMs, denseHours, fromMs: DAY }),
    ];
    const stored = await store.bars.bars(series, interval, {
      startMs: DAY,
      endMs: DAY + DAY_MS,
    });
    expect(stored.map(withoutLevelFacts)).toEqual(wanted.map(barText));
    for (const [index, bar] of stored.entries()) {
      const hour = day.hours.findLast(({ hourMs }) => hourMs < bar.openMs + intervalMs);
      expect(bar.status).toBe(barStatus(day, bar.openMs, intervalMs));
      expect(bar.levelFromMs).toBe(day.levelFromMs);
      expect(bar.levelMissing, `${interval} ${index}`).toBe(hour?.levelMissing);
    }
  }
  await expectTiers(series, day, trades);
}

/** Limits shrinking, so that a failure reports its counterexample before the test times out. */
const SHRINK_MS = 90_000;

test(
  'the bars of any day equal the reference digit for digit, at every interval',
  async () => {
    for (const magnitude of MAGNITUDES) {
      const day = fc.asyncProperty(madeDay(magnitude), fc.boolean(), expectReference);
      await fc.assert(day, {
        numRuns: process.env['CDVAULT_FULL'] === '1' ? 40 : 4,
        interruptAfterTimeLimit: SHRINK_MS,
        markInterruptAsFailure: true,
      });
    }
  },
  (MAGNITUDES.length + 1) * SHRINK_MS,
);

test('made-up days lie on both sides of what a DOUBLE and a LONG hold', () => {
  const volumes = MAGNITUDES.map((magnitude) =>
    fc
      .sample(madeDay(magnitude), { numRuns: 20, seed: 1 })
      .map((hours) => dayInputs(DAY, makeDay(hours, uniqueSeries('SIZE')).records)?.volumeE8 ?? 0n),
  );
  const [small = [], middle = [], great = []] = volumes;
  expect(small.filter((volume) => volume < 2n ** 53n).length).toBeGreaterThan(15);
  expect(
    middle.filter((volume) => volume >= 2n ** 53n && volume < 2n ** 63n).length,
  ).toBeGreaterThan(15);
  expect(great.filter((volume) => volume >= 2n ** 63n).length).toBeGreaterThan(15);
});

test.each([['100'], [undefined]])(
  'bars of contracts of size %s are exact in contracts and in quote value, or the value is unknown',
  async (size) => {
    const [hours = []] = MAGNITUDES.slice(-1).flatMap((magnitude) =>
      fc.sample(madeDay(magnitude), { numRuns: 1, seed: 20240229 }),
    );
    const series = { market: 'binance_cm', symbol: uniqueSeries('CONTRACT').symbol } as const;
    const { trades, records } = makeDay(hours, series);
    const day = dayInputs(DAY, records);
    if (day === undefined) throw new Error('a day without hours');
    await store.trades.write(series, trades, NEVER);
    const made = { dayMs: DAY, records, contract: { size } };
    await buildDay(store, series, made, keptOrNot(series, trades, records, { size }));
    await expectWindows(series, day, { size });
    const denseHours = day.hours
      .filter(({ verdict }) => verdict === 'proven')
      .map(({ hourMs }) => hourMs);
    for (const interval of INTERVALS) {
      const request = { intervalMs: INTERVAL_MS[interval], denseHours, fromMs: DAY };
      const wanted = [...cdvBars(trades.toSorted(compareForBars), request)];
      const range = { startMs: DAY, endMs: DAY + DAY_MS };
      const stored = await store.bars.bars(series, interval, range);
      expect(stored.map(withoutLevelFacts)).toEqual(wanted.map((bar) => worthText(bar, { size })));
      const base = await store.sql.query(
        `SELECT base_buy_volume + base_sell_volume AS coins FROM cdv_exact_${interval} ` +
          `WHERE symbol = '${series.symbol}' AND status <> 'void' ORDER BY ts`,
      );
      for (const [index, bar] of wanted.entries())
        expectCoins(base[index]?.['coins'], coinsIn(trades, bar, request.intervalMs, size));
    }
    await expectTiers(series, day, trades, { size });
  },
);

test('a trade whose value is exactly a bound belongs to the tier above it', async () => {
  const series = uniqueSeries('BOUND');
  const values = [10_000n, 100_000n, 1_000_000n];
  const atBound = values.map((value, index) => ({
    offsetUs: index * 60_000_000,
    qtyE8: 10n ** 8n,
    sell: false,
    priceE8: value * 10n ** 8n,
  }));
  const hours: MadeHour[] = [{ kind: 'proven', trades: atBound }];
  const { trades, records } = makeDay(hours, series);
  const day = dayInputs(DAY, records);
  if (day === undefined) throw new Error('a day without hours');
  await store.trades.write(series, trades, NEVER);
  await buildDay(store, series, { dayMs: DAY, records }, keptOrNot(series, trades, records));
  const range = { startMs: DAY, endMs: DAY + DAY_MS };
  const [first, ...others] = (await store.bars.tierBars(series, '1h', range)).toSorted(
    (left, right) => left.tier - right.tier,
  );
  expect(first).toMatchObject({ tier: 0, aggTrades: 0 });
  expect(others.map(({ tier, aggTrades, delta }) => [BigInt(tier), aggTrades, delta])).toEqual(
    values.map((value) => [value, 1, '1.00000000']),
  );
  await expectTiers(series, day, trades);
});

/** The values of the made-up trades lie on both sides of all tier bounds. */
async function expectTiers(
  series: Series,
  day: DayInputs,
  trades: readonly AggTrade[],
  contract?: Contract,
): Promise<void> {
  const ordered = trades.toSorted(compareForBars);
  const denseHours = day.hours
    .filter(({ verdict }) => verdict === 'proven')
    .map(({ hourMs }) => hourMs);
  const minutes = [...cdvBars(ordered, { intervalMs: MINUTE_MS, denseHours, fromMs: DAY })];
  const pass = new TierPass(store.bars.tiers, contract);
  for (const trade of ordered) pass.accept(trade);
  const tiers = pass.finish(minutes);
  const range = { startMs: DAY, endMs: DAY + DAY_MS };
  for (const interval of TIER_INTERVALS) {
    const stored = await store.bars.tierBars(series, interval, range);
    const whole = new Map(
      (await store.bars.bars(series, interval, range)).map((bar) => [bar.openMs, bar]),
    );
    for (const [index, bars] of tiers.entries()) {
      const tier = store.bars.tiers[index];
      const wanted = [...rollUp(bars, INTERVAL_MS[interval])].map((bar) => {
        const { status, levelFromMs, levelMissing } = whole.get(bar.openMs) ?? {};
        return { ...barText(bar), tier, status, levelFromMs, levelMissing };
      });
      const ours = stored.filter((bar) => bar.tier === tier);
      expect(wanted, `${interval} ${tier}`).toMatchObject(ours);
      expect(ours, `${interval} ${tier}`).toHaveLength(wanted.length);
    }
    // The tiers add up to the bar, digit for digit.
    for (const [openMs, bar] of whole) {
      const parts = stored.filter((part) => part.openMs === openMs);
      const sum = (of: (part: ExactTierBar) => string) =>
        formatDecimal(
          parts.reduce((total, part) => total + parseDecimal(of(part), 8), 0n),
          8,
        );
      if (parts.length === 0 && contract !== undefined && contract.size === undefined) continue;
      expect(sum(({ delta }) => delta)).toBe(bar.delta);
      expect(sum(({ close }) => close)).toBe(bar.close);
      expect(sum(({ buyVolume }) => buyVolume)).toBe(bar.buyVolume);
      expect(parts.reduce((total, { aggTrades }) => total + aggTrades, 0)).toBe(bar.aggTrades);
    }
  }
}

/** Computes coins in floating point, as a reader would. */
function coinsIn(
  trades: readonly AggTrade[],
  { openMs }: Bar,
  intervalMs: number,
  size: string | undefined,
): number | undefined {
  if (size === undefined) return undefined;
  return trades
    .filter(({ timeUs }) => timeUs >= openMs * 1000 && timeUs < (openMs + intervalMs) * 1000)
    .reduce((sum, { qty, price }) => sum + (Number(qty) * Number(size)) / Number(price), 0);
}

function expectCoins(stored: string | null | undefined, coins: number | undefined): void {
  if (coins === undefined) expect(stored).toBeNull();
  else expect(Math.abs(Number(stored) - coins)).toBeLessThanOrEqual(coins * 1e-9);
}

function withoutLevelFacts({
  status,
  levelFromMs,
  levelMissing,
  ...bar
}: Awaited<ReturnType<typeof store.bars.bars>>[number]): Omit<Bar, never> | object {
  void [status, levelFromMs, levelMissing];
  return bar;
}
