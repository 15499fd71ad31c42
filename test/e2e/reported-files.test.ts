import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import {
  DAY_MS,
  daysOf,
  HOUR_MS,
  isoDay,
  MINUTE_MS,
  type TimeRange,
} from '../../src/domain/time/hour.ts';
import { verdictOf } from '../../src/domain/proof/ledger.ts';
import type { Series } from '../../src/domain/market.ts';
import type { ArchiveMarket } from '../exchange/archive-files.ts';
import {
  type ArchivedSymbol,
  type ArchiveServer,
  startArchiveServer,
} from '../exchange/archive-server.ts';
import { tradesFromArray, type TradeSeries } from '../exchange/trade-series.ts';
import { unique } from '../support/command-line.ts';
import { Rig } from './rig.ts';

/**
 * Files of symbols that trade seldom or no longer, in the shapes that users of the exchange's archive have
 * reported in public. REST has none of their trades.
 */

/** One trade at each of these times, with consecutive ids. */
function made(firstId: number, times: readonly number[]) {
  return tradesFromArray(
    times.map((timeMs, index) => ({
      a: firstId + index,
      p: '10.5',
      q: '1',
      timeUs: timeMs * 1000,
      m: index % 2 === 0,
    })),
  );
}

function every(stepMs: number, fromMs: number, toMs: number): number[] {
  return Array.from({ length: Math.ceil((toMs - fromMs) / stepMs) }, (_, n) => fromMs + n * stepMs);
}

const archived: ArchivedSymbol[] = [];

function inArchive(
  market: ArchiveMarket,
  symbol: string,
  firstId: number,
  times: readonly number[],
): Series {
  archived.push({ market, symbol, trades: made(firstId, times) });
  return { market: `binance_${market}`, symbol };
}

const JANUARY = Date.UTC(2022, 0, 10);
const purged = inArchive(
  'spot',
  unique('BTT'),
  700,
  every(30 * MINUTE_MS, JANUARY, JANUARY + 4 * DAY_MS),
);

/** Ids 500 to 519 on 2024-02-10 until 20:00, 520 and later from 2024-02-12 at 03:00; no trades in between. */
const FEBRUARY = Date.UTC(2024, 1, 10);
const thinTimes = [
  ...every(HOUR_MS, FEBRUARY - DAY_MS + 10 * HOUR_MS, FEBRUARY - DAY_MS + 20 * HOUR_MS),
  ...every(HOUR_MS, FEBRUARY + HOUR_MS, FEBRUARY + 21 * HOUR_MS),
  ...every(HOUR_MS, FEBRUARY + 2 * DAY_MS + 3 * HOUR_MS, FEBRUARY + 2 * DAY_MS + 23 * HOUR_MS),
  ...every(HOUR_MS, FEBRUARY + 3 * DAY_MS + 10 * HOUR_MS, FEBRUARY + 3 * DAY_MS + 20 * HOUR_MS),
];
const thin = inArchive('cm', `${unique('ADA')}_240628`, 490, thinTimes);
const thinAlone = inArchive('cm', `${unique('ADB')}_240628`, 490, thinTimes);
const thinLater = inArchive('cm', `${unique('ADC')}_240628`, 490, thinTimes);

/** Delivered on 2024-03-29 at 08:00; its last trade is half a second after that. */
const MARCH = Date.UTC(2024, 2, 27);
const deliveredTimes = [
  ...every(10 * MINUTE_MS, MARCH, MARCH + 2 * DAY_MS + 8 * HOUR_MS),
  MARCH + 2 * DAY_MS + 8 * HOUR_MS + 500,
];
const delivered = inArchive('um', `${unique('BTC')}_240329`, 1, deliveredTimes);

const [unasked, stillTrading] = ['BTD', 'BTE'].map((name) =>
  inArchive('um', `${unique(name)}_240329`, 1, deliveredTimes),
) as [Series, Series];

let server: ArchiveServer;
let rig: Rig;
let app: App;

beforeAll(async () => {
  server = await startArchiveServer(archived);
  for (const { symbol, trades } of archived)
    for (const dayMs of daysWithoutTrades(trades)) server.setFault(symbol, isoDay(dayMs), 'absent');
  for (const { symbol } of archived)
    for (const month of ['2022-01', '2024-02', '2024-03']) server.setFault(symbol, month, 'absent');
  // Its trades are older than the history of REST.
  const trading = { market: 'um' as const, symbol: stillTrading.symbol, trades: made(1, [MARCH]) };
  rig = await Rig.start({ archiveUrl: server.url, symbols: [trading] });
  app = await rig.app();
});

