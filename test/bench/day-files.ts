import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { archiveFile } from '../exchange/archive-files.ts';
import { repeatedTrades } from '../exchange/repeated-trades.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import type { TradeSeries } from '../exchange/trade-series.ts';
import { loadTradesFile } from '../exchange/trades-file.ts';
import { REAL_DAY_PATH, realDayIsHere } from '../golden/real-day.ts';

export const SYMBOL = 'BTCUSDT';
export const FIRST_DAY_MS = Date.UTC(2024, 0, 1);
export const DAY_MS = 86_400_000;
export const DAYS = 10;

/** The real day has 863,403 trades. */
const SYNTHETIC = { seed: 20_240_101, tradesPerHour: 35_975, firstId: 2_807_759_891 };
const FILES_OF = `data/spot/daily/aggTrades/${SYMBOL}`;

/** `2024-01-01` and so on: the day's number counts from 0. */
export function dayName(day: number): string {
  return new Date(FIRST_DAY_MS + day * DAY_MS).toISOString().slice(0, 10);
}

export function dayFile(folder: string, day: number): string {
  return path.join(folder, FILES_OF, `${SYMBOL}-aggTrades-${dayName(day)}.zip`);
}

/** Where trades come from: the exchange's own file of a real day, or made up when that is not here. */
export function daysAreReal(): boolean {
  return realDayIsHere();
}

/** The first day over and over, with ids and times going on. */
export function tenDays(firstDay: TradeSeries): TradeSeries {
  return repeatedTrades(firstDay, { times: DAYS, everyMs: DAY_MS });
}

/**
 * Ten days' archive files with their checksums in a folder, laid out as the exchange's host has them.
 * Packing them takes a minute, once.
 */
export async function prepareDayFiles(
  benchDir: string,
  say: (line: string) => void,
): Promise<string> {
  const folder = path.join(benchDir, daysAreReal() ? 'real-days' : 'synthetic-days');
  mkdirSync(path.join(folder, FILES_OF), { recursive: true });
  const missing = Array.from({ length: DAYS }, (_, day) => day).filter(
    (day) => !existsSync(`${dayFile(folder, day)}.CHECKSUM`),
  );
  if (missing.length === 0) return folder;
  say(`packing ${missing.length} archive files`);
  const first = dayFile(folder, 0);
  if (daysAreReal()) writeZip(first, readFileSync(REAL_DAY_PATH));
  else writeZip(first, zipOfDay(0, syntheticDay()));
  const all = tenDays(await loadTradesFile(first));
  for (const day of missing) {
    const file = dayFile(folder, day);
    if (day > 0) writeZip(file, zipOfDay(day, all));
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    // Last: a file counts once its checksum is there.
    writeFileSync(`${file}.CHECKSUM`, `${sha256}  ${path.basename(file)}\n`);
  }
  return folder;
}

function zipOfDay(day: number, trades: TradeSeries): Buffer {
  const startMs = FIRST_DAY_MS + day * DAY_MS;
  return archiveFile({
    market: 'spot',
    stem: `${SYMBOL}-aggTrades-${dayName(day)}`,
    startMs,
    endMs: startMs + DAY_MS,
    trades,
    fault: undefined,
    version: 0,
  }).zip;
}

function syntheticDay(): TradeSeries {
  return syntheticTrades({ ...SYNTHETIC, fromMs: FIRST_DAY_MS, toMs: FIRST_DAY_MS + DAY_MS });
}

/** Whole or not at all. */
function writeZip(file: string, zip: Buffer): void {
  writeFileSync(`${file}.part`, zip);
  renameSync(`${file}.part`, file);
}
