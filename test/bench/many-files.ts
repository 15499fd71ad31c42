import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { archiveFile } from '../exchange/archive-files.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { DAY_MS, dayName, FIRST_DAY_MS } from './day-files.ts';
import { BENCH_DIR } from './place.ts';

const FOLDER = path.join(BENCH_DIR, 'many-files');
export const TRADES_A_DAY = { busy: 100_000, thin: 2_000 } as const;
export type Kind = keyof typeof TRADES_A_DAY;

/** The days that the trades of a series cover, counted from the first day: more than any measurement asks for. */
const COVERED = { fromDay: -10, toDay: 70 };
/** Keeps the seeds of the kinds apart. */
const SEED = { busy: 500_000, thin: 700_000 } as const;

/** A made-up series: its trades follow from its kind and number alone. */
export interface MadeSeries {
  readonly kind: Kind;
  readonly number: number;
  readonly symbol: string;
}

export interface DayRange {
  /** Index of the first day; may be negative. */
  readonly first: number;
  readonly days: number;
}

export function madeSeries(kind: Kind, count: number, firstNumber = 0): MadeSeries[] {
  return Array.from({ length: count }, (_, index) => {
    const number = firstNumber + index;
    return { kind, number, symbol: `${kind.toUpperCase()}${number}USDT` };
  });
}

/**
 * Writes the daily archive files of some series, with those of the day before and the day after the range, which
 * prove its first and last hour. Files that exist are kept. @returns the folder, laid out as on the exchange's host
 */
export async function prepareManyFiles(
  series: readonly MadeSeries[],
  { first, days }: DayRange,
  say: (line: string) => void,
): Promise<string> {
  const wanted = Array.from({ length: days + 2 }, (_, index) => first - 1 + index);
  const missing = series
    .map((one) => ({ one, days: wanted.filter((day) => !existsSync(fileOf(one, day))) }))
    .filter(({ days }) => days.length > 0);
  if (missing.length > 0) say(`making archive files of ${missing.length} series`);
  for (const { one, days } of missing) {
    writeFiles(one, days);
    await breathe();
  }
  return FOLDER;
}

function fileOf({ symbol }: MadeSeries, day: number): string {
  const stem = `${symbol}-aggTrades-${dayName(day)}`;
  return path.join(FOLDER, 'data/spot/daily/aggTrades', symbol, `${stem}.zip`);
}

function writeFiles(series: MadeSeries, days: readonly number[]): void {
  const trades = syntheticTrades({
    seed: SEED[series.kind] + series.number,
    fromMs: FIRST_DAY_MS + COVERED.fromDay * DAY_MS,
    toMs: FIRST_DAY_MS + COVERED.toDay * DAY_MS,
    tradesPerHour: TRADES_A_DAY[series.kind] / 24,
    firstId: 1_000_000,
    // From 0.1 to 1,000.
    price: 10 ** ((series.number % 5) - 1),
    priceDecimals: 4,
    qtyDecimals: 2,
  });
  for (const day of days) {
    const file = fileOf(series, day);
    const startMs = FIRST_DAY_MS + day * DAY_MS;
    const { zip } = archiveFile({
      market: 'spot',
      stem: path.basename(file, '.zip'),
      startMs,
      endMs: startMs + DAY_MS,
      trades,
      fault: undefined,
      version: 0,
    });
    mkdirSync(path.dirname(file), { recursive: true });
    // Whole or not at all.
    writeFileSync(`${file}.part`, zip);
    renameSync(`${file}.part`, file);
  }
}
