import type { BarFields, ExactBar } from '../../ports/bar-store.ts';
import type { ChartReads } from '../../ports/chart-data.ts';
import { IN_RANGE, OF_SERIES, seriesParameters, type Sql } from './sql.ts';

type Made = { -readonly [Field in keyof BarFields]: BarFields[Field] };

/** Where a field comes from. */
interface Source {
  readonly column: string;
  /** @param value the column's text */
  readonly read: (bar: Made, value: string | null) => void;
}

type Field = Exclude<keyof ExactBar, 'openMs'>;
/** Those whose values are of one type. */
type FieldOf<Value> = {
  [Name in Field]: Value extends ExactBar[Name] ? Name : never;
}[Field];

function digits(field: FieldOf<string>, column: string): Source {
  return { column, read: (bar, value) => (bar[field] = value ?? undefined) };
}

function count(field: FieldOf<number>, column: string): Source {
  return {
    column,
    read: (bar, value) => (bar[field] = value === null ? undefined : Number(value)),
  };
}

const SOURCES: Readonly<Record<Field, Source>> = {
  open: digits('open', 'open'),
  high: digits('high', 'high'),
  low: digits('low', 'low'),
  close: digits('close', 'close'),
  delta: digits('delta', 'delta'),
  buyVolume: digits('buyVolume', 'buy_volume'),
  sellVolume: digits('sellVolume', 'sell_volume'),
  quoteDelta: digits('quoteDelta', 'quote_delta'),
  quoteVolume: digits('quoteVolume', 'quote_volume'),
  aggTrades: count('aggTrades', 'agg_trades'),
  trades: count('trades', 'trades'),
  buyAggTrades: count('buyAggTrades', 'buy_agg_trades'),
  buyTrades: count('buyTrades', 'buy_trades'),
  priceOpen: digits('priceOpen', 'price_open'),
  priceHigh: digits('priceHigh', 'price_high'),
  priceLow: digits('priceLow', 'price_low'),
  priceClose: digits('priceClose', 'price_close'),
  firstId: count('firstId', 'first_id'),
  lastId: count('lastId', 'last_id'),
  status: {
    column: 'status',
    read: (bar, value) => (bar.status = value === 'final' ? 'final' : 'partial'),
  },
  levelFromMs: {
    column: 'level_from::long',
    read: (bar, value) => (bar.levelFromMs = Number(value) / 1000),
  },
  levelMissing: count('levelMissing', 'level_missing'),
};

/**
 * Reads the starts of bars and some of their fields. A month of minutes kept as rows, and then as bars, took half of
 * the time of an answer to collect again (measured), so each bar is given away as it arrives.
 */
export function createBarFields(sql: Sql): ChartReads['eachBar'] {
  return async (series, interval, { range, fields }, take) => {
    const table = `cdv_exact_${interval}`;
    await sql.waitApplied(table);
    const sources = fields.filter((field) => field !== 'openMs').map((field) => SOURCES[field]);
    const columns = ['ts::long', ...sources.map(({ column }) => column)].join(', ');
    await sql.eachRow(
      `SELECT ${columns} FROM ${table} WHERE ${OF_SERIES} AND ${IN_RANGE} AND status <> 'void' ORDER BY ts`,
      seriesParameters(series, range),
      (row) => {
        const bar: Made = { openMs: Number(row[0]) / 1000 };
        for (let index = 0; index < sources.length; index += 1)
          sources[index]?.read(bar, row[index + 1] ?? null);
        take(bar);
      },
    );
  };
}
