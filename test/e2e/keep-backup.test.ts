import { appendFile, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSql } from '../../src/adapters/questdb/sql.ts';
import { settleRestored } from '../../src/app/keep/settle-restored.ts';
import type { App } from '../../src/cli/compose.ts';
import { verdictOf } from '../../src/domain/proof/ledger.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import type { BackupManifest } from '../../src/ports/backup.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { type CliOptions, runCli, startCli, unique } from '../support/command-line.ts';
import { copyRows } from '../support/copied-rows.ts';
import { exportSeries } from '../support/exports.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { type ProxiedServices, proxyServices } from '../support/proxied-services.ts';
import { NEVER } from '../support/store.ts';
import { truth } from './reference.ts';
import { eventually, Rig, spot } from './rig.ts';

const DAY = Date.UTC(2024, 3, 8);
const DONE = unique('KEPT');
const BUSY = unique('BUSY');
const FROM_TO = ['--from', '2024-04-08', '--to', '2024-04-10'];
const RANGE = { startMs: DAY, endMs: DAY + 2 * DAY_MS };
const trades = (seed: number, tradesPerHour: number) =>
  syntheticTrades({
    seed,
    fromMs: DAY - HOUR_MS,
    toMs: RANGE.endMs + 2 * HOUR_MS,
    tradesPerHour,
  });
const kept = trades(91, 200);

let own: OwnServices;
let services: ProxiedServices;
let rig: Rig;
let app: App;
let out: string;
let home: string;

beforeAll(async () => {
  own = await makeOwnServices();
  services = await proxyServices(await own.start());
  out = await mkdtemp(path.join(tmpdir(), 'cdvault-backups-'));
  home = await mkdtemp(path.join(tmpdir(), 'cdvault-restored-'));
  const symbols = [
    { symbol: DONE, trades: kept },
    { symbol: BUSY, trades: trades(92, 200) },
  ];
  rig = await Rig.start({ services: services.urls, symbols });
  app = await rig.app();
  expect(await rig.backfill(app, [spot(DONE)], RANGE)).toMatchObject({ exitCode: 0 });
});

afterAll(async () => {
  await runCli(['down'], restored());
  await rig.dispose();
  await services.close();
  await own.dispose();
  for (const folder of [out, home]) await rm(folder, { recursive: true, force: true });
});

const data = () => path.join(own.options.homeDir, 'questdb');
const backup = async (to = out) => rig.cli(['backup', '--out', to, '--data', data()]);
/** Names of backups and of what interrupted ones left, oldest first. */
const backups = async () => (await readdir(out)).toSorted();
const inCheckpoint = async () => {
  const [row] = await app.sql.query('SELECT in_progress FROM checkpoint_status()');
  return row?.['in_progress'] === 't';
};

/** The environment of commands in the home that is restored. */
function restored(): CliOptions {
  const urls = ['REDIS_URL', 'QUESTDB_HTTP_URL', 'QUESTDB_PG_URL', 'QUESTDB_READONLY_PG_URL'];
  const { JAVA_HOME } = own.options.childEnv;
  const env = {
    ...Object.fromEntries(Object.entries(rig.env).filter(([name]) => !urls.includes(name))),
    ...(JAVA_HOME === undefined ? {} : { JAVA_HOME }),
    CDVAULT_SERVICES: 'native',
    CDVAULT_HOME: home,
  };
  return { env };
}

test('Ctrl-C during a backup releases the checkpoint and leaves nothing', async () => {
  const held = services.questdbPg.hold('CHECKPOINT CREATE', 'answer');
  const command = rig.startCli(['backup', '--out', out, '--data', data()]);
  await held.reached;
  command.kill('SIGINT');
  held.release();
  expect(await command.done).toMatchObject({ exitCode: 130 });
  expect(await inCheckpoint()).toBe(false);
  expect(await backups()).toEqual([]);
});

test('a backup after one that was killed releases its checkpoint; one that is not ours is refused', async () => {
  const held = services.questdbPg.hold('CHECKPOINT CREATE', 'answer');
  const command = rig.startCli(['backup', '--out', out, '--data', data()]);
  await held.reached;
  command.kill('SIGKILL');
  await command.done;
  held.release();
  await rig.expireLeases();
  await eventually('the checkpoint is there', inCheckpoint);
  const elsewhere = path.join(out, 'other');
  const refused = await backup(elsewhere);
  expect(refused).toMatchObject({ exitCode: 7 });
  expect(refused.stderr).toContain('error BACKUP_BLOCKED: ');
  await rm(elsewhere, { recursive: true });
  expect(await backup()).toMatchObject({ exitCode: 0 });
  expect(await inCheckpoint()).toBe(false);
  const [name = '', ...more] = await backups();
  expect(more).toEqual([]);
  await rm(path.join(out, name), { recursive: true });
});

test('hours and days that are newer than their trades and bars are due again', async () => {
  const [hour] = await app.ledger.records(spot(DONE), RANGE);
  const [victim] = truth(kept, { startMs: DAY, endMs: DAY + HOUR_MS });
  if (hour === undefined || victim === undefined) throw new Error('no first hour');
  await app.trades.bury(spot(DONE), [victim], NEVER);
  const bar = `symbol = '${DONE}' AND ts = '2024-04-09T03:05'`;
  await copyRows(app.sql, 'cdv_exact_5m', bar, { status: "'void'" });
  const settled = await settleRestored(app, app.clock.nowMs(), NEVER);
  expect(settled).toEqual({ hours: 1, days: 1 });
  const record = await app.ledger.record(spot(DONE), DAY);
  expect(record === undefined ? undefined : verdictOf(record)).toBe('open');
  expect(await rig.cli(['backfill', DONE, ...FROM_TO, '--source', 'rest'])).toMatchObject({
    exitCode: 0,
  });
  expect(await rig.cli(['verify', DONE, ...FROM_TO, '--no-klines'])).toMatchObject({ exitCode: 0 });
  expect(await app.ledger.record(spot(DONE), DAY)).toMatchObject({ contentHash: hour.contentHash });
});

