import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pruneSeries, type PruneStep } from '../../src/app/keep/prune-trades.ts';
import { hourLease } from '../../src/app/leases.ts';
import { verifyRange } from '../../src/app/verify/verify-range.ts';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS } from '../../src/domain/time/hour.ts';
import { type CliResult, unique } from '../support/command-line.ts';
import { copyRows } from '../support/copied-rows.ts';
import { exportSeries, RESULT_TABLES } from '../support/exports.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { type ProxiedServices, proxyServices } from '../support/proxied-services.ts';
import { NEVER } from '../support/store.ts';
import { DAY, DAYS, FROM_TO, makeTableByDay, RANGE, twoDays } from '../support/two-days.ts';
import { Rig, spot } from './rig.ts';

const FIRST_DAY = ['--from', '2024-03-05', '--to', '2024-03-06'];
const SYMBOL = unique('PRUNE');
const series = spot(SYMBOL);
const RECORDS = RESULT_TABLES.filter((table) => table !== 'agg_trades');

let own: OwnServices;
let services: ProxiedServices;
let rig: Rig;
let app: App;

beforeAll(async () => {
  own = await makeOwnServices();
  services = await proxyServices(await own.start());
  const symbols = [{ symbol: SYMBOL, trades: twoDays(87, 200) }];
  rig = await Rig.start({ services: services.urls, symbols });
  app = await rig.app();
  await makeTableByDay(app.sql, series, DAY);
  expect(await rig.backfill(app, [series], RANGE)).toMatchObject({ exitCode: 0 });
});

afterAll(async () => {
  await rig.dispose();
  await services.close();
  await own.dispose();
});

const partitions = async () => (await app.partitions.trades.list(series)).map(({ name }) => name);
const prune = async (...more: string[]) =>
  rig.cli(['prune', SYMBOL, '--older-than', '30d', ...more]);
const verify = async () => rig.cli(['verify', SYMBOL, ...FROM_TO, '--no-klines']);
const fetchAgain = async () => rig.cli(['repair', SYMBOL, ...FROM_TO, '--no-klines', '--pruned']);
const records = async () => exportSeries(services.urls, SYMBOL, RECORDS);

/** What verify finds wrong or not proven, without a process of its own. */
async function findings() {
  const found = [];
  const options = { klines: false, archives: false };
  for await (const day of verifyRange(app, { series, range: RANGE }, options, NEVER))
    found.push(...day.findings, ...day.unproven);
  return found;
}

async function expectWhole(): Promise<void> {
  expect(await partitions()).toEqual(DAYS);
  expect(await app.prunings.days(series, RANGE)).toEqual([]);
}