afterAll(async () => {
  await rig.dispose();
  await server.close();
});

/** Days without trades, for which the exchange has no file. */
function daysWithoutTrades(trades: TradeSeries): number[] {
  const [first, last] = [0, trades.count - 1].map((index) => trades.at(index).timeUs / 1000);
  return [...daysOf({ startMs: first ?? 0, endMs: (last ?? 0) + 1 })].filter(
    (dayMs) => trades.indexAtTime(dayMs * 1000) === trades.indexAtTime((dayMs + DAY_MS) * 1000),
  );
}

async function verdicts(series: Series, range: TimeRange): Promise<Map<number, string>> {
  const records = await app.ledger.records(series, range);
  return new Map(records.map((record) => [record.hourMs, verdictOf(record)]));
}

async function expectProven(series: Series, range: TimeRange): Promise<void> {
  const hours = (range.endMs - range.startMs) / HOUR_MS;
  const { exitCode, stderr } = await rig.cli(['backfill', ...args(series, range)]);
  expect(stderr).toContain(`${hours} of ${hours} hours proven`);
  expect(exitCode, stderr).toBe(0);
  expect(await app.ledger.openGaps(series, range)).toEqual(
    (await app.ledger.openGaps(series, range)).filter(({ gapClass }) => gapClass === 'halt'),
  );
  expect(await rig.cli(['verify', ...args(series, range)])).toMatchObject({ exitCode: 0 });
}

function args({ market, symbol }: Series, { startMs, endMs }: TimeRange): string[] {
  const name = market.replace('binance_', '');
  return [symbol, '--market', name, '--from', isoDay(startMs), '--to', isoDay(endMs)];
}

test('hours of a symbol without REST trades are proven by its files, also in a second run', async () => {
  const range = { startMs: JANUARY, endMs: JANUARY + 3 * DAY_MS };
  for (const turn of [1, 2]) {
    const { exitCode, stderr } = await rig.cli(['backfill', ...args(purged, range)]);
    expect(stderr, `turn ${turn}`).toContain('71 of 72 hours proven');
    expect(exitCode, stderr).toBe(3);
    const found = await verdicts(purged, range);
    expect(found.get(JANUARY)).toBe('gap');
    expect([...found.values()].filter((verdict) => verdict === 'proven')).toHaveLength(71);
  }
});

const THIN = { startMs: FEBRUARY, endMs: FEBRUARY + 3 * DAY_MS };

test('a day without a file between two days with consecutive ids is proven without trades', async () => {
  await expectProven(thin, THIN);
  const silent = await app.ledger.records(thin, {
    startMs: FEBRUARY + DAY_MS,
    endMs: FEBRUARY + 2 * DAY_MS,
  });
  expect(silent.map(({ rows, prev, next }) => [rows, prev?.id, next?.id])).toEqual(
    Array.from({ length: 24 }, () => [0, 519, 520]),
  );
});

test('such a day alone is proven by the files beside it, which are not stored', async () => {
  await expectProven(thinAlone, { startMs: FEBRUARY + DAY_MS, endMs: FEBRUARY + 2 * DAY_MS });
  expect(await app.ledger.totals(thinAlone, THIN)).toMatchObject({ proven: 24, rows: 0 });
});

test('days beside such a day are proven one after the other, and then the day itself', async () => {
  for (const day of [2, 0, 1])
    await expectProven(thinLater, {
      startMs: FEBRUARY + day * DAY_MS,
      endMs: FEBRUARY + (day + 1) * DAY_MS,
    });
  expect(await app.ledger.totals(thinLater, THIN)).toMatchObject({ proven: 72, gap: 0, open: 0 });
});

test('the end of a delivered contract, and the days after it, are proven by no later file and no listing', async () => {
  const range = { startMs: MARCH, endMs: MARCH + 5 * DAY_MS };
  await expectProven(delivered, range);
  const edges = await app.sql.query(
    `SELECT edge, count() hours FROM coverage WHERE symbol = '${delivered.symbol}' ORDER BY edge`,
  );
  expect(edges).toEqual([
    { edge: null, hours: '55' },
    { edge: 'end_of_symbol', hours: '64' },
    { edge: 'listing', hours: '1' },
  ]);
});

