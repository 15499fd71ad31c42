import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { devModeEnv, makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { metricsOf, type Served, startServe, valueOf } from '../support/served.ts';
import { eventually, Rig } from './rig.ts';

/** Damages tables and schema of the file's own QuestDB while `serve` runs. */

let own: OwnServices;
let rig: Rig;
let app: App;
let served: Served;

beforeAll(async () => {
  own = await makeOwnServices(devModeEnv());
  rig = await Rig.start({ services: await own.start() });
  app = await rig.app();
  served = await startServe(rig);
});

afterAll(async () => {
  await rig.dispose();
  await own.dispose();
});

async function readiness(): Promise<unknown> {
  const response = await fetch(`${served.url}/readyz`);
  return { status: response.status, ...((await response.json()) as object) };
}

async function expectReady(): Promise<void> {
  await eventually('it is ready', async () => {
    return (await fetch(`${served.url}/readyz`)).status === 200;
  });
}

test('a suspended table makes serve not ready, with its name, and its pending transactions are counted', async () => {
  await expectReady();
  await app.sql.query('ALTER TABLE gaps SUSPEND WAL');
  await app.sql.query("INSERT INTO gaps (ts, market) VALUES ('2024-01-01', 'binance_spot')");
  await eventually('it is in the metrics', async () => {
    const page = await metricsOf(served);
    return valueOf(page, 'cdvault_store_table_suspended', { table: 'gaps' }) === 1;
  });
  const page = await metricsOf(served);
  const pending = (table: string) =>
    valueOf(page, 'cdvault_store_wal_pending_transactions', { table });
  expect([pending('gaps'), pending('slices')]).toEqual([1, 0]);
  expect(valueOf(page, 'cdvault_store_table_suspended', { table: 'slices' })).toBe(0);
  expect(valueOf(page, 'cdvault_up', { service: 'questdb' })).toBe(1);
  expect(await readiness()).toEqual({
    status: 503,
    ready: false,
    reasons: [
      {
        check: 'tables',
        reason: 'QuestDB has suspended the table gaps; run ALTER TABLE gaps RESUME WAL.',
      },
    ],
  });
  await app.sql.query('ALTER TABLE gaps RESUME WAL');
  await expectReady();
});

test('a ledger that is suspended is unknown, not empty', async () => {
  await app.sql.query('ALTER TABLE slices SUSPEND WAL');
  await app.sql.query("INSERT INTO slices (ts, market) VALUES ('2024-01-01', 'binance_spot')");
  await eventually('the metrics report it as unknown', async () => {
    const page = await metricsOf(served);
    const success = (collector: string) =>
      valueOf(page, 'cdvault_scrape_collector_success', { collector });
    return success('coverage') === 0 && success('schedule') === 0 && success('store') === 1;
  });
  await app.sql.query('ALTER TABLE slices RESUME WAL');
  await expectReady();
});

test('a schema with a missing migration makes serve not ready', async () => {
  await app.sql.query(
    "INSERT INTO schema_migrations VALUES (0::timestamp, '01_ledger.sql', false)",
  );
  await eventually('it is not ready', async () => {
    return (await fetch(`${served.url}/readyz`)).status === 503;
  });
  expect(await readiness()).toEqual({
    status: 503,
    ready: false,
    reasons: [
      { check: 'schema', reason: 'The schema is not that of this version; run cdvault migrate.' },
    ],
  });
  await eventually('it is in the metrics', async () => {
    return valueOf(await metricsOf(served), 'cdvault_store_schema_current', {}) === 0;
  });
  expect(await rig.cli(['migrate'])).toMatchObject({ exitCode: 0 });
  await expectReady();
});
