import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS, HOUR_MS, isoDay } from '../../src/domain/time/hour.ts';
import type { Series } from '../../src/domain/market.ts';
import type { ArchiveFault } from '../exchange/archive-files.ts';
import { type ArchiveServer, startArchiveServer } from '../exchange/archive-server.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { type CliResult, unique } from '../support/command-line.ts';
import { Rig, spot } from './rig.ts';

/** Before the change of unit, so that a file can have rows in the wrong unit. */
const DAY = Date.UTC(2024, 11, 30);
const DATE = isoDay(DAY);
const MONTH = '2024-12';
/** More hours than a file has that is cut at 09:29. */
const HOURS = 11;
const RANGE = { startMs: DAY, endMs: DAY + HOURS * HOUR_MS };
const ARGS = ['--from', `${DATE}T00:00Z`, '--to', `${DATE}T11:00Z`];
const trades = syntheticTrades({
  seed: 61,
  fromMs: DAY - DAY_MS,
  toMs: DAY + 3 * DAY_MS,
  tradesPerHour: 60,
  firstId: 900,
});

/** Ended some days ago, so that its file may still be late. */
const YOUNG = Math.floor(Date.now() / DAY_MS) * DAY_MS - 4 * DAY_MS;
const YOUNG_RANGE = { startMs: YOUNG + HOUR_MS, endMs: YOUNG + 7 * HOUR_MS };
const YOUNG_ARGS = ['--from', `${isoDay(YOUNG)}T01:00Z`, '--to', `${isoDay(YOUNG)}T07:00Z`];
const youngTrades = syntheticTrades({
  seed: 62,
  fromMs: YOUNG - 2 * HOUR_MS,
  toMs: YOUNG + DAY_MS + 2 * HOUR_MS,
  tradesPerHour: 30,
  firstId: 10,
});

interface Case {
  readonly fault: ArchiveFault;
  readonly symbol: string;
  /** The verdict in `archive_files`. */
  readonly verdict: string;
  /** Part of the summary's line about the file; undefined when it has none. */
  readonly words: string | undefined;
  /** Sources that the hours may come from. */
  readonly from: readonly string[];
}

function wrong(fault: ArchiveFault, verdict: string, words?: string): Case {
  const from = verdict === 'whole' ? ['archive'] : ['archive', 'rest'];
  return { fault, symbol: unique('FLT'), verdict, words, from };
}

const CASES: readonly Case[] = [
  wrong('header', 'whole'),
  wrong('crlf', 'whole'),
  wrong('replacedMeanwhile', 'whole'),
  wrong('cutDownload', 'whole'),
  wrong('otherContent', 'whole'),
  wrong('cutDay', 'truncated', 'it ends at 09:2'),
  wrong('missingRow', 'holes', '1 id is missing'),
  wrong('staleChecksum', 'refused', 'its SHA-256 is'),
  wrong('noChecksum', 'whole', 'it has no .CHECKSUM; only its ids are checked'),
  wrong('badCrc', 'refused', 'its CRC is not that of its content'),
  wrong('otherName', 'refused', 'it holds "BTCUSDT-trades.csv"'),
  wrong('twoFiles', 'refused', 'more than one file'),
  wrong('interleaved', 'refused', 'follows id'),
  wrong('doubledBlock', 'refused', 'follows id'),
  wrong('mixedUnits', 'refused', 'in microseconds|unit'),
  wrong('borderTwice', 'whole', 'rows with a wrong date are not stored'),
  wrong('zeroQuantities', 'refused', 'no quantity'),
];

const [gone, monthOnly, partMonth, late, autoLate, down] = Array.from({ length: 6 }, () =>
  unique('ABS'),
) as [string, string, string, string, string, string];
const futures = unique('UMX');

const symbols = [
  ...[...CASES.map(({ symbol }) => symbol), gone, monthOnly, partMonth, down].map((symbol) => ({
    symbol,
    trades,
  })),
  ...[late, autoLate].map((symbol) => ({ symbol, trades: youngTrades })),
];

let server: ArchiveServer;
let rig: Rig;
let app: App;
let first: CliResult;

beforeAll(async () => {
  server = await startArchiveServer([
    ...symbols,
    { symbol: futures, trades, market: 'um' as const },
    { symbol: futures, trades: youngTrades, market: 'cm' as const },
  ]);
  rig = await Rig.start({ symbols, archiveUrl: server.url });
  app = await rig.app();
  for (const { symbol, fault } of CASES) server.setFault(symbol, DATE, fault);
  for (const symbol of [gone, monthOnly, partMonth]) server.setFault(symbol, DATE, 'absent');
  server.setFault(gone, MONTH, 'denied');
  server.setFault(partMonth, MONTH, 'shortMonth');
  // One command meets all faults; each test checks one of them.
  const all = [...CASES.map(({ symbol }) => symbol), gone, monthOnly, partMonth];
  first = await rig.cli(['backfill', ...all, ...ARGS]);
}, 300_000);

