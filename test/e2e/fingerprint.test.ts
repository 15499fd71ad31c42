import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fingerprintRange } from '../../src/app/verify/fingerprint-range.ts';
import type { App } from '../../src/cli/compose.ts';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { floorTo, HOUR_MS, type TimeRange } from '../../src/domain/time/hour.ts';
import { type DataFault, faultySeries } from '../exchange/data-faults.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import type { TradeSeries } from '../exchange/trade-series.ts';
import { type CliResult, unique } from '../support/command-line.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { checkFingerprint, PYTHON_IS_HERE, pythonMissing } from '../support/python.ts';
import { NEVER } from '../support/store.ts';
import { hoursOfDay, truth } from './reference.ts';
import { Rig, spot } from './rig.ts';

const DAY = Date.UTC(2024, 9, 21);
const [, ONE = 0, TWO = 0, THREE = 0, FOUR = 0, FIVE = 0] = hoursOfDay(DAY);
/** The two exchanges have the same trades in the hours before this one. */
const OTHER_HOUR = FIVE;
const END = OTHER_HOUR + HOUR_MS;
const base = syntheticTrades({
  seed: 71,
  fromMs: DAY - HOUR_MS,
  toMs: END + 2 * HOUR_MS,
  tradesPerHour: 1_200,
  firstId: 1_000,
});

function idIn(hourMs: number, n: number): number {
  return base.firstId + base.indexAtTime(hourMs * 1000) + n;
}

const oddities: readonly DataFault[] = [
  { kind: 'invalidRow', id: idIn(ONE, 7) },
  // One in its own hour, and two across the borders of hours.
  { kind: 'timeBackwards', id: idIn(TWO, 600), byMs: 90_000 },
  { kind: 'timeBackwards', id: idIn(THREE, 3), byMs: 1_200_000 },
  { kind: 'timeBackwards', id: idIn(FOUR, 3), byMs: 59 * 60_000 },
];
const trades = faultySeries(base, oddities);
const otherTrades = faultySeries(base, [
  ...oddities,
  { kind: 'invalidRow', id: idIn(OTHER_HOUR, 10) },
]);
const SYMBOL = unique('FPR');
const OPEN = unique('FPROPEN');
const open: TradeSeries = syntheticTrades({
  seed: 72,
  fromMs: DAY,
  toMs: DAY + 2 * HOUR_MS,
  tradesPerHour: 50,
  firstId: 0,
});

let own: OwnServices;
/** Two installations, each with its own Redis, QuestDB and exchange. */
let here: Rig;
let there: Rig;
let thereApp: App;
let folder: string;

beforeAll(async () => {
  own = await makeOwnServices();
  folder = await mkdtemp(path.join(tmpdir(), 'cdvault-fingerprint-'));
  here = await Rig.start({
    symbols: [
      { symbol: SYMBOL, trades },
      { symbol: OPEN, trades: open },
    ],
    concurrency: 1,
  });
  const services = await own.start();
  there = await Rig.start({
    symbols: [{ symbol: SYMBOL, trades: otherTrades }],
    concurrency: 1,
    services,
  });
  // Here in one run, there in parts, the later ones first.
  await backfill(here, SYMBOL, { startMs: DAY, endMs: END });
  await backfill(here, OPEN, { startMs: DAY, endMs: DAY + 2 * HOUR_MS }, 3);
  await backfill(there, SYMBOL, { startMs: FOUR, endMs: END });
  await backfill(there, SYMBOL, { startMs: DAY, endMs: TWO });
  await backfill(there, SYMBOL, { startMs: TWO, endMs: FOUR });
  thereApp = await there.app();
}, 300_000);

afterAll(async () => {
  await here.dispose();
  await there.dispose();
  await own.dispose();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  for (const { exchange } of [here, there]) exchange.requests.clear();
});

function rangeArgs(startMs: number, endMs: number): string[] {
  return ['--from', new Date(startMs).toISOString(), '--to', new Date(endMs).toISOString()];
}

async function backfill(rig: Rig, symbol: string, range: TimeRange, exitCode = 0): Promise<void> {
  const app = await rig.app();
  expect(await rig.backfill(app, [spot(symbol)], range)).toMatchObject({ exitCode });
}

async function fingerprint(
  rig: Rig,
  endMs: number,
  more: readonly string[] = [],
): Promise<CliResult> {
  const result = await rig.cli(['fingerprint', SYMBOL, ...rangeArgs(DAY, endMs), ...more]);
  expect(rig.exchange.requests.entries).toEqual([]);
  return result;
}

function fail(why: string): never {
  throw new Error(why);
}

async function fileOf(text: string): Promise<string> {
  const file = path.join(folder, 'theirs.json');
  await writeFile(file, text);
  return file;
}

