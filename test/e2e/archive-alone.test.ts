import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { contentHasher } from '../../src/domain/trade/content-hash.ts';
import { formatDecimal, parseDecimal, QTY_SCALE } from '../../src/domain/trade/decimal.ts';
import { DAY_MS, HOUR_MS, isoDay } from '../../src/domain/time/hour.ts';
import { verdictOf } from '../../src/domain/proof/ledger.ts';
import type { Series } from '../../src/domain/market.ts';
import { archiveFile } from '../exchange/archive-files.ts';
import { type ArchiveServer, startArchiveServer } from '../exchange/archive-server.ts';
import { withExcludedFills } from '../exchange/excluded-fills.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import type { TradeSeries } from '../exchange/trade-series.ts';
import { unique } from '../support/command-line.ts';
import { hoursOfDay, truth } from './reference.ts';
import { cm, Rig, um } from './rig.ts';

/** Much older than the history of futures REST: only files have these days. */
const DAY = Date.UTC(2024, 2, 5);
const RANGE = { startMs: DAY, endMs: DAY + 2 * DAY_MS };
const SPAN = { fromMs: DAY - DAY_MS, toMs: DAY + 4 * DAY_MS, tradesPerHour: 120 };
const onUm = withExcludedFills(syntheticTrades({ seed: 71, ...SPAN, firstId: 5_001 }));
const onCm = withExcludedFills(
  syntheticTrades({ seed: 72, ...SPAN, firstId: 9_001, qtyDecimals: 0, typicalLots: 20 }),
);

const [both, alone, owned] = [unique('UMA'), unique('UMB'), unique('UMC')];
const coin = `${unique('CMA')}_PERP`;
const cmDays = { market: 'cm' as const, symbol: coin, trades: onCm, contractSize: 10 };

let server: ArchiveServer;
let rig: Rig;
let app: App;

beforeAll(async () => {
  const ums = [both, alone, owned].map((symbol) => ({
    market: 'um' as const,
    symbol,
    trades: onUm,
  }));
  server = await startArchiveServer([...ums, cmDays]);
  rig = await Rig.start({ symbols: [...ums, cmDays], archiveUrl: server.url });
  app = await rig.app();
});

afterAll(async () => {
  await rig.dispose();
  await server.close();
});

function args(from: number, days: number, market: 'um' | 'cm'): string[] {
  return ['--market', market, '--from', isoDay(from), '--to', isoDay(from + days * DAY_MS)];
}

/** Content hashes of each hour, computed from the simulator's trades. */
function hashesOf(trades: TradeSeries, series: Series, dayMs: number): string[] {
  return hoursOfDay(dayMs).map((hourMs) => {
    const hasher = contentHasher();
    const range = { startMs: hourMs, endMs: hourMs + HOUR_MS };
    for (const trade of truth(trades, range, series.market)) hasher.update(trade);
    return hasher.digest();
  });
}

test.each<[string, Series, TradeSeries]>([
  ['USD-M', um(both), onUm],
  ['COIN-M', cm(coin), onCm],
])(
  '%s: two days from files alone are proven, verified and shown; a second run requests nothing',
  async (_, series, trades) => {
    const market = series.market === 'binance_um' ? 'um' : 'cm';
    const range = args(DAY, 2, market);
    const { exitCode, stderr } = await rig.cli(['backfill', series.symbol, ...range]);
    expect(stderr).toContain('48 of 48 hours proven');
    expect(exitCode, stderr).toBe(0);
    const records = await app.ledger.records(series, RANGE);
    expect(new Set(records.map(({ source }) => source))).toEqual(new Set(['archive']));
    expect(records.map(({ contentHash }) => contentHash)).toEqual([
      ...hashesOf(trades, series, DAY),
      ...hashesOf(trades, series, DAY + DAY_MS),
    ]);
    const [bar] = await app.bars.bars(series, '1d', { startMs: DAY, endMs: DAY + DAY_MS });
    const deltaE8 = truth(trades, { startMs: DAY, endMs: DAY + DAY_MS }, series.market)
      .map(({ qty, isBuyerMaker }) => (isBuyerMaker ? -1n : 1n) * parseDecimal(qty, QTY_SCALE))
      .reduce((sum, delta) => sum + delta, 0n);
    expect(bar).toMatchObject({ delta: formatDecimal(deltaE8, QTY_SCALE), status: 'final' });
    expect(await rig.cli(['verify', series.symbol, ...range])).toMatchObject({ exitCode: 0 });
    const shown = await rig.cli(['show', series.symbol, ...range, '--interval', '1d']);
    expect(shown.stdout).toContain(isoDay(DAY));
    rig.exchange.requests.clear();
    const before = server.requests.length;
    expect(await rig.cli(['backfill', series.symbol, ...range])).toMatchObject({ exitCode: 0 });
    expect(rig.exchange.requests.tradeRequests()).toEqual([]);
    expect(server.requests.length).toBe(before);
  },
);

