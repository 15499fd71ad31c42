import fc from 'fast-check';
import { buildDay } from '../support/one-day.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fingerprintRange } from '../../src/app/verify/fingerprint-range.ts';
import { verifyRange } from '../../src/app/verify/verify-range.ts';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { INTERVALS } from '../../src/domain/time/interval.ts';
import type { Series } from '../../src/domain/market.ts';
import { CdvaultError } from '../../src/domain/errors.ts';
import { TIER_INTERVALS } from '../../src/domain/bars/tier.ts';
import { faultySeries } from '../exchange/data-faults.ts';
import { createDistilledCache } from '../../src/adapters/system/distilled-cache.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { truth } from '../e2e/reference.ts';
import { Rig, spot } from '../e2e/rig.ts';
import { NOTHING_KEPT } from '../support/built-day.ts';
import { unique } from '../support/command-line.ts';
import { NEVER } from '../support/store.ts';
import { tradeOf } from '../support/trades.ts';

/**
 * Rows in the table of trades that the ledger has not proven change no final bar, no level and no
 * fingerprint, and `verify` names them.
 */
const DAY = Date.UTC(2024, 8, 2);
const RANGE = { startMs: DAY, endMs: DAY + DAY_MS };
const base = syntheticTrades({
  seed: 91,
  fromMs: DAY - HOUR_MS,
  toMs: DAY + DAY_MS + HOUR_MS,
  tradesPerHour: 20,
  firstId: 100_000,
});
const sixth = base.at(base.indexAtTime((DAY + 6 * HOUR_MS) * 1000)).a;
const reaching = faultySeries(base, [{ kind: 'timeBackwards', id: sixth + 3, byMs: 30 * 60_000 }]);
const ids = truth(base, RANGE).map(({ aggId }) => aggId);
const [lowest = 0, highest = 0] = [ids[0], ids.at(-1)];
const DAYS = [
  { name: 'a plain day', series: spot(unique('PLAIN')), trades: base },
  {
    name: 'a day with a row that reaches back',
    series: spot(unique('REACH')),
    trades: reaching,
  },
];

let rig: Rig;
let app: App;
const kept = createDistilledCache();

beforeAll(async () => {
  rig = await Rig.start({
    symbols: DAYS.map(({ series, trades }) => ({ symbol: series.symbol, trades })),
  });
  app = await rig.app(kept);
  const all = DAYS.map(({ series }) => series);
  expect(await rig.backfill(app, all, RANGE)).toMatchObject({ exitCode: 0, proven: 48 });
});

afterAll(() => rig.dispose());

/** Any id within or outside the day's ids, at any time of the day. */
const stray = fc.record({
  aggId: fc.oneof(
    fc.integer({ min: lowest, max: highest }),
    fc.integer({ min: lowest - 50, max: lowest - 1 }),
    fc.integer({ min: highest + 1, max: highest + 5_000_000 }),
  ),
  timeUs: fc.integer({ min: DAY * 1000, max: (DAY + DAY_MS) * 1000 - 1 }),
  isBuyerMaker: fc.boolean(),
});

const from = fc.constantFrom<From>('kept', 'stored');

async function everything(series: Series): Promise<unknown> {
  const bars = [];
  for (const interval of INTERVALS) bars.push(await app.bars.bars(series, interval, RANGE));
  for (const interval of TIER_INTERVALS)
    bars.push(await app.bars.tierBars(series, interval, RANGE));
  const { bases: anchors } = await app.bars.midnightBases(series);
  const totals = await app.sql.query(
    `SELECT * FROM cdv_1h_total WHERE symbol = '${series.symbol}' ORDER BY ts`,
  );
  return { bars, anchors, totals };
}

/** `kept`: hours as their fetch distilled them. `stored`: distilled again from the stored rows. */
type From = 'kept' | 'stored';

/** Makes the day's bars due, as if another release had built them, and builds them. */
async function buildAgain(series: Series, from: From): Promise<unknown> {
  await app.sql.query(`UPDATE bar_days SET layout = 'another' WHERE symbol = '${series.symbol}'`);
  await app.sql.waitApplied('bar_days');
  const deps = { ...app, distilled: from === 'kept' ? kept : NOTHING_KEPT };
  return buildDay(deps, series, DAY, AbortSignal.timeout(60_000)).catch((error: unknown) => error);
}

/** Either the result is the same, or the error says that the store is not what was proven. */
function expectSame(outcome: unknown, same: unknown): void {
  if (outcome instanceof CdvaultError) expect(outcome.code).toBe('STORE_MISMATCH');
  else expect(outcome).toEqual(same);
}

