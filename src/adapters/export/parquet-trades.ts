import { type AggTrade, isInvalid } from '../../domain/trade/agg-trade.ts';
import { formatDecimal, PRICE_SCALE, QTY_SCALE } from '../../domain/trade/decimal.ts';
import { FIELD_COUNT, TradeBlock } from '../../domain/trade/trade-block.ts';
import { TRADE_COLUMNS } from '../../domain/proof/export.ts';
import { type Column, type ColumnsRequest, unitsOf } from './parquet-columns.ts';

/** Prices and quantities in units of 1e-8 are exact as numbers below this. */
const EXACT_E8 = 2 ** 53;

/** As the store has them: DECIMAL(18, 8) and DECIMAL(28, 8). */
const MOST_PRICE = 10n ** 18n - 1n;
const MOST_QTY = 10n ** 28n - 1n;

/** What is read of a file of trades. */
export function tradeColumns(file: string): ColumnsRequest {
  return { file, names: TRADE_COLUMNS, scale: PRICE_SCALE };
}

/**
 * The trades of an exported file, one block for each row group.
 * @param groups the columns of tradeColumns()
 * @param unit unit of the exchange's times, in which the blocks' text has them
 * @throws Error when the file is not an export of trades
 */
export async function* readTrades(
  groups: AsyncIterable<readonly Column[]>,
  unit: 'ms' | 'us',
): AsyncGenerator<TradeBlock> {
  for await (const columns of groups) yield blockOf(tradesOf(columns, unit), unit);
}

/**
 * @param columns in the order of TRADE_COLUMNS
 * @param unit that the times must be whole numbers of
 */
function tradesOf(columns: readonly Column[], unit: 'ms' | 'us'): AggTrade[] {
  const [ts = [], aggId, price, qty, firstId, lastId, isBuyerMaker] = columns;
  if (columns.some(({ length }) => length !== ts.length))
    throw new Error('its columns have different lengths');
  return Array.from({ length: ts.length }, (_, row) => {
    const timeUs = whole(ts[row], 0);
    if (unit === 'ms' && timeUs % 1000 !== 0) throw new Error(`the time ${timeUs} µs is in no ms`);
    const isSell: unknown = isBuyerMaker?.[row];
    if (typeof isSell !== 'boolean') throw new TypeError(`${String(isSell)} is no taker side`);
    return {
      timeUs,
      aggId: whole(aggId?.[row], 0),
      price: decimal(price?.[row], PRICE_SCALE, MOST_PRICE),
      qty: decimal(qty?.[row], QTY_SCALE, MOST_QTY),
      // Negative in rows that are marked invalid.
      firstId: whole(firstId?.[row], Number.MIN_SAFE_INTEGER),
      lastId: whole(lastId?.[row], Number.MIN_SAFE_INTEGER),
      isBuyerMaker: isSell,
    };
  });
}

function whole(value: unknown, least: number): number {
  const number = Number(value);
  if (typeof value === 'bigint' && Number.isSafeInteger(number) && number >= least) return number;
  throw new TypeError(`${String(value)} is no id or time`);
}

function decimal(value: unknown, scale: number, most: bigint): string {
  const units = unitsOf(value);
  if (units < 0n || units > most) throw new RangeError(`${units} units are no price or quantity`);
  return formatDecimal(units, scale);
}

function blockOf(trades: readonly AggTrade[], unit: 'ms' | 'us'): TradeBlock {
  const lines: string[] = [];
  const fieldAt = new Int32Array((trades.length + 1) * FIELD_COUNT);
  const columns = {
    aggIds: Float64Array.from(trades, ({ aggId }) => aggId),
    firstIds: Float64Array.from(trades, ({ firstId }) => firstId),
    lastIds: Float64Array.from(trades, ({ lastId }) => lastId),
    timesUs: Float64Array.from(trades, ({ timeUs }) => timeUs),
    pricesE8: Float64Array.from(trades, ({ price }) => exactE8(price)),
    qtysE8: Float64Array.from(trades, ({ qty }) => exactE8(qty)),
    makers: Uint8Array.from(trades, ({ isBuyerMaker }) => (isBuyerMaker ? 1 : 0)),
    valids: Uint8Array.from(trades, (trade) => (isInvalid(trade) ? 0 : 1)),
  };
  let [at, field] = [0, 0];
  for (const { aggId, price, qty, firstId, lastId, timeUs, isBuyerMaker } of trades) {
    const time = unit === 'ms' ? timeUs / 1000 : timeUs;
    for (const value of [aggId, price, qty, firstId, lastId, time, isBuyerMaker]) {
      const text = `${value},`;
      lines.push(text);
      fieldAt[field] = at;
      at += text.length;
      field += 1;
    }
  }
  fieldAt[field] = at;
  return new TradeBlock({
    rows: trades.length,
    text: Buffer.from(lines.join(''), 'latin1'),
    fieldAt,
    timeZeros: unit === 'ms' ? 3 : 0,
    ...columns,
  });
}

function exactE8(decimal: string): number {
  const e8 = Number(decimal.replace('.', ''));
  return e8 < EXACT_E8 ? e8 : Number.POSITIVE_INFINITY;
}