describe('prune', () => {
  test('says what it would drop, and changes nothing before it is confirmed', async () => {
    const dry = await prune('--dry-run');
    expect(dry).toMatchObject({ exitCode: 0 });
    expect(dry.stdout).toMatch(/^would drop {2}2 days of 1 series, [\d,]+ trades, [\d.]+ KiB$/m);
    expect(dry.stdout).toContain('kept        1: the newest partition of its table');
    const unasked = await prune();
    expect(unasked).toMatchObject({ exitCode: 2 });
    expect(unasked.stderr).toContain('would drop  2 days');
    expect(unasked.stderr).toContain('--yes');
    await expectWhole();
  });

  test('a partition with rows of an hour after it is kept', async () => {
    const steps: PruneStep[] = [];
    const options = { isDryRun: false, beforeMs: DAY + DAY_MS };
    for await (const step of pruneSeries(app, series, options, NEVER)) steps.push(step);
    expect(steps).toMatchObject([{ state: 'kept', why: 'edge' }]);
  });

  test('an hour that is not proven, or a busy hour keeps its partition', async () => {
    const ofHour = `symbol = '${SYMBOL}' AND ts = '2024-03-06T05'`;
    const [hour] = await app.sql.query(`SELECT next_id FROM slices WHERE ${ofHour}`);
    await copyRows(app.sql, 'slices', ofHour, { next_id: 'NULL::long' });
    const kept = await prune('--yes');
    expect(kept.stdout).toContain('kept        1: with hours that are not proven');
    // Its hours reach into the first day.
    expect(kept.stdout).toContain(
      'kept        1: the hour after it is not proven, or has rows in it',
    );
    await copyRows(app.sql, 'slices', ofHour, { next_id: `${hour?.['next_id']}` });
    const busy = await app.leases.tryAcquire(hourLease({ ...series, hourMs: DAY + DAY_MS }), NEVER);
    expect((await prune('--yes')).stdout).toContain('kept        1: somebody works on its hours');
    await busy?.release();
    await expectWhole();
  });

  /** One prune, whose days the last test fetches again. */
  describe('of two days', () => {
    let before: Awaited<ReturnType<typeof exportSeries>>;
    let fingerprint: CliResult;
    let pruned: CliResult;
    const ofRecords = () =>
      Object.fromEntries(Object.entries(before).filter(([table]) => table !== 'agg_trades'));

    beforeAll(async () => {
      before = await exportSeries(services.urls, SYMBOL);
      fingerprint = await rig.cli(['fingerprint', SYMBOL, ...FROM_TO]);
      pruned = await prune('--yes');
    });

    test('drops trades alone; nothing is due, and each command says what it can no longer do', async () => {
      expect(pruned.stdout).toMatch(/^dropped {5}2 days of 1 series, [\d,]+ trades, [\d.]+ KiB$/m);
      expect(await partitions()).toEqual(['2024-03-07']);
      expect(await records()).toEqual(ofRecords());

      const requests = rig.exchange.requests.tradeRequests().length;
      const backfill = await rig.cli(['backfill', SYMBOL, ...FROM_TO]);
      expect(backfill).toMatchObject({ exitCode: 0 });
      const repair = await rig.cli(['repair', SYMBOL, ...FROM_TO, '--no-klines']);
      expect(repair).toMatchObject({ exitCode: 0 });
      expect(rig.exchange.requests.tradeRequests().length).toBe(requests);
      expect(await records()).toEqual(ofRecords());

      const verified = await verify();
      expect(verified).toMatchObject({ exitCode: 0 });
      expect(verified.stdout).toContain(`${SYMBOL} 2024-03-05 to 2024-03-06: trades pruned;`);
      expect(verified.stdout).toContain('trades of 2 days pruned');
      for (const command of [
        ['fingerprint', SYMBOL, ...FROM_TO],
        ['export', SYMBOL, ...FIRST_DAY, '--what', 'trades', '--out', '/nowhere-that-is-written'],
      ]) {
        const refused = await rig.cli(command);
        expect(refused).toMatchObject({ exitCode: 3 });
        expect(refused.stderr).toContain(`error TRADES_PRUNED: the trades of ${SYMBOL} of `);
        expect(refused.stderr).toContain('repair --pruned');
      }
      expect(
        await rig.cli(['fingerprint', SYMBOL, '--from', '2024-03-07', '--to', '2024-03-07T02:00Z']),
      ).toMatchObject({ exitCode: 0 });
      const out = await mkdtemp(path.join(tmpdir(), 'cdvault-bars-'));
      const bars = ['export', SYMBOL, ...FIRST_DAY, '--what', 'bars', '--out', out];
      expect(await rig.cli(bars)).toMatchObject({ exitCode: 0 });
      await rm(out, { recursive: true });
      const api = await app.openApi();
      const asked = new URLSearchParams({
        symbol: SYMBOL,
        from: '2024-03-05',
        to: '2024-03-05T01:00Z',
      });
      await expect(api.ask('/trades', asked)).rejects.toMatchObject({ code: 'TRADES_PRUNED' });
      await api.close();
    });

    test('bars of another layout are not due in pruned days, and verify compares their sums', async () => {
      const ofDay = `symbol = '${SYMBOL}' AND ts = '2024-03-05'`;
      const [day] = await app.sql.query(`SELECT layout FROM bar_days WHERE ${ofDay}`);
      await copyRows(app.sql, 'bar_days', ofDay, { layout: "'1 of an earlier release'" });
      const plan = await rig.cli(['plan', SYMBOL, ...FIRST_DAY, '--json']);
      expect(JSON.parse(plan.stdout.split('\n')[0] ?? '')).toMatchObject({
        series: [{ dueBarDays: 0 }],
      });
      expect(await rig.backfill(app, [series], RANGE)).toMatchObject({ exitCode: 0 });
      expect(await findings()).toEqual([]);
      await copyRows(app.sql, 'bar_days', ofDay, { layout: `'${day?.['layout']}'` });
    });

    test('a bar of a pruned day that was altered is found', async () => {
      const bar = `symbol = '${SYMBOL}' AND ts = '2024-03-05T03:05'`;
      await copyRows(app.sql, 'cdv_exact_5m', bar, {
        buy_volume: '(buy_volume + 1m)::decimal(38,8)',
        delta: '(delta + 1m)::decimal(38,8)',
      });
      const wrong = await verify();
      expect(wrong).toMatchObject({ exitCode: 11 });
      expect(wrong.stdout).toContain('bar_differs: 5m bars');
    });

    test('trades that are fetched again are those of before', async () => {
      const again = await fetchAgain();
      expect({ ...again }).toMatchObject({ exitCode: 0 });
      expect(again.stderr).toContain(`${SYMBOL} 2024-03-05: trades are stored and proven again`);
      expect((await rig.cli(['fingerprint', SYMBOL, ...FROM_TO])).stdout).toBe(fingerprint.stdout);
      // The bar that was altered is built again, too.
      expect(await exportSeries(services.urls, SYMBOL)).toEqual(before);
      const whole = await verify();
      expect({ ...whole }).toMatchObject({ exitCode: 0 });
      expect(whole.stdout).not.toContain('pruned');
      await expectWhole();
    });
  });

  test.each(['request', 'answer'] as const)(
    'kill -9 with the %s of a drop on its way: nothing is due, and the next run ends it',
    async (side) => {
      const before = await records();
      const held = services.questdbPg.hold('DROP PARTITION LIST', side);
      const command = rig.startCli(['prune', SYMBOL, '--older-than', '30d', '--yes']);
      await held.reached;
      command.kill('SIGKILL');
      await command.done;
      await rig.expireLeases();
      expect(await findings()).toEqual([]);
      expect(await rig.backfill(app, [series], RANGE)).toMatchObject({ exitCode: 0 });
      const ended = await prune('--yes');
      expect({ ...ended }).toMatchObject({ exitCode: 0 });
      expect(await partitions()).toEqual(['2024-03-07']);
      expect(await records()).toEqual(before);
      expect(await fetchAgain()).toMatchObject({ exitCode: 0 });
      await expectWhole();
    },
  );
});
