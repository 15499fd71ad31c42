import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { Rig } from './rig.ts';

const DAY = Date.UTC(2024, 4, 6);
const SYMBOL = unique('TIER');
const RANGE = ['--from', '2024-05-06', '--to', '2024-05-07', '--source', 'rest'];
const trades = syntheticTrades({
  seed: 81,
  fromMs: DAY - DAY_MS,
  toMs: DAY + 2 * DAY_MS,
  tradesPerHour: 60,
});

let rig: Rig;
let app: App;

beforeAll(async () => {
  rig = await Rig.start({ symbols: [{ symbol: SYMBOL, trades }] });
  app = await rig.app();
});

afterAll(async () => rig.dispose());

async function tiers(table: string) {
  return app.sql.query(
    `SELECT tier, sum(delta) delta, sum(agg_trades) agg_trades, count() bars FROM ${table} ` +
      `WHERE symbol = '${SYMBOL}' ORDER BY tier`,
  );
}

test('with other tiers all bars are due, no trade is requested, and tiers that no longer exist are void', async () => {
  expect(await rig.cli(['backfill', SYMBOL, ...RANGE])).toMatchObject({ exitCode: 0 });
  const before = await tiers('tiers_1m');
  expect(before.map((row) => [row['tier'], row['bars']])).toEqual(
    ['0', '10000', '100000', '1000000'].map((tier) => [tier, '1440']),
  );
  // The test needs enough trades in two tiers.
  expect(before.filter((row) => Number(row['agg_trades']) > 10).length).toBeGreaterThan(1);

  rig.exchange.requests.clear();
  const own = { CDVAULT_TIERS: '500,10000' };
  const again = await rig.cli(['backfill', SYMBOL, ...RANGE], own);
  expect(again).toMatchObject({ exitCode: 0 });
  expect(rig.exchange.requests.tradeRequests()).toEqual([]);
  for (const table of ['tiers_1m', 'tiers_1d']) {
    const after = await tiers(table);
    expect(after.map((row) => row['tier'])).toEqual(['0', '10000', '500']);
    expect(after[1]).toMatchObject({ delta: expect.anything() });
    const [whole] = await app.sql.query(
      `SELECT agg_trades FROM cdv_1d WHERE symbol = '${SYMBOL}' AND ts IN '2024-05-06'`,
    );
    expect(after.reduce((sum, row) => sum + Number(row['agg_trades']), 0)).toBe(
      Number(whole?.['agg_trades']),
    );
  }
  expect(await rig.cli(['verify', SYMBOL, ...RANGE.slice(0, 4)], own)).toMatchObject({
    exitCode: 0,
  });
  const [restated] = await app.sql.query(
    `SELECT count() n FROM restatements WHERE symbol = '${SYMBOL}'`,
  );
  expect(restated).toEqual({ n: '0' });

  // With the default tiers the bars of these tiers count as not built.
  const verified = await rig.cli(['verify', SYMBOL, ...RANGE.slice(0, 4)]);
  expect(verified.exitCode, verified.stdout).toBe(3);
});