test.each(DAYS)(
  '$name: rows that are not proven change no final bar, no level and no fingerprint; verify names them',
  async ({ series, trades }) => {
    const before = await everything(series);
    const { root } = await fingerprintRange(app, series, RANGE, NEVER);
    const proven = new Map(truth(trades, RANGE).map(({ aggId, timeUs }) => [aggId, timeUs]));
    const options = { klines: false, archives: false };
    await fc.assert(
      fc.asyncProperty(
        fc.array(stray, { minLength: 1, maxLength: 4 }),
        from,
        async (strays, how) => {
          // Without proven rows under their own key: these would be overwritten, which is another case.
          const added = strays
            .map(({ aggId, timeUs, isBuyerMaker }) =>
              tradeOf(aggId, Math.floor(timeUs / 1000), { qty: '123.45600000', isBuyerMaker }),
            )
            .filter(({ aggId, timeUs }) => proven.get(aggId) !== timeUs);
          await app.trades.write(series, added, NEVER);
          try {
            expectSame(await buildAgain(series, how), 'built');
            expect(await everything(series)).toEqual(before);
            const fingerprint = await fingerprintRange(app, series, RANGE, NEVER).catch(
              (error: unknown) => error,
            );
            expectSame(
              fingerprint instanceof CdvaultError ? fingerprint : rootOf(fingerprint),
              root,
            );
            const [report] = await Array.fromAsync(
              verifyRange(app, { series, range: RANGE }, options, NEVER),
            );
            const named = (report?.findings ?? []).map(({ detail }) => detail).join('\n');
            for (const { aggId } of added)
              expect(isNamed(named, aggId), `${aggId} in ${named}`).toBe(true);
          } finally {
            await app.trades.bury(series, added, NEVER);
          }
        },
      ),
      { numRuns: process.env['CDVAULT_FULL'] === '1' ? 60 : 6, endOnFailure: true },
    );
    expect(await buildAgain(series, 'stored')).toBe('built');
    expect(await everything(series)).toEqual(before);
  },
  300_000,
);

test.each(DAYS)(
  '$name: an id stored under two times in its own hour changes no bar, and verify names it',
  async ({ series, trades }) => {
    const before = await everything(series);
    const [first, , third] = truth(trades, { startMs: DAY + HOUR_MS, endMs: DAY + 2 * HOUR_MS });
    if (first === undefined || third === undefined) throw new Error('an hour without trades');
    const options = { klines: false, archives: false };
    for (const lost of [undefined, third]) {
      // With a copy of a lost trade in its place, neither the row count nor the sums differ.
      const copied = lost ?? first;
      const again = { ...copied, aggId: first.aggId, timeUs: first.timeUs + 1000 };
      await app.trades.write(series, [again], NEVER);
      if (lost !== undefined) await app.trades.bury(series, [lost], NEVER);
      try {
        expect(await buildAgain(series, 'stored')).toMatchObject({ code: 'STORE_MISMATCH' });
        expect(await everything(series)).toEqual(before);
        // Kept hours are those that were proven: no stored row changes their bars.
        expect(await buildAgain(series, 'kept')).toBe('built');
        expect(await everything(series)).toEqual(before);
        const [report] = await Array.fromAsync(
          verifyRange(app, { series, range: RANGE }, options, NEVER),
        );
        const named = (report?.findings ?? []).map(({ detail }) => detail).join('\n');
        expect(named).toContain(`stored with two times: ids ${first.aggId}`);
      } finally {
        await app.trades.bury(series, [again], NEVER);
        if (lost !== undefined) await app.trades.write(series, [lost], NEVER);
      }
    }
    // One trade lost, and a copy of it under an id that no hour has: only the ids differ.
    const far = { ...third, aggId: highest + 7 };
    await app.trades.write(series, [far], NEVER);
    await app.trades.bury(series, [third], NEVER);
    expect(await buildAgain(series, 'stored')).toMatchObject({ code: 'STORE_MISMATCH' });
    expect(await everything(series)).toEqual(before);
    await app.trades.bury(series, [far], NEVER);
    await app.trades.write(series, [third], NEVER);
    expect(await buildAgain(series, 'stored')).toBe('built');
  },
);

function rootOf(fingerprint: unknown): unknown {
  return typeof fingerprint === 'object' && fingerprint !== null && 'root' in fingerprint
    ? fingerprint.root
    : undefined;
}

/** Findings name single ids or spans of ids. */
function isNamed(text: string, id: number): boolean {
  return [...text.matchAll(/(\d+)(?: to (\d+))?/g)].some(
    ([, from, to]) => Number(from) <= id && id <= Number(to ?? from),
  );
}
