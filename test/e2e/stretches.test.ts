import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { verdictOf } from '../../src/domain/proof/ledger.ts';
import { DAY_MS, HOUR_MS, isoDay, type TimeRange } from '../../src/domain/time/hour.ts';
import type { ArchiveFault } from '../exchange/archive-files.ts';
import { type ArchiveServer, startArchiveServer } from '../exchange/archive-server.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { tradesTable } from '../support/store.ts';
import { truth } from './reference.ts';
import { Rig, spot } from './rig.ts';

/** Ten days of which the month ends after the fourth: two stretches. */
const FROM = Date.UTC(2024, 0, 28);
const RANGE: TimeRange = { startMs: FROM, endMs: FROM + 10 * DAY_MS };
const HOURS = 240;
const dayAt = (index: number) => FROM + index * DAY_MS;
const trades = syntheticTrades({
  seed: 77,
  fromMs: FROM - 3 * HOUR_MS,
  toMs: RANGE.endMs + 3 * HOUR_MS,
  tradesPerHour: 20,
  firstId: 5_000,
});

const names: string[] = Array.from({ length: 20 }, () => unique('STR'));
const symbols = names.map((symbol) => ({ symbol, trades }));

let server: ArchiveServer;
let rig: Rig;
let app: App;
/** As by REST, hour by hour. */
let hashes: readonly string[];

beforeAll(async () => {
  server = await startArchiveServer(symbols);
  rig = await Rig.start({ symbols, archiveUrl: server.url });
  app = await rig.app();
  const byRest = fresh();
  await rig.backfill(app, [spot(byRest)], RANGE);
  hashes = await hashesOf(byRest);
  expect(hashes).toHaveLength(HOURS);
});

afterAll(async () => {
  await rig.dispose();
  await server.close();
});

/** A symbol that no test has used yet. */
function fresh(): string {
  const symbol = names.pop();
  if (symbol === undefined) throw new Error('the file needs more symbols');
  return symbol;
}

async function records(symbol: string, range = RANGE) {
  return app.ledger.records(spot(symbol), range);
}

async function hashesOf(symbol: string): Promise<string[]> {
  return (await records(symbol)).map(({ contentHash, rows }) => `${rows} ${contentHash}`);
}

/** Commits to a table so far. */
async function commits(table: string): Promise<number> {
  const [row] = await app.sql.query(
    `SELECT sequencerTxn FROM wal_tables() WHERE name = '${table}'`,
  );
  return Number(row?.['sequencerTxn'] ?? 0);
}

async function storedRows(symbol: string, { startMs, endMs }: TimeRange): Promise<number> {
  const window = { startUs: startMs * 1000, endUs: endMs * 1000 };
  return (await app.trades.readBack(spot(symbol), window)).rows;
}

test('the days of a month are one job and one commit of trades, with the same hashes as by REST', async () => {
  const symbol = fresh();
  const result = await rig.backfill(app, [spot(symbol)], RANGE, 'auto');
  expect(result).toMatchObject({ exitCode: 0, proven: HOURS, rows: truth(trades, RANGE).length });
  expect(await hashesOf(symbol)).toEqual(hashes);
  const sources = (await records(symbol)).map(({ source }) => source);
  expect(new Set(sources)).toEqual(new Set(['archive']));
  // Of the two months.
  expect(await commits(await tradesTable(app.sql, symbol))).toBe(2);
  // The exchange is asked for the two trades around a stretch, not for those around each day.
  const asked = rig.exchange.requests.tradeRequests();
  expect(asked.filter(({ query }) => query['symbol'] === symbol)).toHaveLength(4);
});

test('the days of files alone are joined at each midnight', async () => {
  const symbol = fresh();
  const result = await rig.backfill(app, [spot(symbol)], RANGE, 'archive');
  expect(result).toMatchObject({ exitCode: 0, proven: HOURS });
  expect(await hashesOf(symbol)).toEqual(hashes);
});

test('the next files of a stretch are downloaded while a file is read', async () => {
  const symbol = fresh();
  server.setLatency(100);
  try {
    const result = await rig.backfill(app, [spot(symbol)], RANGE, 'auto');
    expect(result).toMatchObject({ exitCode: 0, proven: HOURS });
  } finally {
    server.setLatency(0);
  }
  expect(await hashesOf(symbol)).toEqual(hashes);
  // Two stretches, each with the file that it waits for and four ahead.
  expect(server.mostAtOnce()).toBeGreaterThanOrEqual(5);
  expect(server.mostAtOnce()).toBeLessThanOrEqual(10);
  const files = server.requests.filter((asked) => asked.includes(`/${symbol}-aggTrades-2024`));
  expect(new Set(files).size).toBe(files.length);
});

