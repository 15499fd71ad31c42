import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { compactSeries } from '../../src/app/compact/compact-trades.ts';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { copyRows } from '../support/copied-rows.ts';
import { exportSeries, orderedExport } from '../support/exports.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { type ProxiedServices, proxyServices } from '../support/proxied-services.ts';
import { NEVER, tradesTable } from '../support/store.ts';
import { tradeOf } from '../support/trades.ts';
import { DAY, DAYS, FROM_TO, makeTableByDay, RANGE, twoDays } from '../support/two-days.ts';
import { truth } from './reference.ts';
import { Rig, spot } from './rig.ts';

const trades = twoDays(77, 400);
const SYMBOL = unique('PACK');
const THIN = unique('THIN');
/** A table by month: January is settled, February has the newest trades. */
const thin = syntheticTrades({
  seed: 78,
  fromMs: Date.UTC(2024, 0, 30),
  toMs: Date.UTC(2024, 1, 2),
  tradesPerHour: 30,
  firstId: 0,
});

let own: OwnServices;
let services: ProxiedServices;
let rig: Rig;
let app: App;

beforeAll(async () => {
  own = await makeOwnServices();
  services = await proxyServices(await own.start());
  rig = await Rig.start({
    services: services.urls,
    symbols: [
      { symbol: SYMBOL, trades },
      { symbol: THIN, trades: thin },
    ],
  });
  app = await rig.app();
  await makeTableByDay(app.sql, spot(SYMBOL), DAY);
  await rig.backfill(app, [spot(SYMBOL)], RANGE);
  const months = { startMs: Date.UTC(2024, 0, 30), endMs: Date.UTC(2024, 1, 1) + 3 * HOUR_MS };
  await rig.backfill(app, [spot(THIN)], months);
  expect(await formats()).toEqual(allNative);
});

afterAll(async () => {
  await rig.dispose();
  await services.close();
  await own.dispose();
});

/** `P` for Parquet, by the name of the partition. */
async function formats(symbol = SYMBOL): Promise<Record<string, string>> {
  const partitions = await app.partitions.trades.list(spot(symbol));
  return Object.fromEntries(partitions.map(({ name, isParquet }) => [name, isParquet ? 'P' : '-']));
}

const marks = (text: string) => Object.fromEntries(DAYS.map((day, at) => [day, text.charAt(at)]));
const allNative = marks('---');
const compacted = marks('PP-');

const compact = async (...more: string[]) =>
  rig.cli(['compact', SYMBOL, '--older-than', '0h', ...more]);

/** Everything that is stored of the series, read back, and what verify and fingerprint say of it. */
async function everything() {
  const verify = await rig.cli(['verify', SYMBOL, ...FROM_TO, '--no-klines']);
  expect(verify).toMatchObject({ exitCode: 0 });
  const fingerprint = await rig.cli(['fingerprint', SYMBOL, ...FROM_TO]);
  expect(fingerprint).toMatchObject({ exitCode: 0 });
  const tables = await exportSeries(services.urls, SYMBOL);
  return { verify: verify.stdout, fingerprint: fingerprint.stdout, tables };
}

/** The stored trades and their fingerprint. */
async function tradesNow() {
  const { exitCode, stdout } = await rig.cli(['fingerprint', SYMBOL, ...FROM_TO]);
  const { sha256 } = await orderedExport(services.urls, 'agg_trades', SYMBOL);
  return { exitCode, stdout, sha256 };
}

/** Voids a stored trade of the second hour, as a fault of the store would. */
async function damage(): Promise<void> {
  const [victim] = truth(trades, { startMs: DAY + HOUR_MS, endMs: DAY + 2 * HOUR_MS });
  if (victim === undefined) throw new Error('the series is too short');
  const table = await tradesTable(app.sql, SYMBOL);
  await app.sql.query(
    `INSERT INTO ${table} VALUES (${victim.timeUs}::timestamp, ${victim.aggId}, ` +
      `0m::decimal(18,8), 0m::decimal(28,8), -2, -2, ${victim.isBuyerMaker})`,
  );
}

async function repair(): Promise<void> {
  const { exitCode, stderr } = await rig.cli(['repair', SYMBOL, ...FROM_TO, '--no-klines']);
  expect(stderr).toContain('1 hour to fetch again and compare');
  expect(exitCode).toBe(0);
}