test('two stores that were filled in different orders and slices have the same fingerprint', async () => {
  const [ours, theirs] = [
    await fingerprint(here, OTHER_HOUR, ['--json']),
    await fingerprint(there, OTHER_HOUR, ['--json']),
  ];
  expect(ours.stderr).not.toContain('error');
  expect(ours.exitCode).toBe(0);
  expect(theirs.stdout).toBe(ours.stdout);

  const document = JSON.parse(ours.stdout) as { root: string; rows: number };
  expect(document).toMatchObject({ type: 'fingerprint', symbol: SYMBOL, hours: 5 });
  // A row that runs backwards across a border counts in exactly one hour.
  expect(document.rows).toBe(truth(trades, { startMs: DAY, endMs: OTHER_HOUR }).length);
  const { stdout } = await fingerprint(here, OTHER_HOUR);
  expect(stdout.split('\n')[0]).toBe(`root    ${document.root}`);
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

describe('--compare', () => {
  test('reports identical fingerprints', async () => {
    const file = await fileOf((await fingerprint(there, OTHER_HOUR, ['--json'])).stdout);
    const compare = ['--compare', file];
    expect(await fingerprint(here, OTHER_HOUR, compare)).toMatchObject({
      exitCode: 0,
      stdout: 'identical\n',
    });
    const { stdout } = await fingerprint(here, OTHER_HOUR, [...compare, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      type: 'comparison',
      identical: true,
      differs: [],
    });
  });

  test('names the hour in which two stores differ, though both are proven: exit code 11', async () => {
    const theirs = await fingerprint(there, END, ['--json']);
    expect(theirs.exitCode).toBe(0);
    const compare = ['--compare', await fileOf(theirs.stdout)];
    const { exitCode, stdout } = await fingerprint(here, END, compare);
    expect(stdout).toMatch(
      /^different in 1 of 6 hours\n {2}2024-10-21T05:00:00Z {2}[\d,]+ rows in both, with different content\n$/,
    );
    expect(exitCode).toBe(11);
    const json = JSON.parse((await fingerprint(here, END, [...compare, '--json'])).stdout);
    const rows = truth(base, { startMs: OTHER_HOUR, endMs: END }).length;
    expect(json).toMatchObject({
      identical: false,
      differs: [{ hour: '2024-10-21T05:00:00Z', rows, theirRows: rows }],
    });
  });

  test('refuses a fingerprint of another range with exit code 2, and names the range to give', async () => {
    const file = await fileOf((await fingerprint(there, OTHER_HOUR, ['--json'])).stdout);
    const { exitCode, stderr } = await fingerprint(here, END, ['--compare', file]);
    expect(stderr).toContain('Give --from 2024-10-21T00:00Z --to 2024-10-21T05:00Z.');
    expect(exitCode).toBe(2);
  });
});

describe('a store that differs from its ledger', () => {
  const range = { startMs: DAY, endMs: OTHER_HOUR };
  const hourRows = truth(trades, { startMs: TWO, endMs: THREE });
  const [victim = fail('no trade')] = hourRows.slice(100);

  async function write(row: AggTrade): Promise<void> {
    await thereApp.trades.write(spot(SYMBOL), [row], NEVER);
  }

  async function bury({ aggId, timeUs }: AggTrade): Promise<void> {
    await thereApp.trades.bury(spot(SYMBOL), [{ aggId, timeUs }], NEVER);
  }

  async function rootThere(): Promise<string> {
    return (await fingerprintRange(thereApp, spot(SYMBOL), range, NEVER)).root;
  }

  test('by one digit of one trade: exit code 11, and the hour is named', async () => {
    const before = await rootThere();
    await write({
      ...victim,
      qty: victim.qty.replace(/\d$/, (digit) => (digit === '0' ? '1' : '0')),
    });
    const { exitCode, stdout, stderr } = await fingerprint(there, OTHER_HOUR);
    await write(victim);
    expect(stderr).toContain(
      `error STORE_MISMATCH: the store no longer matches what was proven of ${SYMBOL}: 2024-10-21T02Z (all `,
    );
    expect(stderr).toContain('cdvault verify');
    expect({ exitCode, stdout }).toEqual({ exitCode: 11, stdout: '' });
    expect(await rootThere()).toBe(before);
  });

  test('by a missing trade: the hour is named', async () => {
    await bury(victim);
    const { rows } = (await thereApp.ledger.record(spot(SYMBOL), TWO)) ?? fail('no record');
    await expect(rootThere()).rejects.toMatchObject({
      code: 'STORE_MISMATCH',
      message: expect.stringMatching(
        `: 2024-10-21T02Z \\(${rows} trades were proven, ${rows - 1} are stored: ids ${victim.aggId}\\)$`,
      ),
    });
    await write(victim);
  });

  test.each([
    ['an id that no hour has', 9_999_999],
    ['an id of a later hour', idIn(OTHER_HOUR, 1)],
    ['an id of an earlier hour', idIn(ONE, 1)],
  ])('by an extra trade with %s: the hour is named', async (_, aggId) => {
    await write({ ...victim, aggId });
    await expect(rootThere()).rejects.toMatchObject({
      code: 'STORE_MISMATCH',
      message: expect.stringMatching(
        /: 2024-10-21T02Z \(1 rows that no fetch has proven: ids \d+\)$/,
      ),
    });
    await bury({ ...victim, aggId });
  });

  test('by one of its ids at a second time: the hour is named', async () => {
    const twin = { ...victim, timeUs: victim.timeUs + 1_000 };
    await write(twin);
    await expect(rootThere()).rejects.toMatchObject({ code: 'STORE_MISMATCH', exitCode: 11 });
    await bury(twin);
  });
});

test('the advised repair restores the fingerprint, also for a row whose time is in another hour', async () => {
  const series = spot(SYMBOL);
  const range = { startMs: DAY, endMs: OTHER_HOUR };
  const before = await fingerprintRange(thereApp, series, range, NEVER);
  // Stored in milliseconds, as all spot trades of 2024 are.
  const timeUs = floorTo(trades.at(trades.indexOfId(idIn(THREE, 3))).timeUs, 1000);
  expect(timeUs).toBeLessThan(THREE * 1000);
  await thereApp.trades.bury(series, [{ aggId: idIn(THREE, 3), timeUs }], NEVER);
  await expect(fingerprintRange(thereApp, series, range, NEVER)).rejects.toMatchObject({
    message: expect.stringMatching(
      /: 2024-10-21T03Z \(\d+ trades were proven, \d+ are stored: ids \d+\)$/,
    ),
  });
  const repaired = await there.cli([
    'repair',
    SYMBOL,
    ...rangeArgs(DAY, OTHER_HOUR),
    '--no-klines',
  ]);
  expect(repaired, repaired.stderr).toMatchObject({ exitCode: 0 });
  expect(await fingerprintRange(thereApp, series, range, NEVER)).toEqual(before);
});

if (!PYTHON_IS_HERE) test.skip(pythonMissing(), () => undefined);

test.runIf(PYTHON_IS_HERE)(
  'a program that shares no code computes the same hashes from the stored rows',
  async () => {
    const { stdout } = await fingerprint(here, END, ['--json']);
    const { root } = JSON.parse(stdout) as { root: string };
    const ours = await checkFingerprint(stdout, [here.services.questdbHttpUrl]);
    expect(ours).toEqual({ exitCode: 0, stdout: `holds: ${root}\n`, stderr: '' });
    // The other store has another row in the last hour.
    const theirs = await checkFingerprint(stdout, [there.services.questdbHttpUrl]);
    expect(theirs).toMatchObject({ exitCode: 1, stderr: 'differs: 2024-10-21T05:00:00Z\n' });
  },
);

describe('hours that are not proven', () => {
  test('have no fingerprint: exit code 3, and they are named', async () => {
    const { exitCode, stdout, stderr } = await fingerprint(here, END + 3 * HOUR_MS);
    expect(stderr).toContain(
      `error NOT_PROVEN: ${SYMBOL} has unproven hours: 3 hours from 2024-10-21T06Z (unknown)\n`,
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
  });

  test('include open hours', async () => {
    const { exitCode, stderr } = await here.cli([
      'fingerprint',
      OPEN,
      ...rangeArgs(DAY, DAY + 2 * HOUR_MS),
    ]);
    expect(stderr).toContain('2024-10-21T01Z (open)\n');
    expect(exitCode).toBe(3);
  });
});

test('a range within an hour is widened, and the output says so', async () => {
  const { exitCode, stderr } = await here.cli([
    'fingerprint',
    SYMBOL,
    ...rangeArgs(DAY + 1_000, DAY + 2_000),
  ]);
  expect(stderr).toContain('2024-10-21T00:00Z to 2024-10-21T01:00Z, 1 hour (widened');
  expect(exitCode).toBe(0);
});

test('a symbol without stored hours ends with exit code 2, and the exchange is not asked', async () => {
  const { exitCode, stderr } = await here.cli([
    'fingerprint',
    'NOSUCHCOIN',
    ...rangeArgs(DAY, END),
  ]);
  expect(stderr).toContain('error UNKNOWN_SYMBOL: no data of NOSUCHCOIN (spot) is stored');
  expect(exitCode).toBe(2);
  expect(here.exchange.requests.entries).toEqual([]);
});
