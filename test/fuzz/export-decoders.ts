/** What is read back from an exported folder: its manifest and its Parquet files. */

import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createExportSource } from '../../src/adapters/export/export-source.ts';
import { readColumns } from '../../src/adapters/export/parquet-columns.ts';
import { readTrades, tradeColumns } from '../../src/adapters/export/parquet-trades.ts';
import { CdvaultError } from '../../src/domain/errors.ts';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import type { Series } from '../../src/domain/market.ts';
import type { ListedFile } from '../../src/ports/archive-source.ts';
import { assert, assertSame, type Decoder } from './decoder.ts';

const SERIES: Series = { market: 'binance_spot', symbol: 'BTCUSDT' };
const DAY_MS = Date.UTC(2025, 0, 1);
const NEVER = new AbortController().signal;

const folder = mkdtempSync(path.join(tmpdir(), 'cdvault-fuzz-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const place = path.join(folder, 'trades/market=binance_spot/symbol=BTCUSDT');
const dayFile = path.join(place, 'day=2025-01-01/part.parquet');
const manifestFile = path.join(place, '_manifest.json');
mkdirSync(path.dirname(dayFile), { recursive: true });

/** Written by QuestDB 9.3.4 on a question of `cdvault export`: 24 trades in two row groups. */
const PARQUET = ['zstd', 'plain'].map((codec) =>
  readFileSync(path.join(import.meta.dirname, `samples/trades-${codec}.parquet`)),
);

/** @param content of the day's file */
export function manifestOf(content: Buffer): Record<string, unknown> {
  const hash = '0'.repeat(64);
  return {
    type: 'export',
    format: 'cdvault-export-1',
    what: 'trades',
    interval: null,
    numbers: 'decimal',
    ...SERIES,
    unit: 'base',
    from: '2025-01-01T00:00:00Z',
    to: '2025-01-02T00:00:00Z',
    rows: 24,
    files: [
      {
        day: '2025-01-01',
        path: 'day=2025-01-01/part.parquet',
        rows: 24,
        bytes: content.length,
        sha256: createHash('sha256').update(content).digest('hex'),
        firstId: 1_000,
        lastId: 1_023,
        buyVolume: '1',
        sellVolume: '2',
      },
    ],
    before: { id: 999, timeUs: 1_704_067_199_000_000 },
    after: null,
    fingerprint: { format: 'cdvault-fingerprint-1', root: hash },
    hours: [{ hour: '2025-01-01T00:00:00Z', rows: 24, contentHash: hash }],
    verification: { verdict: 'proven', checked: [], notChecked: [] },
    codeVersion: '1.0.0',
    createdAt: '2025-01-03T00:00:00.000Z',
  };
}

async function tradesOfDay(): Promise<readonly AggTrade[] | undefined> {
  return createExportSource(folder).withDay(SERIES, DAY_MS, NEVER, async (day) => {
    const trades: AggTrade[] = [];
    for await (const block of day.rows()) trades.push(...block.trades(0, block.rows));
    return trades;
  });
}

const inRange = (value: number, least: number) =>
  Number.isInteger(value) && value >= least && Math.abs(value) < 2 ** 53;

function assertTrade({ aggId, firstId, lastId, timeUs, price, qty }: AggTrade): void {
  assert(inRange(aggId, 0), `the id ${aggId}`);
  assert(
    inRange(firstId, -Infinity) && inRange(lastId, -Infinity),
    `the raw ids ${firstId} to ${lastId}`,
  );
  assert(inRange(timeUs, 0), `the time ${timeUs}`);
  assert(/^[0-9]{1,10}[.][0-9]{8}$/.test(price), `the price ${price}`);
  assert(/^[0-9]{1,20}[.][0-9]{8}$/.test(qty), `the quantity ${qty}`);
}

/** What the process of an export source reads, whose manifest names the damaged file's own SHA-256. */
const parquet: Decoder = {
  name: 'Parquet of an export',
  isApart: true,
  samples: PARQUET,
  codes: ['ARCHIVE_BAD_FILE'],
  async decode(bytes) {
    writeFileSync(dayFile, bytes);
    const trades: AggTrade[] = [];
    try {
      for await (const block of readTrades(readColumns(tradeColumns(dayFile)), 'us'))
        trades.push(...block.trades(0, block.rows));
    } catch (error) {
      // As the source does with every error.
      throw new CdvaultError('ARCHIVE_BAD_FILE', String(error), { cause: error });
    }
    return trades;
  },
  check(_, trades: readonly AggTrade[]) {
    for (const trade of trades) assertTrade(trade);
  },
};

const [SOUND = Buffer.alloc(0)] = PARQUET;
const TRADES_SHARE = 0.005;
const SOUND_MANIFEST = manifestOf(SOUND);

/** A damaged manifest. No file outside of the folder is read, and none but the day's own. */
const manifest: Decoder = {
  name: 'manifest of an export',
  samples: [Buffer.from(JSON.stringify(SOUND_MANIFEST))],
  codes: ['USAGE', 'ARCHIVE_BAD_FILE'],
  async decode(bytes, random) {
    writeFileSync(dayFile, SOUND);
    writeFileSync(manifestFile, bytes);
    const { days } = (await createExportSource(folder).list(
      SERIES,
      { startMs: DAY_MS, endMs: DAY_MS },
      NEVER,
    )) ?? { days: new Map() };
    // Of few: a process is begun for each.
    return { days, trades: random() < TRADES_SHARE ? await tradesOfDay() : undefined };
  },
  check(
    _,
    { days, trades }: { days: ReadonlyMap<number, ListedFile>; trades: AggTrade[] | undefined },
  ) {
    for (const [startMs, { name, bytes }] of days) {
      const day = new Date(startMs).toISOString().slice(0, 10);
      assertSame(name, `day=${day}/part.parquet`);
      assert(inRange(bytes, 0), `${name} has ${bytes} bytes`);
    }
    for (const trade of trades ?? []) assertTrade(trade);
    assert(trades === undefined || trades.length === 24, `${trades?.length} trades`);
  },
};

export const exportDecoders: readonly Decoder[] = [parquet, manifest];
