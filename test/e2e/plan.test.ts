import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CostedPlan } from '../../src/cli/print/plan-report.ts';
import { describePlan, planAll, totalsOf } from '../../src/cli/print/plan-report.ts';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS, HOUR_MS, isoDay } from '../../src/domain/time/hour.ts';
import { archiveFile } from '../exchange/archive-files.ts';
import { type ArchiveServer, startArchiveServer } from '../exchange/archive-server.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { Rig, spot } from './rig.ts';

const FROM = Date.UTC(2022, 0, 1);
const YEARS = ['--from', '2022-01-01', '--to', '2025-01-01'];
const DAYS = 1_096;
const trades = syntheticTrades({
  seed: 71,
  fromMs: FROM,
  toMs: FROM + DAYS * DAY_MS,
  tradesPerHour: 2,
  firstId: 0,
});
const names = Array.from({ length: 5 }, () => unique('PLN'));
const futures = unique('PLF');
const signal = AbortSignal.timeout(100_000);

let server: ArchiveServer;
let rig: Rig;
let app: App;

beforeAll(async () => {
  const symbols = names.map((symbol) => ({ symbol, trades }));
  server = await startArchiveServer([...symbols, { symbol: futures, trades, market: 'um' }]);
  rig = await Rig.start({ symbols, archiveUrl: server.url });
  app = await rig.app();
});

afterAll(async () => {
  await rig.dispose();
  await server.close();
});

describe('plan', () => {
  test('three years of five symbols are planned by listings, counted by ids and printed in 80 columns', async () => {
    for (const date of ['2023-02-01', '2023-02']) server.setFault(names[0] ?? '', date, 'absent');
    const before = server.requests.length;
    const { stdout, exitCode } = await rig.cli(['plan', ...names, ...YEARS]);
    expect(exitCode).toBe(0);
    // Three pages of day files and one of month files for each symbol.
    expect(server.requests.slice(before).map((line) => line.slice(0, 4))).toEqual(
      Array(20).fill('LIST'),
    );
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    const cells = stdout.split('\n').find((line) => line.startsWith(names[0] ?? ''));
    // The day without a file is planned by REST.
    expect(cells).toMatch(/26,304 +26,280 +1,095 +\S+ \S+ +24 /);
    expect(stdout).toContain(` ${(5 * trades.count).toLocaleString('en-US')} rows, `);
    expect(stdout).toMatch(/to download, .* on disk, at most .* in Redis/);
  });

  test('plans by REST alone, and prints JSON', async () => {
    const [symbol = ''] = names;
    const args = ['plan', symbol, '--from', '2022-01-01', '--to', '2022-01-03', '--json'];
    const { stdout } = await rig.cli([...args, '--source', 'rest']);
    const plan = JSON.parse(stdout) as { series: CostedPlan[]; weight: number; requests: number };
    expect(plan.series[0]).toMatchObject({
      archiveHours: 0,
      restHours: 48,
      downloadBytes: 0,
      rowsFrom: 'ids',
      rows: trades.indexAtTime((FROM + 2 * DAY_MS) * 1000),
    });
    expect(plan.weight).toBe(plan.requests * 4);
  });

  test('reports that the exchange does not list its files', async () => {
    server.setListing(false);
    const [symbol = ''] = names;
    const { stdout } = await rig.cli([
      'plan',
      symbol,
      '--from',
      '2022-01-01',
      '--to',
      '2022-01-03',
    ]);
    expect(stdout).toContain('does not list its archive files, assuming that all exist');
    server.setListing(true);
  });

  test('counts futures by the sizes of files, and reports hours that no file has', async () => {
    const series = [{ market: 'binance_um', symbol: futures }] as const;
    for (const date of ['2022-01-02', '2022-01']) server.setFault(futures, date, 'absent');
    const range = { startMs: FROM, endMs: FROM + 3 * DAY_MS };
    const wanted = { range, choice: 'auto' } as const;
    const plans = await planAll(app, series, wanted, { signal, isRough: false });
    const rows = 2 * (trades.indexAtTime((FROM + DAY_MS) * 1000) - 0);
    expect(plans[0]).toMatchObject({ archiveHours: 48, files: 2, restHours: 0, rowsFrom: 'sizes' });
    expect(Math.abs((plans[0]?.rows ?? 0) - rows) / rows).toBeLessThan(0.5);
    expect(describePlan(plans, await totalsOf(app, plans))).toContain(
      '24 hours of 2022-01-02 not available: no file has them',
    );
  });
});

