import { afterAll, beforeAll, expect, test } from 'vitest';
import { TIER_MINUTES } from '../../src/adapters/questdb/bar-lines.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { Rig, spot } from '../e2e/rig.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { copyRows } from '../support/copied-rows.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { type ProxiedServices, proxyServices } from '../support/proxied-services.ts';
import { tradesTable } from '../support/store.ts';

/** An undo does not wait until partitions are settled: others write into them meanwhile. */

const DAY = Date.UTC(2024, 8, 2);
const hours = (from: number, to: number) => ({
  startMs: DAY + from * HOUR_MS,
  endMs: DAY + to * HOUR_MS,
});
const around = { fromMs: DAY - HOUR_MS, toMs: DAY + 3 * DAY_MS + HOUR_MS };
const few = syntheticTrades({ seed: 121, ...around, tradesPerHour: 100 });
/** A day is a partition. */
const many = syntheticTrades({ seed: 122, ...around, tradesPerHour: 5_000 });
const [first = '', second = '', busy = ''] = ['UNDOA', 'UNDOB', 'UNDOC'].map(unique);
const BARS = ['compact', '--bars', '--older-than', '0h'];
const UNDO = ['compact', '--bars', '--undo'];

let own: OwnServices;
let services: ProxiedServices;
let rig: Rig;

beforeAll(async () => {
  own = await makeOwnServices();
  services = await proxyServices(await own.start());
  const symbols = [
    { symbol: first, trades: few },
    { symbol: second, trades: few },
    { symbol: busy, trades: many },
  ];
  rig = await Rig.start({ symbols, services: services.urls });
});

afterAll(async () => {
  await rig.dispose();
  await services.close();
  await own.dispose();
});

test('an undo of bars ends well while a build is between its bars and its stamp', async () => {
  const app = await rig.app();
  expect(await rig.backfill(app, [spot(first)], hours(0, 72))).toMatchObject({ exitCode: 0 });
  expect(await rig.cli(BARS)).toMatchObject({ exitCode: 0 });
  // For the repair to change a row.
  const row = `symbol = '${first}' AND ts = '2024-09-02T03:05'`;
  await copyRows(app.sql, 'cdv_exact_5m', row, { close: '(close + 1m)::decimal(38,8)' });
  const bars = services.questdbHttp.hold('cdv_exact_5m,', 'request');
  const day = ['--from', '2024-09-02', '--to', '2024-09-03'];
  const repair = rig.startCli(['repair', first, ...day, '--no-klines']);
  await bars.reached;
  const stamp = services.questdbPg.hold('INSERT INTO bar_days', 'request');
  const conversion = services.questdbPg.hold('cdv_exact_5m CONVERT PARTITION TO NATIVE', 'answer');
  const undo = rig.startCli(UNDO);
  await conversion.reached;
  bars.release();
  await stamp.reached;
  conversion.release();
  const undone = await undo.done;
  stamp.release();
  expect(undone).toMatchObject({ exitCode: 0 });
  expect(await repair.done).toMatchObject({ exitCode: 0 });
});

test('an undo of bars ends well when another symbol is built into a partition before its turn', async () => {
  const app = await rig.app();
  expect(await rig.backfill(app, [spot(second)], hours(0, 24))).toMatchObject({ exitCode: 0 });
  expect(await rig.cli(BARS)).toMatchObject({ exitCode: 0 });
  const held = services.questdbPg.hold(`${TIER_MINUTES} CONVERT PARTITION TO NATIVE`, 'answer');
  const undo = rig.startCli(UNDO);
  await held.reached;
  expect(await rig.backfill(app, [spot(second)], hours(24, 48))).toMatchObject({ exitCode: 0 });
  held.release();
  expect(await undo.done).toMatchObject({ exitCode: 0 });
  const again = await rig.cli(UNDO);
  expect(again.stdout).toContain('converted  nothing');
});

test('an undo of trades ends well while an hour of the same series is fetched', async () => {
  const app = await rig.app();
  for (const range of [hours(0, 2), hours(24, 26), hours(48, 49)])
    expect(await rig.backfill(app, [spot(busy)], range)).toMatchObject({ exitCode: 0 });
  const compacted = await rig.cli(['compact', busy, '--older-than', '0h']);
  expect(compacted.stdout).toContain('converted  2 partitions');
  const table = await tradesTable(app.sql, busy);
  const held = services.questdbPg.hold(`${table} CONVERT PARTITION TO NATIVE`, 'answer');
  const undo = rig.startCli(['compact', busy, '--undo']);
  await held.reached;
  expect(await rig.backfill(app, [spot(busy)], hours(26, 27))).toMatchObject({ exitCode: 0 });
  held.release();
  expect(await undo.done).toMatchObject({ exitCode: 0 });
  const again = await rig.cli(['compact', busy, '--undo']);
  expect(again.stdout).toContain('converted  nothing');
});

test('a compact says that it waits for another one', async () => {
  const app = await rig.app();
  const other = await app.leases.tryAcquire('compact', AbortSignal.timeout(60_000));
  const compact = rig.startCli(UNDO, (line) => {
    if (line === 'waiting until another compact has ended') void other?.release();
  });
  expect(await compact.done).toMatchObject({ exitCode: 0 });
});
