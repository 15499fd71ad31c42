import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExchangeStateStore } from '../../../src/adapters/questdb/exchange-state.ts';
import { createSeriesCatalogue } from '../../../src/adapters/questdb/series-catalogue.ts';
import { compose } from '../../../src/cli/compose.ts';
import { loadConfig } from '../../../src/config.ts';
import { floorTo, HOUR_MS, MINUTE_MS } from '../../../src/domain/time/hour.ts';
import type { Series } from '../../../src/domain/market.ts';
import { type AlertRule, alertRules } from '../../support/grafana-alerts.ts';
import { Asker } from '../../support/grafana-dashboard.ts';
import { fillSeries, type HourFate } from '../../support/filled-series.ts';
import { madeTrades } from '../../support/made-trades.ts';
import { devModeEnv, makeOwnServices, type OwnServices } from '../../support/own-services.ts';
import { NEVER, openStore } from '../../support/store.ts';

/** Uses its own server: the rules read all tables, and other tests leave rows there that would raise alerts. */

const THIS_HOUR = floorTo(Date.now(), HOUR_MS);
const FIRST_HOUR = THIS_HOUR - 30 * HOUR_MS;
const KEPT_UP: Series = { market: 'binance_spot', symbol: 'KEPTUP' };
const HOLED: Series = { market: 'binance_um', symbol: 'HOLED' };
const BEHIND: Series = { market: 'binance_spot', symbol: 'BEHIND' };
const NEVER_DONE: Series = { market: 'binance_spot', symbol: 'NEVERDONE' };

let own: OwnServices;
let store: ReturnType<typeof openStore>;
let asker: Asker;

beforeAll(async () => {
  own = await makeOwnServices(devModeEnv());
  const urls = await own.start();
  const app = compose(loadConfig(), urls);
  await app.prepare(NEVER);
  await app.close();
  store = openStore(urls);
  asker = await Asker.connect(urls.questdbReadonlyPgUrl);
});
afterAll(async () => {
  await asker.close();
  await store.close();
  await own.dispose();
});

function ruleOf(uid: string): AlertRule {
  const rule = alertRules().find((one) => one.uid === uid);
  if (rule === undefined) throw new Error(`no rule ${uid}`);
  return rule;
}

/** Rows above the threshold. By Grafana's rules texts are labels, and exactly one column is a number. */
async function alertsOf(uid: string): Promise<Record<string, string | null>[]> {
  const rule = ruleOf(uid);
  const { columns, rows } = await asker.ask(rule.query.sql);
  const numbers = columns.filter(({ oid }) => oid !== TEXT);
  expect(numbers.map(({ oid }) => NUMBERS.includes(oid))).toEqual([true]);
  const number = columns.findIndex(({ oid }) => oid !== TEXT);
  return rows
    .filter((row) => Number(row[number]) > rule.threshold)
    .map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index] ?? null])));
}

/** OIDs of PostgreSQL types. */
const TEXT = 1043;
const NUMBERS = [20, 23, 701];

async function fill(
  series: Series,
  toMs: number,
  fateOf: (hourMs: number) => HourFate,
): Promise<void> {
  const trades = madeTrades(1_000, FIRST_HOUR, toMs, 10 * MINUTE_MS);
  await fillSeries(store, { series, trades, originMs: FIRST_HOUR, fateOf });
}

async function schedule(series: Series): Promise<void> {
  const catalogue = createSeriesCatalogue(store.sql);
  await catalogue.setSchedule(await catalogue.pinOrigin(series, FIRST_HOUR), FIRST_HOUR);
}

test.each(alertRules().map(({ uid }) => uid))('an empty store raises no alert: %s', async (uid) => {
  expect(await alertsOf(uid)).toEqual([]);
});

describe('on a store with damage', () => {
  beforeAll(async () => {
    // The last hour waits for a later trade, as that of a quiet symbol may.
    await fill(KEPT_UP, THIS_HOUR, (hourMs) =>
      hourMs === THIS_HOUR - HOUR_MS ? 'open' : 'proven',
    );
    await fill(HOLED, THIS_HOUR, (hourMs) => {
      if (hourMs === FIRST_HOUR + 3 * HOUR_MS) return 'holes';
      return hourMs === FIRST_HOUR + 8 * HOUR_MS ? 'absent' : 'proven';
    });
    await fill(BEHIND, THIS_HOUR - 5 * HOUR_MS, () => 'proven');
    for (const series of [KEPT_UP, BEHIND, NEVER_DONE]) await schedule(series);
  });

  test('hours with a gap and unfetched hours raise the hole alert, counted by series', async () => {
    expect(await alertsOf('cdvault-hole')).toEqual([{ ...HOLED, hours: '2' }]);
  });

  test('a scheduled series that falls behind raises an alert, also when no hour of it was ever proven', async () => {
    const alerts = await alertsOf('cdvault-stuck');
    expect(alerts.map(({ symbol }) => symbol ?? '').toSorted()).toEqual(['BEHIND', 'NEVERDONE']);
    const behind = alerts.find(({ symbol }) => symbol === 'BEHIND');
    // At least 5 hours, plus the part of the current hour that has passed.
    expect(Math.floor(Number(behind?.['hours']))).toBe(
      Math.floor((Date.now() - (THIS_HOUR - 5 * HOUR_MS)) / HOUR_MS),
    );
  });

  test('a ban in force raises an alert, a past one does not', async () => {
    const state = createExchangeStateStore(store.sql);
    const limits = { weightLimit: 6000, windowMs: MINUTE_MS, limitsAtMs: Date.now() };
    await state.save('binance_spot', 'home', { ...limits, bannedUntilMs: Date.now() + HOUR_MS });
    await state.save('binance_um', 'home', { ...limits, bannedUntilMs: Date.now() - 1 });
    expect(await alertsOf('cdvault-ban')).toMatchObject([
      { market: 'binance_spot', egress: 'home' },
    ]);
  });

  test('a suspended table raises an alert with its name', async () => {
    await store.sql.query('ALTER TABLE restatements SUSPEND WAL');
    expect(await alertsOf('cdvault-suspended')).toMatchObject([
      { name: 'restatements', suspended: '1' },
    ]);
  });
});