afterAll(async () => {
  await rig.dispose();
  await server.close();
});

async function fileRecords(series: Series, range = RANGE): Promise<string[]> {
  const records = await app.files.records(series, range);
  return records.map(({ name, verdict }) => `${name} ${verdict}`);
}

async function openClasses(series: Series, range = RANGE): Promise<string[]> {
  const gaps = await app.ledger.openGaps(series, range);
  return [...new Set(gaps.map(({ gapClass }) => gapClass))];
}

async function expectProven(symbol: string, from: readonly string[], range = RANGE): Promise<void> {
  const records = await app.ledger.records(spot(symbol), range);
  const rows = trades.indexAtTime(range.endMs * 1000) - trades.indexAtTime(range.startMs * 1000);
  expect(records).toHaveLength(HOURS);
  expect(records.reduce((sum, record) => sum + record.rows, 0)).toBe(rows);
  expect(from).toEqual(expect.arrayContaining(records.map(({ source }) => source)));
  expect(await openClasses(spot(symbol))).toEqual([]);
}

describe('backfill --source auto, which is the default', () => {
  test('loses nothing, whatever the fault of the files', () => {
    const hours = (CASES.length + 3) * HOURS;
    expect(first.stderr).toContain(`${hours} of ${hours} hours proven`);
    expect(first.exitCode).toBe(0);
  });

  test.each(CASES)('$fault: $verdict', async ({ symbol, verdict, words, from }) => {
    const name = `${symbol}-aggTrades-${DATE}.zip`;
    expect(await fileRecords(spot(symbol))).toEqual([`${name} ${verdict}`]);
    await expectProven(symbol, from);
    if (words === undefined) expect(first.stderr).not.toContain(name);
  });

  test('reports the faults, and where to read the others', () => {
    const reported = CASES.filter(({ symbol, verdict, words }) => {
      const line = `${symbol}-aggTrades-${DATE}.zip: ${verdict}: .*(${words})`;
      return words !== undefined && new RegExp(line).test(first.stderr);
    });
    expect(reported.length).toBe(10);
    expect(first.stderr).toContain("more: select * from archive_files where evidence <> ''");
  });

  test('takes the file of the month when there is none of the day', async () => {
    expect(await fileRecords(spot(monthOnly))).toEqual([
      `${monthOnly}-aggTrades-${MONTH}.zip whole`,
    ]);
    await expectProven(monthOnly, ['archive']);
  });

  test('takes the day by REST when the file of its month does not have it', async () => {
    expect(await fileRecords(spot(partMonth))).toEqual([
      `${partMonth}-aggTrades-${MONTH}.zip empty`,
    ]);
    await expectProven(partMonth, ['rest']);
  });

  test('takes the day by REST when there is no file, answered by 404 and by 403 with XML', async () => {
    expect(await fileRecords(spot(gone))).toEqual([`${gone}-aggTrades-${DATE}.zip absent`]);
    await expectProven(gone, ['rest']);
  });

  test('uses REST when the archive host answers 500, and reports that once', async () => {
    for (const date of [DATE, MONTH]) server.setFault(down, date, 'serverError');
    const { exitCode, stderr } = await rig.cli(['backfill', down, ...ARGS]);
    expect(stderr.match(/archive files are not available, using REST instead/g)).toHaveLength(1);
    expect(stderr).toContain('11 of 11 hours proven');
    expect(exitCode).toBe(0);
  });

  test('uses REST for a late file, and reports that', async () => {
    server.setFault(autoLate, isoDay(YOUNG), 'absent');
    const { exitCode, stderr } = await rig.cli(['backfill', autoLate, ...YOUNG_ARGS]);
    expect(stderr).toMatch(/zip: absent: the exchange has no such file, or none yet/);
    expect(exitCode).toBe(0);
  });
});

