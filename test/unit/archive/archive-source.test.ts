import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createArchiveSource } from '../../../src/adapters/archive/archive-source.ts';
import { NO_PROXIES } from '../../../src/adapters/system/proxies.ts';
import { type AggTrade } from '../../../src/domain/trade/agg-trade.ts';
import { DAY_MS, HOUR_MS, isoDay } from '../../../src/domain/time/hour.ts';
import type { Series } from '../../../src/domain/market.ts';
import type { ArchiveDay } from '../../../src/ports/archive-source.ts';
import type { ArchiveFault } from '../../exchange/archive-files.ts';
import { type ArchiveServer, startArchiveServer } from '../../exchange/archive-server.ts';
import { syntheticTrades } from '../../exchange/synthetic-trades.ts';

const FROM = Date.UTC(2022, 7, 1);
const trades = syntheticTrades({
  seed: 7,
  fromMs: FROM - HOUR_MS,
  toMs: FROM + 62 * DAY_MS,
  tradesPerHour: 10,
  firstId: 50,
});
const years = syntheticTrades({
  seed: 8,
  fromMs: Date.UTC(2021, 0, 1),
  toMs: Date.UTC(2024, 0, 1),
  tradesPerHour: 1,
  firstId: 0,
});

const SPOT: Series = { market: 'binance_spot', symbol: 'AAAUSDT' };
const UM: Series = { market: 'binance_um', symbol: 'AAAUSDT' };
const CM: Series = { market: 'binance_cm', symbol: 'AAAUSD_PERP' };
const LONG: Series = { market: 'binance_um', symbol: 'LONGUSDT' };

let server: ArchiveServer;
let homeDir: string;
let archive: ReturnType<typeof createArchiveSource>;
const signal = AbortSignal.timeout(60_000);

beforeAll(async () => {
  homeDir = mkdtempSync(path.join(tmpdir(), 'cdvault-home-'));
  server = await startArchiveServer([
    { symbol: SPOT.symbol, trades },
    { symbol: UM.symbol, trades, market: 'um' },
    { symbol: CM.symbol, trades, market: 'cm' },
    { symbol: LONG.symbol, trades: years, market: 'um' },
  ]);
  archive = createArchiveSource(server.url, { proxies: NO_PROXIES, homeDir });
});

afterAll(async () => {
  await archive.close();
  await server.close();
  rmSync(homeDir, { recursive: true });
});

interface Read {
  readonly day: ArchiveDay;
  readonly rows: readonly AggTrade[];
}

async function read(series: Series, dayMs: number): Promise<Read | undefined> {
  return archive.withDay(series, dayMs, signal, async (day) => {
    const rows: AggTrade[] = [];
    for await (const block of day.rows()) rows.push(...block.trades(0, block.rows));
    return { day, rows };
  });
}

function faulty(series: Series, date: string, fault: ArchiveFault): void {
  server.setFault(series.symbol, date, fault);
}

function idsOf(dayMs: number): number[] {
  const first = trades.indexAtTime(dayMs * 1000);
  const end = trades.indexAtTime((dayMs + DAY_MS) * 1000);
  return Array.from({ length: end - first }, (_, index) => trades.at(first + index).a);
}

