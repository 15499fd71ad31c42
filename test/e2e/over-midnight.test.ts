import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { type BarText, barText } from '../../src/domain/bars/bar.ts';
import { cdvBars, compareForBars } from '../support/reference-bars.ts';
import { INTERVAL_MS, type Interval, INTERVALS } from '../../src/domain/time/interval.ts';
import { verifyRange } from '../../src/app/verify/verify-range.ts';
import { faultySeries } from '../exchange/data-faults.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { hoursOfDay, truth, withoutTrust } from './reference.ts';
import { Rig, spot } from './rig.ts';

/** Rows whose times run back over midnight: their ids belong to the next day, their bars to this day. */
const DAY = Date.UTC(2024, 8, 2);
const NEXT = DAY + DAY_MS;
const base = syntheticTrades({
  seed: 57,
  fromMs: DAY - HOUR_MS,
  toMs: NEXT + DAY_MS + HOUR_MS,
  tradesPerHour: 90,
});
const firstOf = (hourMs: number) => base.at(base.indexAtTime(hourMs * 1000)).a;
/** The 5th and 6th trade of the next day are dated 20 and 50 minutes early; the other two stay within the day. */
const trades = faultySeries(base, [
  { kind: 'timeBackwards', id: firstOf(NEXT) + 4, byMs: 20 * MINUTE_MS },
  { kind: 'timeBackwards', id: firstOf(NEXT) + 5, byMs: 50 * MINUTE_MS },
  { kind: 'timeBackwards', id: firstOf(DAY + 7 * HOUR_MS) + 3, byMs: 10 * MINUTE_MS },
  { kind: 'timeBackwards', id: firstOf(DAY + 9 * HOUR_MS) + 50, byMs: MINUTE_MS },
]);
const [TOGETHER, APART, WARNED] = [unique('MIDA'), unique('MIDB'), unique('MIDC')];

let rig: Rig;
let app: App;

beforeAll(async () => {
  rig = await Rig.start({
    symbols: [TOGETHER, APART, WARNED].map((symbol) => ({ symbol, trades })),
  });
  app = await rig.app();
});

afterAll(() => rig.dispose());

/** Bars of a day from the trades of both days, since some trades of one have ids of the other. */
function reference(dayMs: number, interval: Interval): BarText[] {
  const rows = truth(trades, { startMs: DAY, endMs: NEXT + DAY_MS }).filter(
    ({ timeUs }) => timeUs >= dayMs * 1000 && timeUs < (dayMs + DAY_MS) * 1000,
  );
  const request = { intervalMs: INTERVAL_MS[interval], denseHours: hoursOfDay(dayMs) };
  return [...cdvBars(rows.toSorted(compareForBars), request)].map(barText);
}

async function expectBars(symbol: string): Promise<void> {
  for (const dayMs of [DAY, NEXT]) {
    for (const interval of INTERVALS) {
      const range = { startMs: dayMs, endMs: dayMs + DAY_MS };
      const bars = await app.bars.bars(spot(symbol), interval, range);
      expect(bars.map(withoutTrust), `${interval} bars`).toEqual(reference(dayMs, interval));
      expect(new Set(bars.map(({ status }) => status))).toEqual(new Set(['final']));
    }
  }
  const reports = await Array.fromAsync(
    verifyRange(
      app,
      { series: spot(symbol), range: { startMs: DAY, endMs: NEXT + DAY_MS } },
      { klines: false, archives: false },
      AbortSignal.timeout(60_000),
    ),
  );
  expect(reports.map(({ findings, bars }) => [findings, bars.state])).toEqual([
    [[], 'compared'],
    [[], 'compared'],
  ]);
}

test('two days at once have every bar, and verify finds nothing', async () => {
  const range = { startMs: DAY, endMs: NEXT + DAY_MS };
  const result = await rig.backfill(app, [spot(TOGETHER)], range);
  expect(result).toMatchObject({ exitCode: 0, proven: 48, failures: [] });
  const [record] = await app.ledger.records(spot(TOGETHER), {
    startMs: NEXT,
    endMs: NEXT + HOUR_MS,
  });
  expect(record?.reachBack).toMatchObject({ rows: 2 });
  await expectBars(TOGETHER);
});

test('the later day first, then the earlier one, have the same bars', async () => {
  await rig.backfill(app, [spot(APART)], { startMs: NEXT, endMs: NEXT + DAY_MS });
  const result = await rig.backfill(app, [spot(APART)], { startMs: DAY, endMs: NEXT });
  expect(result).toMatchObject({ exitCode: 0, failures: [] });
  await expectBars(APART);
});

test('the earlier day first becomes due again with the next one, and its last hour is restated', async () => {
  const first = { startMs: DAY, endMs: NEXT };
  expect(await rig.backfill(app, [spot(WARNED)], first)).toMatchObject({ exitCode: 0 });
  const second = { startMs: NEXT, endMs: NEXT + DAY_MS };
  expect(await rig.backfill(app, [spot(WARNED)], second)).toMatchObject({
    exitCode: 0,
    failures: [],
  });
  await expectBars(WARNED);
  const restated = await app.sql.query(
    `SELECT ts::long / 1000 AS at, what FROM restatements WHERE symbol = '${WARNED}' AND what = 'bars'`,
  );
  expect(restated.map((row) => Number(row['at']))).toContain(NEXT - HOUR_MS);
  // After that nothing is due.
  rig.exchange.requests.clear();
  expect(await rig.backfill(app, [spot(WARNED)], first)).toMatchObject({ exitCode: 0 });
  expect(rig.exchange.requests.tradeRequests()).toEqual([]);
});
