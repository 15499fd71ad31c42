import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createArchiveSource } from '../../src/adapters/archive/archive-source.ts';
import { NO_PROXIES } from '../../src/adapters/system/proxies.ts';
import type { DayOutcome } from '../../src/app/day/load-days.ts';
import { loadDay } from '../support/one-day.ts';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { INTERVALS } from '../../src/domain/time/interval.ts';
import { verdictOf } from '../../src/domain/proof/ledger.ts';
import type { BulkStore } from '../../src/ports/bulk-store.ts';
import type { ArchiveFault } from '../exchange/archive-files.ts';
import { type ArchiveServer, startArchiveServer } from '../exchange/archive-server.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { hoursOfDay, referenceDay, truth, withoutTrust } from './reference.ts';
import { Rig, spot } from './rig.ts';
import { tradesTable } from '../support/store.ts';

const DAY = Date.UTC(2024, 11, 31);
const DATE = '2024-12-31';
const HOURS = hoursOfDay(DAY);
/** For tests of the file, which need no whole day. */
const FEW = HOURS.slice(0, 2);
const RANGE = { startMs: DAY, endMs: DAY + DAY_MS };
const trades = syntheticTrades({
  seed: 45,
  fromMs: DAY - 2 * HOUR_MS,
  toMs: DAY + 27 * HOUR_MS,
  tradesPerHour: 300,
  firstId: 700,
});
/** The next day; the exchange's files have microseconds from 2025 on. */
const MICRO_DAY = DAY + DAY_MS;

const names: string[] = Array.from({ length: 30 }, () => unique('ARC'));
const symbols = names.map((symbol) => ({ symbol, trades }));

let server: ArchiveServer;
let rig: Rig;
let app: App;
let archive: ReturnType<typeof createArchiveSource>;

beforeAll(async () => {
  server = await startArchiveServer(symbols);
  rig = await Rig.start({ symbols, archiveUrl: server.url });
  app = await rig.app();
  archive = createArchiveSource(server.url, {
    proxies: NO_PROXIES,
    homeDir: app.config.homeDir,
  });
  // These tests work on days without a run, which would pin the origin first.
  for (const symbol of names) await app.catalogue.pinOrigin(spot(symbol), DAY);
});

afterAll(async () => {
  await archive.close();
  await rig.dispose();
  await server.close();
});

/** A symbol that no test has used yet. */
function fresh(): string {
  const symbol = names.pop();
  if (symbol === undefined) throw new Error('the file needs more symbols');
  return symbol;
}

async function ingest(symbol: string, hours = HOURS, dayMs = DAY): Promise<DayOutcome | 'busy'> {
  const day = { ...spot(symbol), dayMs, hours, runId: unique('day-') };
  return loadDay({ ...app, archive }, day, AbortSignal.timeout(60_000));
}

async function hashes(symbol: string, range = RANGE): Promise<string[]> {
  const records = await app.ledger.records(spot(symbol), range);
  expect(records.map(verdictOf)).not.toContain('gap');
  return records.map(({ contentHash, rows }) => `${rows} ${contentHash}`);
}

function asked(symbol: string): number {
  return rig.exchange.requests.tradeRequests().filter(({ query }) => query['symbol'] === symbol)
    .length;
}

test('a day from its file has 24 proven hours and the same hashes as by REST, with two small requests to the exchange', async () => {
  const [byFile, byRest] = [fresh(), fresh()];
  expect(await ingest(byFile)).toEqual({
    proven: HOURS,
    unproven: [],
    isCut: false,
  });
  expect(asked(byFile)).toBe(2);
  await rig.backfill(app, [spot(byRest)], RANGE);
  expect(await hashes(byFile)).toEqual(await hashes(byRest));
  expect(await app.ledger.totals(spot(byFile), RANGE)).toMatchObject({
    proven: 24,
    rows: truth(trades, RANGE).length,
  });
  const sources = await app.ledger.records(spot(byFile), RANGE);
  expect(new Set(sources.map(({ source }) => source))).toEqual(new Set(['archive']));
});