describe('a day', () => {
  // Futures files have a header from 2022-08-11 on, which is day 10.
  test.each([
    ['spot', SPOT, 0],
    ['um without header', UM, 9],
    ['um with header', UM, 10],
    ['cm', CM, 10],
  ])('of %s comes from its daily file', async (_name, series, index) => {
    const dayMs = FROM + index * DAY_MS;
    const found = await read(series, dayMs);
    expect(found?.day.name).toBe(`${series.symbol}-aggTrades-${isoDay(dayMs)}.zip`);
    expect(found?.rows.map(({ aggId }) => aggId)).toEqual(idsOf(dayMs));
    expect(found?.day.etag).toMatch(/^[0-9a-f]{32}$/);
    const listed = await archive.find(series, found?.day.name ?? '', signal);
    expect(listed).toEqual({
      name: found?.day.name,
      etag: found?.day.etag,
      bytes: found?.day.bytes,
    });
  });

  test('has the same trades in spot and futures files', async () => {
    const [spot, um, cm] = await Promise.all([SPOT, UM, CM].map((one) => read(one, FROM)));
    const numbers = (found: Read | undefined) =>
      found?.rows.map(({ price, qty, ...row }) => ({
        ...row,
        price: Number(price),
        qty: Number(qty),
      }));
    expect(numbers(um)).toEqual(numbers(spot));
    expect(numbers(cm)).toEqual(numbers(spot));
  });

  test.each<ArchiveFault>(['absent', 'denied'])(
    'whose file is %s comes from its monthly file, which is downloaded once for all days',
    async (fault) => {
      const before = server.requests.length;
      const days = [3, 4, 30].map((index) => FROM + index * DAY_MS);
      for (const dayMs of days) faulty(SPOT, isoDay(dayMs), fault);
      const found = await Promise.all(days.map((dayMs) => read(SPOT, dayMs)));
      for (const [index, dayMs] of days.entries()) {
        expect(found[index]?.day.name).toBe('AAAUSDT-aggTrades-2022-08.zip');
        expect(found[index]?.rows.map(({ aggId }) => aggId)).toEqual(idsOf(dayMs));
      }
      const months = server.requests.slice(before).filter((line) => line.endsWith('2022-08.zip'));
      expect(months.length).toBeLessThanOrEqual(1);
      for (const dayMs of days) server.setFault(SPOT.symbol, isoDay(dayMs), undefined);
    },
  );

  test('without any file is undefined', async () => {
    expect(await read(SPOT, FROM - 400 * DAY_MS)).toBeUndefined();
  });

  test('that is missing from its monthly file has no rows', async () => {
    faulty(CM, '2022-08-30', 'absent');
    faulty(CM, '2022-08', 'shortMonth');
    expect((await read(CM, Date.UTC(2022, 7, 30)))?.rows).toEqual([]);
  });

  test('is read again when its file is replaced between the requests for file and checksum', async () => {
    faulty(UM, '2022-08-05', 'replacedMeanwhile');
    const found = await read(UM, Date.UTC(2022, 7, 5));
    expect(found?.rows.length).toBe(idsOf(Date.UTC(2022, 7, 5)).length);
    const now = await archive.find(UM, found?.day.name ?? '', signal);
    expect(found?.day.etag).toBe(now?.etag);
  });

  test('is accepted without a checksum, with a note: its ids decide', async () => {
    faulty(UM, '2022-08-09', 'noChecksum');
    const found = await read(UM, Date.UTC(2022, 7, 9));
    expect(found?.rows.map(({ aggId }) => aggId)).toEqual(idsOf(Date.UTC(2022, 7, 9)));
    expect(found?.day.note).toBe('it has no .CHECKSUM; only its ids are checked');
    expect((await read(UM, Date.UTC(2022, 7, 12)))?.day.note).toBeUndefined();
  });

  test.each<[ArchiveFault, string]>([
    ['twoFiles', 'it holds more than one file'],
    ['otherName', 'it holds "BTCUSDT-trades.csv" instead of AAAUSDT-aggTrades-2022-08-11.csv'],
    ['badCrc', 'its CRC is not that of its content'],
  ])('with %s is refused; the error names the URL', async (fault, why) => {
    faulty(UM, '2022-08-11', fault);
    const url = `${server.url}/data/futures/um/daily/aggTrades/AAAUSDT/AAAUSDT-aggTrades-2022-08-11.zip`;
    await expect(read(UM, Date.UTC(2022, 7, 11))).rejects.toMatchObject({
      code: 'ARCHIVE_BAD_FILE',
      message: `${url}: ${why}`,
    });
  });

  test.each<[ArchiveFault, RegExp]>([['staleChecksum', /its SHA-256 is .* says/]])(
    'with %s reports its SHA-256 and gives no row',
    async (fault, words) => {
      faulty(UM, '2022-08-07', fault);
      const facts: ArchiveDay[] = [];
      const reading = archive.withDay(UM, Date.UTC(2022, 7, 7), signal, async (day) => {
        facts.push(day);
        return Array.fromAsync(day.rows());
      });
      await expect(reading).rejects.toMatchObject({ code: 'ARCHIVE_BAD_FILE', message: words });
      expect(facts[0]?.sha256).toMatch(/^[0-9a-f]{64}$/);
    },
  );

  test('fails as an outage when the host is down', async () => {
    const dead = createArchiveSource('http://127.0.0.1:9', { proxies: NO_PROXIES, homeDir });
    const reading = dead.withDay(SPOT, FROM, AbortSignal.timeout(60_000), async () => true);
    await expect(reading).rejects.toMatchObject({ code: 'ARCHIVE_UNREACHABLE' });
    await dead.close();
  }, 60_000);
});

describe('a listing', () => {
  test('has the days and months of a range, with size and ETag, and no others', async () => {
    const range = { startMs: Date.UTC(2022, 7, 15), endMs: Date.UTC(2022, 8, 3) };
    const listing = await archive.list(CM, range, signal);
    const days = [...(listing?.days.keys() ?? [])];
    expect(days).not.toContain(Date.UTC(2022, 7, 30));
    expect([days.length, days[0], days.at(-1)]).toEqual([18, range.startMs, Date.UTC(2022, 8, 2)]);
    expect([...(listing?.months.keys() ?? [])]).toEqual([
      Date.UTC(2022, 7, 1),
      Date.UTC(2022, 8, 1),
    ]);
    const first = listing?.days.get(range.startMs);
    const head = await archive.find(CM, first?.name ?? '', signal);
    expect(first?.etag).toBe(head?.etag);
    expect(first?.bytes).toBeGreaterThan(0);
  });

  test('of three years takes pages of a thousand keys, not a request for each day', async () => {
    const before = server.requests.length;
    const range = { startMs: Date.UTC(2021, 0, 1), endMs: Date.UTC(2024, 0, 1) };
    const listing = await archive.list(LONG, range, signal);
    expect(listing?.days.size).toBe(1095);
    expect(listing?.months.size).toBe(36);
    expect(server.requests.length - before).toBe(4);
  });

  test('that is denied is undefined; files can still be read', async () => {
    server.setListing(false);
    expect(
      await archive.list(SPOT, { startMs: FROM, endMs: FROM + DAY_MS }, signal),
    ).toBeUndefined();
    expect(await read(SPOT, FROM)).toBeDefined();
    server.setListing(true);
  });
});

describe('whether the archive has later trades', () => {
  const LAST_DAY = FROM + 61 * DAY_MS;
  const lastId = trades.firstId + trades.count - 1;

  test('is true while there is a later day or month, and false after the last', async () => {
    expect(await archive.hasLater(UM, FROM + 40 * DAY_MS, 1, signal)).toBe(true);
    expect(await archive.hasLater(UM, LAST_DAY, lastId, signal)).toBe(false);
  });

  test('is decided for the last day by its monthly file, which may have rows that were cut from the daily one', async () => {
    expect(await archive.hasLater(UM, LAST_DAY, lastId - 1, signal)).toBe(true);
  });

  test('is unknown while the listing is denied', async () => {
    server.setListing(false);
    expect(await archive.hasLater(UM, LAST_DAY, lastId, signal)).toBeUndefined();
    server.setListing(true);
  });
});
