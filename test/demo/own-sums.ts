import type pg from 'pg';
import { toEightDecimals, type TradeSeries } from '../exchange/trade-series.ts';

/** Whole hours of one UTC day, half-open. */
export interface Stretch {
  readonly symbol: string;
  readonly fromUs: number;
  readonly toUs: number;
}

/** Exact facts of a stretch; all numbers as decimal text of 8 places. */
export interface Facts {
  readonly rows: number;
  readonly firstId: number;
  readonly lastId: number;
  readonly delta: string;
  /** `time open high low close` of every minute, levels from 0 at the first hour; a minute without trades is flat. */
  readonly minutes: readonly string[];
}

const MINUTE_US = 60_000_000;

interface Levels {
  open: bigint;
  high: bigint;
  low: bigint;
  close: bigint;
}

function flat(level: bigint): Levels {
  return { open: level, high: level, low: level, close: level };
}

/** Computed here from the made-up trades, without any code of cdvault. */
export function factsOfSeries(series: TradeSeries, stretch: Stretch): Facts {
  const from = series.indexAtTime(stretch.fromUs);
  const to = series.indexAtTime(stretch.toUs);
  const minutes = new Map<number, Levels>();
  let level = 0n;
  for (let index = from; index < to; index += 1) {
    const { q, m, timeUs } = series.at(index);
    const units = BigInt(toEightDecimals(q).replace('.', ''));
    level += m ? -units : units;
    const minute = Math.floor(timeUs / MINUTE_US);
    const bar = minutes.get(minute);
    if (bar === undefined) minutes.set(minute, flat(level));
    else {
      if (level > bar.high) bar.high = level;
      if (level < bar.low) bar.low = level;
      bar.close = level;
    }
  }
  return {
    rows: to - from,
    firstId: series.at(from).a,
    lastId: series.at(to - 1).a,
    delta: decimalText(level),
    minutes: everyMinute(minutes, stretch),
  };
}

function everyMinute(traded: ReadonlyMap<number, Levels>, { fromUs, toUs }: Stretch): string[] {
  const lines: string[] = [];
  let last = 0n;
  for (let minute = fromUs / MINUTE_US; minute < toUs / MINUTE_US; minute += 1) {
    const { open, high, low, close } = traded.get(minute) ?? flat(last);
    lines.push([minute * MINUTE_US, ...[open, high, low, close].map(decimalText)].join(' '));
    last = close;
  }
  return lines;
}

/** The same facts from the store: rows from the stored trades, levels from the exact bars. */
export async function factsOfStore(client: pg.Client, stretch: Stretch): Promise<Facts> {
  const { symbol, fromUs, toUs } = stretch;
  const times = `ts >= ${fromUs}::timestamp AND ts < ${toUs}::timestamp`;
  const series = `market = 'binance_spot' AND symbol = '${symbol}'`;
  const names = await client.query<Record<string, string>>(
    `SELECT trades_table FROM series WHERE ${series}`,
  );
  const trades = await client.query<Record<string, string>>(
    `SELECT count() AS rows, min(agg_id) AS first, max(agg_id) AS last FROM ${names.rows[0]?.['trades_table']} WHERE ${times}`,
  );
  const bars = await client.query<Record<string, string>>(
    `SELECT ts::long AS us, open, high, low, close FROM cdv_exact_1m WHERE ${series} AND ${times} ORDER BY ts`,
  );
  const [row] = trades.rows;
  return {
    rows: Number(row?.['rows']),
    firstId: Number(row?.['first']),
    lastId: Number(row?.['last']),
    delta: bars.rows.at(-1)?.['close'] ?? '0.00000000',
    minutes: bars.rows.map(({ us, open, high, low, close }) =>
      [us, open, high, low, close].join(' '),
    ),
  };
}

/** The first difference in words; undefined when all is equal. */
export function differenceOf(expected: Facts, found: Facts): string | undefined {
  for (const name of ['rows', 'firstId', 'lastId', 'delta'] as const) {
    if (expected[name] !== found[name])
      return `${name}: the exchange has ${expected[name]}, the store ${found[name]}`;
  }
  const count = Math.max(expected.minutes.length, found.minutes.length);
  for (let index = 0; index < count; index += 1) {
    const [own, stored] = [expected.minutes[index], found.minutes[index]];
    if (own !== stored) return `minute ${index}: expected ${own}, the store has ${stored}`;
  }
  return undefined;
}

function decimalText(units: bigint): string {
  const digits = (units < 0n ? -units : units).toString().padStart(9, '0');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -8)}.${digits.slice(-8)}`;
}
