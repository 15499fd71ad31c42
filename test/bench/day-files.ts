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

/** This seed gives 863,386 trades; the real day has 863,403. */
const SYNTHETIC = { seed: 20_240_101, tradesPerHour: 33_795, firstId: 2_807_759_891 };
const FILES_OF = `data/spot/daily/aggTrades/${SYMBOL}`;

/** `2024-01-01` for day 0, `2024-01-02` for day 1, and so on. */
export function dayName(day: number): string {
  return new Date(FIRST_DAY_MS + day * DAY_MS).toISOString().slice(0, 10);
}

export function dayFile(folder: string, day: number): string {
  return path.join(folder, FILES_OF, `${SYMBOL}-aggTrades-${dayName(day)}.zip`);
}

/** Whether the trades come from the exchange's file of a real day. They are made up when that file is missing. */
export function daysAreReal(): boolean {
  return realDayIsHere();
}

/** The first day repeated, with ascending ids and times. */
export function tenDays(firstDay: TradeSeries): TradeSeries {
  return repeatedTrades(firstDay, { times: DAYS, everyMs: DAY_MS });
}

/**
 * Writes the archive files of ten days with their checksums into a folder, laid out as on the exchange's
 * host. The first call packs them, which takes a minute. @returns the folder
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
    // Written last: a file counts as complete when its checksum exists.
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

/** Writes the file whole or not at all. */
function writeZip(file: string, zip: Buffer): void {
  writeFileSync(`${file}.part`, zip);
  renameSync(`${file}.part`, file);
}