test('a host that does not answer is asked for the files ahead, and for no others', async () => {
  const symbol = fresh();
  const second = { startMs: dayAt(4), endMs: RANGE.endMs };
  const days = [4, 5, 6, 7, 8, 9].map((index) => isoDay(dayAt(index)));
  for (const day of days) server.setFault(symbol, day, 'serverError');
  const result = await rig.backfill(app, [spot(symbol)], second, 'auto');
  expect(result).toMatchObject({ exitCode: 0, proven: 144 });
  const sources = (await records(symbol, second)).map(({ source }) => source);
  expect(new Set(sources)).toEqual(new Set(['rest']));
  const asked = days.filter((day) =>
    server.requests.some((one) => one.includes(`/${symbol}-aggTrades-${day}.zip`)),
  );
  expect(asked).toEqual(days.slice(0, 5));
});

describe('one bad file in a stretch', () => {
  const bad = dayAt(6);
  const badDay = { startMs: bad, endMs: bad + DAY_MS };

  test.each<ArchiveFault>([
    'absent',
    'staleChecksum',
    'badCrc',
    'cutDay',
    'missingRow',
    'interleaved',
  ])('is completed by REST, and the other days are taken from their files (%s)', async (kind) => {
    const symbol = fresh();
    server.setFault(symbol, isoDay(bad), kind);
    const result = await rig.backfill(app, [spot(symbol)], RANGE, 'auto');
    expect(result).toMatchObject({ exitCode: 0, proven: HOURS });
    expect(await hashesOf(symbol)).toEqual(hashes);
    const others = (await records(symbol)).filter(
      ({ hourMs }) => hourMs < bad - HOUR_MS || hourMs >= bad + DAY_MS + HOUR_MS,
    );
    expect(new Set(others.map(({ source }) => source))).toEqual(new Set(['archive']));
    expect(await storedRows(symbol, RANGE)).toBe(truth(trades, RANGE).length);
  });

  test('leaves none of its rows in the store, and its neighbours are recorded', async () => {
    const symbol = fresh();
    // Found at the end of the file, when its rows have been read.
    server.setFault(symbol, isoDay(bad), 'badCrc');
    const result = await rig.backfill(app, [spot(symbol)], RANGE, 'archive');
    expect(result).toMatchObject({ exitCode: 3, awaited: 24 });
    expect(await storedRows(symbol, badDay)).toBe(0);
    const known = await records(symbol);
    expect(known).toHaveLength(HOURS - 24);
    // The hours next to the bad day lack a neighbour.
    expect(known.filter((record) => verdictOf(record) === 'proven')).toHaveLength(HOURS - 26);
    const files = await app.files.records(spot(symbol), RANGE);
    expect(files.map(({ verdict }) => verdict)).toEqual(
      Array.from({ length: 10 }, (_, index) => (dayAt(index) === bad ? 'refused' : 'whole')),
    );
    // Its right version closes the hole, at both midnights too.
    server.setFault(symbol, isoDay(bad), undefined);
    const again = await rig.backfill(app, [spot(symbol)], RANGE, 'archive');
    expect(again).toMatchObject({ exitCode: 0, proven: HOURS });
    expect(await hashesOf(symbol)).toEqual(hashes);
  });
});

test('two workers on one stretch record each hour once, with the same result', async () => {
  const symbol = fresh();
  const other = await rig.app();
  const series = spot(symbol);
  const runs = await Promise.all(
    [app, other].map(async (one) => rig.enqueue(one, [series], RANGE, 'auto')),
  );
  const workers = [rig.work(app), rig.work(other)];
  await rig.untilOver(app, runs, [series]);
  await Promise.all(workers.map(async (one) => one.stop()));
  expect(await hashesOf(symbol)).toEqual(hashes);
  expect(await storedRows(symbol, RANGE)).toBe(truth(trades, RANGE).length);
  expect(await commits(await tradesTable(app.sql, symbol))).toBe(2);
});