test('the hour after the change of unit has the same hash from its file in microseconds', async () => {
  const [byFile, byRest] = [fresh(), fresh()];
  const hours = [MICRO_DAY, MICRO_DAY + HOUR_MS];
  const range = { startMs: MICRO_DAY, endMs: MICRO_DAY + 2 * HOUR_MS };
  expect(await ingest(byFile, hours, MICRO_DAY)).toMatchObject({ proven: hours, unproven: [] });
  await rig.backfill(app, [spot(byRest)], range);
  expect(await hashes(byFile, range)).toEqual(await hashes(byRest, range));
});

test('only the wanted hours are stored; REST fetches the others', async () => {
  const symbol = fresh();
  const wanted = HOURS.slice(5, 8);
  expect(await ingest(symbol, wanted)).toEqual({
    proven: wanted,
    unproven: [],
    isCut: false,
  });
  const stored = await app.sql.query(`SELECT count() n FROM ${await tradesTable(app.sql, symbol)}`);
  const span = { startMs: DAY + 5 * HOUR_MS, endMs: DAY + 8 * HOUR_MS };
  expect(stored).toEqual([{ n: String(truth(trades, span).length) }]);
  expect(await rig.backfill(app, [spot(symbol)], RANGE)).toMatchObject({ exitCode: 0, proven: 24 });
});

describe('a faulty file', () => {
  test('absent: it is reported, and nothing is stored', async () => {
    const symbol = fresh();
    for (const date of [DATE, '2024-12']) server.setFault(symbol, date, 'absent');
    expect(await ingest(symbol)).toMatchObject({ unread: { kind: 'absent' }, unproven: HOURS });
    expect(await app.ledger.knows(spot(symbol))).toBe(false);
  });

  test.each<[ArchiveFault, number]>([
    ['cutDay', 9],
    ['missingRow', 23],
  ])(
    '%s: hours that its ids prove are proven, and REST fetches and repairs the rest',
    async (fault, atLeast) => {
      const symbol = fresh();
      server.setFault(symbol, DATE, fault);
      const outcome = await ingest(symbol);
      if (outcome === 'busy') throw new Error('busy');
      const { proven, unproven } = outcome;
      expect(proven.length).toBeGreaterThanOrEqual(atLeast);
      expect(unproven.length).toBe(24 - proven.length);
      expect(unproven.length).toBeGreaterThan(0);
      expect((await hashes(symbol)).length).toBe(proven.length);
      expect(await rig.backfill(app, [spot(symbol)], RANGE)).toMatchObject({
        exitCode: 0,
        proven: 24,
      });
    },
  );

  test.each<[ArchiveFault, RegExp]>([
    ['staleChecksum', /ARCHIVE_BAD_FILE.*its SHA-256 is/],
    ['badCrc', /ARCHIVE_BAD_FILE.*its CRC is not/],
    ['otherName', /ARCHIVE_BAD_FILE.*it holds "BTCUSDT-trades.csv"/],
    ['twoFiles', /ARCHIVE_BAD_FILE.*more than one file/],
    ['interleaved', /ARCHIVE_BAD_ROW.*follows id/],
    ['doubledBlock', /ARCHIVE_BAD_ROW.*follows id/],
    ['mixedUnits', /ARCHIVE_BAD_ROW.*unit/],
  ])(
    '%s: refused with a sentence that says why, and no incomplete hour is recorded',
    async (fault, words) => {
      const symbol = fresh();
      server.setFault(symbol, DATE, fault);
      const error = await ingest(symbol, FEW).catch((thrown: unknown) => thrown);
      expect(`${(error as { code: string }).code} ${(error as Error).message}`).toMatch(words);
      for (const record of await app.ledger.records(spot(symbol), RANGE))
        expect(verdictOf(record)).toBe('proven');
    },
  );

  test.each<ArchiveFault>(['header', 'crlf'])('%s: read without loss', async (fault) => {
    const symbol = fresh();
    server.setFault(symbol, DATE, fault);
    expect(await ingest(symbol, FEW)).toMatchObject({ proven: FEW });
  });
});

