import type { ColumnSource, SchemaElement } from 'hyparquet-writer';
import type { AggTrade } from '../../domain/trade/agg-trade.ts';
import { parseDecimal, PRICE_SCALE, QTY_SCALE, QUOTE_SCALE } from '../../domain/trade/decimal.ts';
import type { ExactBar } from '../../ports/bar-store.ts';

/** A column of a file: its declaration, and its values of some rows. */
export interface ParquetColumn<Row> {
  readonly element: SchemaElement;
  readonly valuesOf: (rows: readonly Row[]) => ColumnSource['data'];
}

/**
 * The columns of `agg_trades`, with types as wide as the store's. Market and symbol are not among them: they
 * are in the names of the folders.
 */
export const TRADE_COLUMNS: readonly ParquetColumn<AggTrade>[] = [
  time('ts', ({ timeUs }) => timeUs),
  integer('agg_id', ({ aggId }) => aggId),
  decimal('price', { precision: 18, scale: PRICE_SCALE }, ({ price }) => price),
  decimal('qty', { precision: 28, scale: QTY_SCALE }, ({ qty }) => qty),
  integer('first_id', ({ firstId }) => firstId),
  integer('last_id', ({ lastId }) => lastId),
  {
    element: { name: 'is_buyer_maker', type: 'BOOLEAN', repetition_type: 'REQUIRED' },
    valuesOf: (trades) => trades.map(({ isBuyerMaker }) => isBuyerMaker),
  },
];

const LEVEL = { precision: 38, scale: QTY_SCALE };
const QUOTE = { precision: 38, scale: QUOTE_SCALE };
const PRICE = { precision: 18, scale: PRICE_SCALE };

/** One column for each field of a bar: the type makes a missing field an error. */
const BAR_COLUMN: Readonly<Record<keyof ExactBar, ParquetColumn<ExactBar>>> = {
  openMs: time('ts', ({ openMs }) => openMs * 1000),
  open: decimal('open', LEVEL, ({ open }) => open),
  high: decimal('high', LEVEL, ({ high }) => high),
  low: decimal('low', LEVEL, ({ low }) => low),
  close: decimal('close', LEVEL, ({ close }) => close),
  delta: decimal('delta', LEVEL, ({ delta }) => delta),
  buyVolume: decimal('buy_volume', LEVEL, ({ buyVolume }) => buyVolume),
  sellVolume: decimal('sell_volume', LEVEL, ({ sellVolume }) => sellVolume),
  quoteDelta: optionalDecimal('quote_delta', QUOTE, ({ quoteDelta }) => quoteDelta),
  quoteVolume: optionalDecimal('quote_volume', QUOTE, ({ quoteVolume }) => quoteVolume),
  aggTrades: integer('agg_trades', ({ aggTrades }) => aggTrades),
  trades: integer('trades', ({ trades }) => trades),
  buyAggTrades: optionalInteger('buy_agg_trades', ({ buyAggTrades }) => buyAggTrades),
  buyTrades: optionalInteger('buy_trades', ({ buyTrades }) => buyTrades),
  priceOpen: optionalDecimal('price_open', PRICE, ({ priceOpen }) => priceOpen),
  priceHigh: optionalDecimal('price_high', PRICE, ({ priceHigh }) => priceHigh),
  priceLow: optionalDecimal('price_low', PRICE, ({ priceLow }) => priceLow),
  priceClose: optionalDecimal('price_close', PRICE, ({ priceClose }) => priceClose),
  firstId: optionalInteger('first_id', ({ firstId }) => firstId),
  lastId: optionalInteger('last_id', ({ lastId }) => lastId),
  status: {
    element: {
      name: 'status',
      type: 'BYTE_ARRAY',
      converted_type: 'UTF8',
      repetition_type: 'REQUIRED',
    },
    valuesOf: (bars) => bars.map(({ status }) => status),
  },
  levelFromMs: time('level_from', ({ levelFromMs }) => levelFromMs * 1000),
  levelMissing: optionalInteger('level_missing', ({ levelMissing }) => levelMissing),
};

/** The columns of the exact tables, also without market and symbol. */
export const BAR_COLUMNS: readonly ParquetColumn<ExactBar>[] = Object.values(BAR_COLUMN);

/** An instant, declared as UTC, so that readers return times with a time zone. */
function time<Row>(name: string, microsecondsOf: (row: Row) => number): ParquetColumn<Row> {
  return {
    element: {
      name,
      type: 'INT64',
      logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
      repetition_type: 'REQUIRED',
    },
    valuesOf: (rows) => rows.map((row) => BigInt(microsecondsOf(row))),
  };
}

function integer<Row>(name: string, of: (row: Row) => number): ParquetColumn<Row> {
  return {
    element: { name, type: 'INT64', repetition_type: 'REQUIRED' },
    valuesOf: (rows) => rows.map((row) => BigInt(of(row))),
  };
}

function optionalInteger<Row>(
  name: string,
  of: (row: Row) => number | undefined,
): ParquetColumn<Row> {
  return {
    element: { name, type: 'INT64', repetition_type: 'OPTIONAL' },
    valuesOf: (rows) =>
      rows.map((row) => {
        const value = of(row);
        return value === undefined ? undefined : BigInt(value);
      }),
  };
}

interface DecimalType {
  readonly precision: number;
  readonly scale: number;
}

function decimal<Row>(
  name: string,
  type: DecimalType,
  textOf: (row: Row) => string,
): ParquetColumn<Row> {
  return {
    element: { ...decimalElement(name, type), repetition_type: 'REQUIRED' },
    valuesOf: (rows) => rows.map((row) => parseDecimal(textOf(row), type.scale)),
  };
}

function optionalDecimal<Row>(
  name: string,
  type: DecimalType,
  textOf: (row: Row) => string | undefined,
): ParquetColumn<Row> {
  return {
    element: { ...decimalElement(name, type), repetition_type: 'OPTIONAL' },
    valuesOf: (rows) =>
      rows.map((row) => {
        const text = textOf(row);
        return text === undefined ? undefined : parseDecimal(text, type.scale);
      }),
  };
}

/** 64 bits hold at most 18 digits; 16 bytes hold the 38 digits of what readers call decimal128. */
function decimalElement(name: string, { precision, scale }: DecimalType): SchemaElement {
  return {
    name,
    ...(precision <= 18
      ? { type: 'INT64' }
      : { type: 'FIXED_LEN_BYTE_ARRAY', type_length: precision <= 28 ? 12 : 16 }),
    converted_type: 'DECIMAL',
    logical_type: { type: 'DECIMAL', precision, scale },
    precision,
    scale,
  };
}
