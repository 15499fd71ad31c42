import type { BarFields, ExactBar } from '../../ports/bar-store.ts';
import type { ChartReads } from '../../ports/chart-data.ts';
import {
  IN_RANGE,
  int,
  OF_SERIES,
  optionalInt,
  seriesParameters,
  type Sql,
  type TextRow,
} from './sql.ts';

type Made = { -readonly [Field in keyof BarFields]: BarFields[Field] };

/** Where a field comes from. */
interface Source {
  readonly column: string;
  readonly read: (bar: Made, row: TextRow) => void;
}

type Field = Exclude<keyof ExactBar, 'openMs'>;
/** Those whose values are of one type. */
type FieldOf<Value> = {
  [Name in Field]: Value extends ExactBar[Name] ? Name : never;
}[Field];

function digits(field: FieldOf<string>, column: string): Source {
  return { column, read: (bar, row) => (bar[field] = row[column] ?? undefined) };
}

function count(field: FieldOf<number>, column: string): Source {
  return { column, read: (bar, row) => (bar[field] = optionalInt(row, column)) };
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
    read: (bar, row) => (bar.status = row['status'] === 'final' ? 'final' : 'partial'),
  },
  levelFromMs: {
    column: 'level_from::long AS level_us',
    read: (bar, row) => (bar.levelFromMs = int(row, 'level_us') / 1000),
  },
  levelMissing: count('levelMissing', 'level_missing'),
};

/** Reads the starts of bars and some of their fields. Bars of few fields keep an answer of many bars cheap. */
export function createBarFields(sql: Sql): ChartReads['barFields'] {
  return async (series, interval, range, fields) => {
    const table = `cdv_exact_${interval}`;
    await sql.waitApplied(table);
    const sources = fields.filter((field) => field !== 'openMs').map((field) => SOURCES[field]);
    const columns = ['ts::long AS open_us', ...sources.map(({ column }) => column)].join(', ');
    const rows = await sql.query(
      `SELECT ${columns} FROM ${table} WHERE ${OF_SERIES} AND ${IN_RANGE} AND status <> 'void' ORDER BY ts`,
      seriesParameters(series, range),
    );
    return rows.map((row) => {
      const bar: Made = { openMs: int(row, 'open_us') / 1000 };
      for (const { read } of sources) read(bar, row);
      return bar;
    });
  };
}