describe('the stored rows are compared with the file, hour by hour', () => {
  const [hourMs = 0] = FEW;
  const hour = { startUs: hourMs * 1000, endUs: (hourMs + HOUR_MS) * 1000 };
  const own = () => truth(trades, { startMs: hourMs, endMs: hourMs + HOUR_MS });

  test('a stray row stored before the file is buried with evidence, and the hour is that of the file', async () => {
    const symbol = fresh();
    const [first] = own();
    if (first === undefined) throw new Error('an hour without trades');
    const stray = { ...first, aggId: 7_000_000, timeUs: hour.startUs + 60_000_000 };
    await app.trades.write(spot(symbol), [stray], AbortSignal.timeout(10_000));
    expect(await ingest(symbol, FEW)).toMatchObject({ proven: FEW });
    expect(await app.trades.readBack(spot(symbol), hour)).toMatchObject({
      rows: own().length,
      lastId: own().at(-1)?.aggId,
    });
    const gaps = await app.ledger.openGaps(spot(symbol), RANGE);
    expect(gaps).toMatchObject([{ hourMs, gapClass: 'duplicate_id', fromId: 7_000_000 }]);
  });

  test('no hour is proven when a row was lost on the way to the store', async () => {
    const symbol = fresh();
    const losing: BulkStore = {
      open(series, signal) {
        const load = app.bulk.open(series, signal);
        let hasLost = false;
        return {
          async add(block, from, to) {
            const skipped = !hasLost && to > from ? 1 : 0;
            hasLost = true;
            await load.add(block, from + skipped, to);
          },
          hold: () => load.hold(),
          keep: () => load.keep(),
          drop: () => load.drop(),
          finish: () => load.finish(),
          abandon: () => load.abandon(),
        };
      },
    };
    const day = { ...spot(symbol), dayMs: DAY, hours: FEW, runId: unique('day-') };
    await expect(
      loadDay({ ...app, archive, bulk: losing }, day, AbortSignal.timeout(60_000)),
    ).rejects.toMatchObject({ code: 'READ_BACK_MISMATCH' });
    expect(await app.ledger.records(spot(symbol), RANGE)).toEqual([]);
  });
});

test('a download that breaks off resumes where it stopped', async () => {
  const symbol = fresh();
  server.setFault(symbol, DATE, 'cutDownload');
  expect(await ingest(symbol, FEW)).toMatchObject({ proven: FEW });
  const ranges = server.requests.filter((line) => line.includes(symbol) && line.includes('bytes='));
  expect(ranges).toHaveLength(1);
});

describe('backfill --source auto', () => {
  const ARGS = ['--from', DATE, '--to', '2025-01-01', '--source', 'auto'];

  test('takes a closed day from its file and proves it; a second run requests nothing', async () => {
    const symbol = fresh();
    const downloads = () =>
      server.requests.filter((line) => line.startsWith('GET') && line.includes(symbol)).length;
    expect(await rig.cli(['backfill', symbol, ...ARGS])).toMatchObject({ exitCode: 0 });
    const records = await app.ledger.records(spot(symbol), RANGE);
    expect(records.map(({ source }) => source)).toEqual(HOURS.map(() => 'archive'));
    expect(downloads()).toBe(2);
    for (const interval of INTERVALS) {
      const bars = await app.bars.bars(spot(symbol), interval, RANGE);
      expect(bars.map(withoutTrust)).toEqual(referenceDay(trades, DAY, interval));
    }
    const before = asked(symbol);
    expect(await rig.cli(['backfill', symbol, ...ARGS])).toMatchObject({ exitCode: 0 });
    expect(downloads()).toBe(2);
    expect(asked(symbol)).toBe(before);
  });

  test.each<ArchiveFault>(['absent', 'cutDay', 'interleaved'])(
    'completes the day of a faulty file (%s) by REST',
    async (fault) => {
      const symbol = fresh();
      server.setFault(symbol, DATE, fault);
      const { exitCode, stderr } = await rig.cli(['backfill', symbol, ...ARGS]);
      expect(stderr).toContain('24 of 24 hours proven');
      expect(exitCode).toBe(0);
    },
  );
});