test.each([
  ['an exchange that can’t be asked', () => unasked, 'the exchange could not be asked whether'],
  ['an exchange that still trades it', () => stillTrading, 'the exchange still trades'],
])('with %s the end stays open, and the reason is reported', async (what, of, why) => {
  const series = of();
  const range = { startMs: MARCH + DAY_MS, endMs: MARCH + 3 * DAY_MS };
  const isDown = what.includes('asked');
  const source = ['--source', 'archive'];
  const { exitCode, stderr } = await rig.cli(
    ['backfill', ...args(series, range), ...source],
    isDown ? { BINANCE_UM_URL: 'http://127.0.0.1:9' } : {},
  );
  expect(stderr).toContain('32 of 48 hours proven');
  expect(stderr).toContain(why);
  expect(exitCode).toBe(3);
});

describe('a lone day from a folder', () => {
  const NEW_YEAR = Date.UTC(2024, 0, 1);
  const FIRST_ID = 2_807_759_891;
  const DAY = { startMs: NEW_YEAR, endMs: NEW_YEAR + DAY_MS };
  const series: Series = { market: 'binance_spot', symbol: unique('LON') };
  let folder: string;

  /** Writes the file of a day with six trades an hour and a byte order mark. */
  function put(dayMs: number): void {
    const times = every(10 * MINUTE_MS, dayMs, dayMs + DAY_MS);
    const firstId = FIRST_ID + ((dayMs - NEW_YEAR) / DAY_MS) * times.length;
    const rows = times.map((timeMs, index) => {
      const id = firstId + index;
      return `${id},42283.58000000,0.01000000,${id},${id},${timeMs + 5},True,True\n`;
    });
    const name = `${series.symbol}-aggTrades-${isoDay(dayMs)}.csv`;
    writeFileSync(path.join(folder, name), `\u{FEFF}${rows.join('')}`);
  }

  const backfill = () => rig.cli(['backfill', ...args(series, DAY), '--source', `dir:${folder}`]);

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'cdvault-lone-'));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('names the files that would prove its ends, and leaves the unknown count of missing ids open', async () => {
    put(NEW_YEAR);
    const { exitCode, stderr } = await backfill();
    expect(exitCode).toBe(3);
    expect(stderr).toContain('22 of 24 hours proven, 144 trades stored');
    expect(stderr).not.toContain('run the same command later');
    const hint = `put that file into ${folder}, or run backfill with --source auto`;
    const [before, behind] = ['2023-12-31', '2024-01-02'].map(
      (date) => `${series.symbol}-aggTrades-${date}.zip`,
    );
    const reasons = [
      `the trade before id ${FIRST_ID} is unknown: it is the last one in ${before} or in the nearest file before that; ${hint}`,
      `the trade after id ${FIRST_ID + 143} is unknown: it is the first one in ${behind} or in the nearest file after that; ${hint}`,
    ];
    for (const [index, hour] of ['2024-01-01T00Z', '2024-01-01T23Z'].entries())
      expect(stderr).toContain(`${series.symbol}: the hour ${hour} not proven: ${reasons[index]}`);
    const trust = await app.sql.query(
      'SELECT verdict, count() hours, sum(rows) trades, sum(missing) missing FROM coverage ' +
        `WHERE symbol = '${series.symbol}' AND ts IN '2024-01-01' ORDER BY verdict`,
    );
    expect(trust).toEqual([
      { verdict: 'gap', hours: '1', trades: '6', missing: null },
      { verdict: 'open', hours: '1', trades: '6', missing: '0' },
      { verdict: 'proven', hours: '22', trades: '132', missing: '0' },
    ]);
    const gaps = await app.ledger.openGaps(series, DAY);
    expect(gaps.map(({ hourMs, gapClass }) => [hourMs, gapClass])).toEqual([
      [NEW_YEAR, 'unknown_neighbour'],
      [NEW_YEAR + 23 * HOUR_MS, 'unknown_neighbour'],
    ]);
  });

  test('is proven once these files are there', async () => {
    put(NEW_YEAR - DAY_MS);
    put(NEW_YEAR + DAY_MS);
    expect(await backfill()).toMatchObject({ exitCode: 0 });
    expect(await app.ledger.openGaps(series, DAY)).toEqual([]);
  });
});