describe('compact', () => {
  beforeEach(async () => {
    expect(await compact('--undo')).toMatchObject({ exitCode: 0 });
    expect(await formats()).toEqual(allNative);
  });

  test('a dry run says what would be converted, and changes nothing', async () => {
    const { exitCode, stdout, stderr } = await compact('--dry-run');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^would convert {2}2 partitions, [\d,]+ trades, [\d.]+ MiB, would be about [\d.]+ [KM]iB$/m,
    );
    expect(stdout).toContain('skipped    1: the newest partition of its table');
    expect(stderr).toMatch(
      /2024-03-05: [\d,]+ trades, [\d.]+ [KM]iB, would be about [\d.]+ [KM]iB/,
    );
    expect(await formats()).toEqual(allNative);
  });

  test('hours that were fetched within the given time keep their partition as it is', async () => {
    const { stdout } = await rig.cli(['compact', SYMBOL]);
    expect(stdout).toContain('skipped    2: fetched or built more recently than --older-than');
    expect(await formats()).toEqual(allNative);
  });

  test('trades, bars, proof and fingerprint are the same as before, after, and undone', async () => {
    const before = await everything();
    const { exitCode, stdout } = await compact();
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
    expect(stdout).toMatch(/^converted {2}2 partitions, .* bytes a trade$/m);
    expect(await formats()).toEqual(compacted);
    expect(await everything()).toEqual(before);
    const again = await compact();
    expect(again.stdout).toContain('converted  nothing');
    expect(again.stdout).toContain('unchanged  2 partitions');
    expect(await compact('--undo')).toMatchObject({ exitCode: 0 });
    expect(await formats()).toEqual(allNative);
    expect(await everything()).toEqual(before);
  });

  test('a table by month keeps its newest month', async () => {
    const { stdout } = await rig.cli(['compact', THIN, '--older-than', '0h', '--json']);
    const summary = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as unknown;
    expect(summary).toMatchObject({ type: 'summary', converted: 1, skipped: { newest: 1 } });
    expect(await formats(THIN)).toEqual({ '2024-01': 'P', '2024-02': '-' });
  });

  test('a repair writes into Parquet, the range is proven, and the next run converts again', async () => {
    const before = await tradesNow();
    await compact();
    await damage();
    await repair();
    expect((await tradesNow()).stdout).toBe(before.stdout);
    expect(await formats()).toEqual(compacted);
    const { stdout, stderr } = await compact();
    expect(stdout).toContain('converted  1 partition,');
    expect(stderr).toContain('2024-03-05');
    expect(await formats()).toEqual(compacted);
    expect(await tradesNow()).toEqual(before);
  });

  test('trades that no fetch has proven keep their partition as it is', async () => {
    const stray = tradeOf(5, DAY + HOUR_MS + 1);
    await app.trades.write(spot(SYMBOL), [stray], NEVER);
    try {
      expect((await compact()).stdout).toContain('skipped    1: trades differ from the ledger');
      expect(await formats()).toEqual(marks('-P-'));
    } finally {
      await app.trades.bury(spot(SYMBOL), [stray], NEVER);
    }
  });

  test('an hour that is open, or bars that are due, keep their partition as it is', async () => {
    const ofDay = `symbol = '${SYMBOL}' AND ts = '2024-03-05'`;
    const [hour] = await app.sql.query(`SELECT next_id FROM slices WHERE ${ofDay}`);
    const [day] = await app.sql.query(`SELECT layout FROM bar_days WHERE ${ofDay}`);
    await copyRows(app.sql, 'slices', ofDay, { next_id: 'NULL::long' });
    expect((await compact()).stdout).toContain('skipped    1: with hours that are open');
    await copyRows(app.sql, 'slices', ofDay, { next_id: `${hour?.['next_id']}` });
    await copyRows(app.sql, 'bar_days', ofDay, { layout: "'unfinished'" });
    expect((await compact()).stdout).toContain('skipped    1: bars are not up to date');
    expect(await formats()).toEqual(marks('-P-'));
    await copyRows(app.sql, 'bar_days', ofDay, { layout: `'${day?.['layout']}'` });
    expect((await compact()).stdout).toContain('converted  1 partition,');
  });

  test('too little free disk ends it before anything is converted', async () => {
    const deps = { ...app, freeBytes: () => 1_000_000 };
    const options = { isDryRun: false, beforeMs: Date.now() };
    const steps = compactSeries(deps, spot(SYMBOL), options, NEVER);
    await expect(steps.next()).rejects.toMatchObject({ code: 'DISK_TOO_SMALL', exitCode: 7 });
    expect(await formats()).toEqual(allNative);
  });

  test('a partition that differs after its conversion is converted back and named', async () => {
    const held = services.questdbPg.hold('CONVERT PARTITION TO PARQUET', 'answer');
    const command = rig.startCli(['compact', SYMBOL, '--older-than', '0h']);
    await held.reached;
    await damage();
    held.release();
    const { exitCode, stderr } = await command.done;
    expect(exitCode).toBe(11);
    expect(stderr).toContain('error COMPACT_MISMATCH: ');
    expect(stderr).toContain('2024-03-05T01Z');
    expect(await formats()).toEqual(allNative);
    await repair();
  });

  test.each(['request', 'answer'] as const)(
    'kill -9 with the %s of a conversion on its way: the next run ends it',
    async (side) => {
      const before = await tradesNow();
      // The record of an earlier conversion must not count for the one that is killed.
      await compact();
      await compact('--undo');
      const held = services.questdbPg.hold('CONVERT PARTITION TO PARQUET', side);
      const command = rig.startCli(['compact', SYMBOL, '--older-than', '0h']);
      await held.reached;
      command.kill('SIGKILL');
      await command.done;
      await rig.expireLeases();
      expect(await formats()).toEqual(side === 'answer' ? marks('P--') : allNative);
      expect((await compact()).stdout).toContain('converted  2 partitions');
      expect(await formats()).toEqual(compacted);
      expect(await tradesNow()).toEqual(before);
    },
  );

  test('kill -9 of QuestDB in a conversion: the next run ends it', async () => {
    const before = await tradesNow();
    const held = services.questdbPg.hold('CONVERT PARTITION TO PARQUET', 'answer');
    const command = rig.startCli(['compact', SYMBOL, '--older-than', '0h']);
    await held.reached;
    await own.kill('questdb');
    held.release();
    expect(await command.done).toMatchObject({ exitCode: 5 });
    await own.start();
    expect(await compact()).toMatchObject({ exitCode: 0 });
    expect(await formats()).toEqual(compacted);
    expect(await tradesNow()).toEqual(before);
  });
});
