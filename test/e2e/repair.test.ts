import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS, HOUR_MS, isoDay } from '../../src/domain/time/hour.ts';
import { archiveFile } from '../exchange/archive-files.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { truth } from './reference.ts';
import { Rig } from './rig.ts';
import { tradesTable } from '../support/store.ts';

const DAY = Date.UTC(2024, 2, 5);
const trades = syntheticTrades({
  seed: 72,
  fromMs: DAY - DAY_MS,
  toMs: DAY + 2 * DAY_MS,
  tradesPerHour: 100,
});
const SYMBOL = unique('MEND');
const FUTURE = unique('MENDUM');
const ARGS = ['--from', isoDay(DAY), '--to', isoDay(DAY + DAY_MS)];
const UNREACHABLE = {
  BINANCE_SPOT_URL: 'http://127.0.0.1:1',
  BINANCE_UM_URL: 'http://127.0.0.1:1',
  BINANCE_ARCHIVE_URL: 'http://127.0.0.1:1',
};
/** Each request is retried for about ten seconds; jobs would retry for minutes. */
const SOON_MS = 40_000;

let rig: Rig;
let app: App;
let root: string;

beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'cdvault-mend-'));
  rig = await Rig.start({
    symbols: [
      { symbol: SYMBOL, trades },
      { market: 'um', symbol: FUTURE, trades },
    ],
  });
  app = await rig.app();
  const source = folder('three', [DAY - DAY_MS, DAY, DAY + DAY_MS]);
  expect(await rig.cli(['backfill', SYMBOL, ...ARGS, '--source', source])).toMatchObject({
    exitCode: 0,
  });
});

beforeEach(() => rig.exchange.requests.clear());

afterAll(async () => {
  await rig.dispose();
  rmSync(root, { recursive: true });
});

/** Makes a folder with the files of some days. @returns its value for `--source` */
function folder(name: string, days: readonly number[], symbol = SYMBOL): string {
  const place = path.join(root, name);
  mkdirSync(place);
  for (const dayMs of days) {
    const stem = `${symbol}-aggTrades-${isoDay(dayMs)}`;
    const plan = { market: 'spot', stem, trades, fault: undefined, version: 0 } as const;
    const { zip } = archiveFile({ ...plan, startMs: dayMs, endMs: dayMs + DAY_MS });
    writeFileSync(path.join(place, `${stem}.zip`), zip);
  }
  return `dir:${place}`;
}

/** Voids one trade of the third hour. */
async function damage(): Promise<void> {
  const [victim] = truth(trades, { startMs: DAY + 2 * HOUR_MS, endMs: DAY + 3 * HOUR_MS });
  if (victim === undefined) throw new Error('the series is too short');
  const table = await tradesTable(app.sql, SYMBOL);
  await app.sql.query(
    `INSERT INTO ${table} VALUES (${victim.timeUs}::timestamp, ${victim.aggId}, ` +
      `0m::decimal(18,8), 0m::decimal(28,8), -2, -2, ${victim.isBuyerMaker})`,
  );
  await app.sql.waitApplied(table);
}

function times(text: string, wanted: string): number {
  return text.split(wanted).length - 1;
}

test('an unreachable exchange is reported within 40 s, after the findings of verification', async () => {
  await damage();
  const { exitCode, stdout, stderr, durationMs } = await rig.cli(
    ['repair', SYMBOL, ...ARGS],
    UNREACHABLE,
  );
  expect(exitCode).toBe(5);
  expect(durationMs).toBeLessThan(SOON_MS);
  expect(stderr).toContain('error EXCHANGE_UNREACHABLE: ');
  expect(times(stderr, '1 hour to fetch again and compare')).toBe(1);
  expect(stdout).toMatch(/trades_missing: \d+ trades were proven/);
  expect(stderr).not.toMatch(/^\{/m);
});

test('hours that came from a folder are repaired from it, and no other source is asked', async () => {
  await damage();
  const source = `dir:${path.join(root, 'three')}`;
  const { exitCode, stdout, stderr } = await rig.cli(
    ['repair', SYMBOL, ...ARGS, '--source', source, '--no-klines'],
    UNREACHABLE,
  );
  expect(stderr).toContain('1 hour to fetch again and compare');
  expect(stdout).toContain('proven: 1 day');
  expect(exitCode).toBe(0);
  expect(rig.exchange.requests.entries).toEqual([]);
  expect(await rig.cli(['verify', SYMBOL, ...ARGS])).toMatchObject({ exitCode: 0 });
});

test('hours that a source does not prove are requested once, and not advised again', async () => {
  const symbol = unique('EDGES');
  const source = folder('one', [DAY], symbol);
  const args = ['repair', symbol, ...ARGS, '--source', source, '--no-klines'];
  const { exitCode, stdout, stderr } = await rig.cli(args);
  expect(exitCode).toBe(3);
  expect(times(stderr, 'to fetch')).toBe(1);
  expect(stdout).toMatch(/^nothing wrong, but 2 hours not proven$/m);
  expect(stderr).toMatch(/the trade before id \d+ is unknown/);
});

test('an unreachable archive host is reported within 40 s for old hours of futures', async () => {
  const args = ['repair', FUTURE, '--market', 'um', ...ARGS];
  const silent = await rig.cli(args, { BINANCE_ARCHIVE_URL: 'http://127.0.0.1:1' });
  expect(silent.exitCode).toBe(5);
  expect(silent.stderr).toContain('error ARCHIVE_UNREACHABLE: ');
  expect(silent.durationMs).toBeLessThan(SOON_MS);
  const byRest = await rig.cli([...args, '--source', 'rest']);
  expect(byRest.exitCode).toBe(3);
  expect(byRest.stderr).toContain('error RETENTION: ');
  expect(rig.exchange.requests.tradeRequests()).toEqual([]);
});
