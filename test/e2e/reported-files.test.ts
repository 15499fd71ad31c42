import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS, daysOf, isoDay, MINUTE_MS, type TimeRange } from '../../src/domain/hour.ts';
import { verdictOf } from '../../src/domain/ledger.ts';
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
 * Files of symbols that trade seldom or no more, in the shapes that users of the exchange's archive
 * have reported in public. Nothing of them is to be had by REST.
 */

/** One trade at each of these times, ids one behind the other. */
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

let server: ArchiveServer;
let rig: Rig;
let app: App;

beforeAll(async () => {
  server = await startArchiveServer(archived);
  for (const { symbol, trades } of archived)
    for (const dayMs of daysWithoutTrades(trades)) server.setFault(symbol, isoDay(dayMs), 'absent');
  for (const { symbol } of archived)
    for (const month of ['2022-01', '2024-02', '2024-03']) server.setFault(symbol, month, 'absent');
  rig = await Rig.start({ archiveUrl: server.url });
  app = await rig.app();
});

afterAll(async () => {
  await rig.dispose();
  await server.close();
});

/** The exchange has no file of them. */
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

function args({ market, symbol }: Series, { startMs, endMs }: TimeRange): string[] {
  const name = market.replace('binance_', '');
  return [symbol, '--market', name, '--from', isoDay(startMs), '--to', isoDay(endMs)];
}

test('a symbol that REST has forgotten: what its files prove is proven, also when run again', async () => {
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