test('a backup during a backfill is restored, continued and proven, with the same rows', async () => {
  const facts = await app.catalogue.find(spot(DONE));
  if (facts === undefined) throw new Error('no series');
  await app.catalogue.setSchedule(facts, DAY);
  const command = ['backfill', BUSY, ...FROM_TO, '--source', 'rest'];
  // Slow enough that the backup begins and ends before it.
  const backfill = rig.startCli(command, undefined, { CDVAULT_CONCURRENCY: '2' });
  await eventually('some hours are proven', async () => {
    const { proven } = await app.ledger.totals(spot(BUSY), RANGE);
    return proven >= 4;
  });
  const first = await backup();
  expect({ ...first }).toMatchObject({ exitCode: 0 });
  expect(await inCheckpoint()).toBe(false);
  expect(await backfill.done).toMatchObject({ exitCode: 0 });
  const [name = ''] = await backups();
  const manifest = JSON.parse(
    await readFile(path.join(out, name, 'manifest.json'), 'utf8'),
  ) as BackupManifest;
  expect(manifest).toMatchObject({
    format: 'cdvault-backup-v1',
    series: expect.arrayContaining([
      expect.objectContaining({ market: 'spot', symbol: DONE, provenHours: 48 }),
    ]) as unknown,
  });
  const atBackup = manifest.series.find(({ symbol }) => symbol === BUSY)?.provenHours ?? 0;
  expect(atBackup).toBeGreaterThanOrEqual(4);
  expect(atBackup).toBeLessThan(48);

  // The second one takes the space of what has changed.
  const second = await backup();
  expect(second.stdout).toMatch(/[\d.]+ [KM]iB of it as in the backup before/);
  const [, newer = ''] = await backups();
  const list = (await readFile(path.join(out, newer, 'SHA256SUMS'), 'utf8')).trim().split('\n');
  const links = await Promise.all(
    list.map(async (line) => (await stat(path.join(out, newer, line.slice(66)))).nlink),
  );
  expect(links.filter((count) => count > 1).length).toBeGreaterThan(list.length / 10);

  const symbols = [DONE, BUSY];
  const wanted = await Promise.all(symbols.map(async (one) => exportSeries(services.urls, one)));

  const result = await runCli(['restore', '--from', path.join(out, name)], restored());
  expect({ ...result }).toMatchObject({ exitCode: 0 });
  expect(await runCli(command, restored())).toMatchObject({ exitCode: 0 });
  const verified = await runCli(['verify', ...symbols, ...FROM_TO, '--no-klines'], restored());
  expect({ ...verified }).toMatchObject({ exitCode: 0 });
  const { stdout } = await runCli(['env', '--json'], restored());
  const env = JSON.parse(stdout) as Record<string, string>;
  const urls = {
    ...services.urls,
    questdbHttpUrl: env['QUESTDB_HTTP_URL'] ?? '',
    questdbPgUrl: env['QUESTDB_PG_URL'] ?? '',
  };
  for (const [index, symbol] of symbols.entries())
    expect(await exportSeries(urls, symbol)).toEqual(wanted[index]);
  const sql = createSql(urls.questdbPgUrl);
  const scheduled = await sql.query('SELECT symbol FROM series WHERE scheduled_from IS NOT NULL');
  await sql.close();
  expect(scheduled).toEqual([{ symbol: DONE }]);
  expect(await runCli(['restore', '--from', out], restored())).toMatchObject({ exitCode: 2 });
});

test('an interrupted restore starts over, and no other command uses what it left', async () => {
  await runCli(['down'], restored());
  await rm(home, { recursive: true });
  const command = startCli(['restore', '--from', out], {
    ...restored(),
    onLine: (line) => {
      if (line.startsWith('starting QuestDB')) command.kill('SIGKILL');
    },
  });
  await command.done;
  const status = await runCli(['status'], restored());
  expect(status).toMatchObject({ exitCode: 7 });
  expect(status.stderr).toContain('error RESTORE_UNFINISHED: ');
  expect(await runCli(['restore', '--from', out], restored())).toMatchObject({ exitCode: 0 });
  const both = ['verify', DONE, BUSY, ...FROM_TO, '--no-klines'];
  expect(await runCli(both, restored())).toMatchObject({ exitCode: 0 });
});

test('a backup of which a file has changed is not restored', async () => {
  await runCli(['down'], restored());
  await rm(home, { recursive: true });
  const newest = (await backups()).at(-1) ?? '';
  const list = await readFile(path.join(out, newest, 'SHA256SUMS'), 'utf8');
  await appendFile(path.join(out, newest, list.split('\n')[0]?.slice(66) ?? ''), 'x');
  const result = await runCli(['restore', '--from', out], restored());
  expect(result).toMatchObject({ exitCode: 11 });
  expect(result.stderr).toContain('error BACKUP_BROKEN: ');
});