describe('verify and repair', () => {
  const wrongRow = CASES.find(({ fault }) => fault === 'otherContent')?.symbol ?? '';

  test('the candles show a row whose quantity differs from the exchange’s, and repair asks REST', async () => {
    const found = await rig.cli(['verify', wrongRow, ...ARGS]);
    expect(found.stdout).toContain('kline_differs');
    expect(found.exitCode).toBe(11);
    expect(await rig.cli(['repair', wrongRow, ...ARGS])).toMatchObject({ exitCode: 0 });
    const gaps = await app.ledger.openGaps(spot(wrongRow), RANGE);
    expect(gaps.map(({ gapClass }) => gapClass)).toEqual(['duplicate_id']);
  });

  test('a file that the exchange has replaced is named with both ETags, and repair takes the new one', async () => {
    // A row that differs between the files is on record with both contents.
    const symbol = CASES.find(({ fault }) => fault === 'crlf')?.symbol ?? '';
    const name = `${symbol}-aggTrades-${DATE}.zip`;
    const [before] = await app.files.records(spot(symbol), RANGE);
    server.replace(symbol, DATE, 'otherContent');
    const now = await app.archive.find(spot(symbol), name, AbortSignal.timeout(10_000));
    const found = await rig.cli(['verify', symbol, ...ARGS]);
    expect(found.stdout).toContain(
      `${symbol} ${DATE}T00:00Z file_replaced: ${name} was loaded with ETag ${before?.etag}, the exchange now has ${now?.etag}`,
    );
    expect(found.exitCode).toBe(11);
    const skipped = await rig.cli(['verify', symbol, ...ARGS, '--no-archives']);
    expect(skipped).toMatchObject({ exitCode: 0 });
    rig.exchange.requests.clear();
    const repaired = await rig.cli(['repair', symbol, ...ARGS, '--no-klines']);
    expect(repaired.exitCode, repaired.stdout).toBe(0);
    const [after] = await app.files.records(spot(symbol), RANGE);
    expect(after).toMatchObject({ name, etag: now?.etag, verdict: 'whole' });
    const gaps = await app.ledger.openGaps(spot(symbol), RANGE);
    expect(gaps.map(({ gapClass }) => gapClass)).toEqual(['duplicate_id']);
    expect(gaps[0]?.evidence).toContain('123.45600000');
    expect(await rig.cli(['verify', symbol, ...ARGS, '--no-klines'])).toMatchObject({
      exitCode: 0,
    });
    server.replace(symbol, DATE);
    expect(await rig.cli(['repair', symbol, ...ARGS])).toMatchObject({ exitCode: 0 });
  });

  test('all other symbols are verified', async () => {
    const others = CASES.map(({ symbol }) => symbol).filter((symbol) => symbol !== wrongRow);
    const result = await rig.cli(['verify', ...others, gone, monthOnly, partMonth, ...ARGS]);
    expect(result.exitCode, result.stdout).toBe(0);
  });
});

describe('backfill --source archive', () => {
  test('a late file is awaited with exit code 3, and taken when it is there', async () => {
    server.setFault(late, isoDay(YOUNG), 'absent');
    const args = ['backfill', late, ...YOUNG_ARGS, '--source', 'archive'];
    rig.exchange.requests.clear();
    const waits = await rig.cli(args);
    expect(waits.stderr).toContain(
      `6 hours wait for the archive file of ${isoDay(YOUNG)}; the hourly schedule or the same command tries again`,
    );
    expect(waits.exitCode).toBe(3);
    expect(await openClasses(spot(late), YOUNG_RANGE)).toEqual(['pending_archive']);
    server.setFault(late, isoDay(YOUNG), undefined);
    expect(await rig.cli(args)).toMatchObject({ exitCode: 0 });
    expect(await openClasses(spot(late), YOUNG_RANGE)).toEqual([]);
    expect(rig.exchange.requests.tradeRequests().filter(({ query }) => 'fromId' in query)).toEqual(
      [],
    );
  });

  test('an old day without a file is a retention gap; a file that appears later is taken', async () => {
    const series = { market: 'binance_um', symbol: futures } as const;
    for (const date of [DATE, MONTH]) server.setFault(futures, date, 'absent');
    const inner = { startMs: DAY + HOUR_MS, endMs: DAY + 3 * HOUR_MS };
    const result = await rig.backfill(app, [series], inner, 'archive');
    expect(result).toMatchObject({ awaited: 2, unknown: 0, exitCode: 3 });
    expect(await openClasses(series, inner)).toEqual(['retention']);
    server.setFault(futures, MONTH, undefined);
    expect(await rig.backfill(app, [series], inner, 'archive')).toMatchObject({ exitCode: 0 });
    expect(await openClasses(series, inner)).toEqual([]);
  });

  test('hours after the cut of a cut file stay unproven, with their reason', async () => {
    server.setFault(futures, isoDay(YOUNG), 'cutDay');
    const series = { market: 'binance_cm', symbol: futures } as const;
    const range = { startMs: YOUNG + 8 * HOUR_MS, endMs: YOUNG + 12 * HOUR_MS };
    const result = await rig.backfill(app, [series], range, 'archive');
    expect(result).toMatchObject({ proven: 1, awaited: 3, exitCode: 3 });
    expect(await openClasses(series, range)).toEqual(['truncated_file']);
  });
});