test('days that are fetched one after the other prove each other’s hours at midnight', async () => {
  const series = um(alone);
  // Without the files beside it, the first and last hour of a day can't be proven.
  for (const day of [-1, 1, 2]) server.setFault(alone, isoDay(DAY + day * DAY_MS), 'absent');
  server.setFault(alone, '2024-03', 'absent');
  const first = await rig.cli(['backfill', alone, ...args(DAY, 1, 'um')]);
  expect(first.exitCode).toBe(3);
  const verdicts = async (dayMs: number) =>
    (await app.ledger.records(series, { startMs: dayMs, endMs: dayMs + DAY_MS })).map(verdictOf);
  const inner = Array.from({ length: 22 }, () => 'proven');
  expect(await verdicts(DAY)).toEqual(['gap', ...inner, 'open']);
  server.setFault(alone, isoDay(DAY + DAY_MS), undefined);
  const second = await rig.cli(['backfill', alone, ...args(DAY + DAY_MS, 1, 'um')]);
  expect(second.exitCode).toBe(3);
  expect(await verdicts(DAY)).toEqual(['gap', ...inner, 'proven']);
  expect(await verdicts(DAY + DAY_MS)).toEqual(['proven', ...inner, 'open']);
  // The first day's bars are rebuilt, since its last hour is proven now.
  const [bar] = await app.bars.bars(series, '1h', {
    startMs: DAY + 23 * HOUR_MS,
    endMs: DAY + DAY_MS,
  });
  expect(bar?.status).toBe('final');
  for (const day of [-1, 2]) server.setFault(alone, isoDay(DAY + day * DAY_MS), undefined);
  expect(await rig.cli(['backfill', alone, ...args(DAY, 2, 'um')])).toMatchObject({ exitCode: 0 });
  expect(await app.ledger.totals(series, RANGE)).toMatchObject({ proven: 48 });
});

test('a folder of files gives the same hashes, and neither exchange nor archive host is asked for trades', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'cdvault-own-'));
  try {
    for (const [index, dayMs] of [DAY - DAY_MS, DAY, DAY + DAY_MS].entries()) {
      const stem = `${owned}-aggTrades-${isoDay(dayMs)}`;
      const plan = { market: 'um', stem, trades: onUm, fault: undefined, version: 0 } as const;
      const { zip, checksum } = archiveFile({ ...plan, startMs: dayMs, endMs: dayMs + DAY_MS });
      // One file lies in a folder tree like the exchange's.
      const place = path.join(
        folder,
        index === 1 ? `data/futures/um/daily/aggTrades/${owned}` : '',
      );
      mkdirSync(place, { recursive: true });
      writeFileSync(path.join(place, `${stem}.zip`), zip);
      writeFileSync(path.join(place, `${stem}.zip.CHECKSUM`), checksum);
    }
    rig.exchange.requests.clear();
    const before = server.requests.length;
    const range = [...args(DAY, 1, 'um'), '--source', `dir:${folder}`];
    expect(await rig.cli(['backfill', owned, ...range])).toMatchObject({ exitCode: 0 });
    expect(rig.exchange.requests.tradeRequests()).toEqual([]);
    expect(server.requests.length).toBe(before);
    const day = { startMs: DAY, endMs: DAY + DAY_MS };
    const records = await app.ledger.records(um(owned), day);
    expect(records.map(({ contentHash }) => contentHash)).toEqual(hashesOf(onUm, um(owned), DAY));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