describe('plan without the exchange', () => {
  const SILENT = {
    BINANCE_SPOT_URL: 'http://127.0.0.1:1',
    BINANCE_ARCHIVE_URL: 'http://127.0.0.1:1',
  };
  const plan = async (symbol: string, ...more: string[]) =>
    rig.cli(['plan', symbol, '--from', '2022-01-05', '--to', '2022-01-07', ...more], SILENT);

  test('of an unknown symbol counts hours by the calendar, and reports what could not be asked', async () => {
    const { exitCode, stdout, stderr } = await plan(unique('PLX'));
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^PLX\w+ +48 +48 +0 +\? +0 +\S+ +\?$/m);
    expect(stdout).toContain('rows, time and disk are unknown');
    expect(stdout).toMatch(/archive files could not be listed, .*ARCHIVE_UNREACHABLE: /);
    expect(stdout).toMatch(
      /could not be asked for trade ids, rows are unknown: EXCHANGE_UNREACHABLE: /,
    );
    expect(stdout + stderr).not.toContain('1970');
  });

  test('of a series that is stored in part estimates rows from the stored hours', async () => {
    const [, , , symbol = ''] = names;
    const stored = { startMs: FROM, endMs: FROM + 6 * HOUR_MS };
    expect(await rig.backfill(app, [spot(symbol)], stored)).toMatchObject({ proven: 6 });
    const { stdout } = await plan(symbol, '--json');
    const { rows } = await app.ledger.totals(spot(symbol), stored);
    expect(JSON.parse(stdout)).toMatchObject({
      series: [
        { rowsFrom: 'ledger', rows: Math.round((rows * 48) / 6), unasked: expect.any(String) },
      ],
    });
  });

  test('by files alone shows no URL of 1970', async () => {
    const { exitCode, stdout, stderr } = await plan(unique('PLY'), '--source', 'archive');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('ARCHIVE_UNREACHABLE');
    expect(stdout + stderr).not.toContain('1970');
  });
});

describe('--source dir:PATH', () => {
  let folder: string;
  const [, symbol = '', absent = ''] = names;
  const RANGE = ['--from', '2022-01-01', '--to', '2022-01-04'];

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'cdvault-files-'));
    for (const [index, dayMs] of [FROM, FROM + 2 * DAY_MS].entries()) {
      const stem = `${symbol}-aggTrades-${isoDay(dayMs)}`;
      const facts = { market: 'spot', fault: undefined, version: 0, trades, stem } as const;
      const file = archiveFile({ ...facts, startMs: dayMs, endMs: dayMs + DAY_MS });
      await writeFile(path.join(folder, `${stem}.zip`), file.zip);
      const checksum = index === 0 ? file.checksum : file.checksum.replace(/^\w/, 'x');
      await writeFile(path.join(folder, `${stem}.zip.CHECKSUM`), checksum);
    }
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test.each([
    ['no folder', () => '/no/such/folder', 'is not a folder'],
    ['no file of the range', () => folder, 'has no file of'],
  ])('%s is refused with exit code 2 before anything runs', async (_name, place, words) => {
    const args = ['backfill', absent, ...RANGE, '--source', `dir:${place()}`];
    const { exitCode, stderr } = await rig.cli(args, { REDIS_URL: 'redis://127.0.0.1:9' });
    expect(stderr).toContain(words);
    expect(exitCode).toBe(2);
  });

  test('plan prints what will be read, and neither downloads nor requests', async () => {
    const { stdout } = await rig.cli(['plan', symbol, ...RANGE, '--source', `dir:${folder}`]);
    expect(stdout.split('\n')[0]).toMatch(/ to read /);
    expect(stdout).not.toMatch(/download|weight/);
  });

  test('backfill takes the days of the folder, names the missing ones, and requests no trades', async () => {
    rig.exchange.requests.clear();
    const before = server.requests.length;
    const args = ['backfill', symbol, ...RANGE, '--source', `dir:${folder}`];
    const { exitCode, stderr } = await rig.cli(args);
    expect(stderr).toContain(`${symbol}: no file for 1 day: 2022-01-02`);
    expect(stderr).toContain(
      `24 hours of 2022-01-02 not available: ${folder} has no ${symbol}-aggTrades-2022-01-02.zip or .csv`,
    );
    expect(stderr).toMatch(
      /24 hours of 2022-01-03 not proven .*refused.*not the one in its \.CHECKSUM/,
    );
    // The trade after the last hour is not known.
    expect(
      await app.ledger.totals(spot(symbol), { startMs: FROM, endMs: FROM + DAY_MS }),
    ).toMatchObject({
      proven: 23,
    });
    expect(exitCode).toBe(3);
    expect(rig.exchange.requests.tradeRequests()).toEqual([]);
    expect(server.requests.length).toBe(before);
  });
});
