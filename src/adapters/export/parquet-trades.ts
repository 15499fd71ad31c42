import { open } from 'node:fs/promises';
import { zstdDecompressSync } from 'node:zlib';
import { type AsyncBuffer, parquetMetadataAsync, parquetScan } from 'hyparquet';
import { type AggTrade, isInvalid } from '../../domain/trade/agg-trade.ts';
import { formatDecimal, PRICE_SCALE, QTY_SCALE } from '../../domain/trade/decimal.ts';
import { FIELD_COUNT, TradeBlock } from '../../domain/trade/trade-block.ts';
import { TRADE_COLUMNS } from './parquet-columns.ts';

/** Prices and quantities in units of 1e-8 are exact as numbers below this. */
const EXACT_E8 = 2 ** 53;

/**
 * The trades of an exported file, one block for each row group.
 * @param unit unit of the exchange's times, in which the blocks' text has them
 * @throws Error when the file is not an export of trades
 */
export async function* readTrades(file: string, unit: 'ms' | 'us'): AsyncGenerator<TradeBlock> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const buffer: AsyncBuffer = {
      byteLength: size,
      async slice(start, end = size) {
        const bytes = new Uint8Array(end - start);
        await handle.read(bytes, 0, bytes.length, start);
        return bytes.buffer;
      },
    };
    const metadata = await parquetMetadataAsync(buffer);
    // The library would convert decimals to floats; without the type it returns the exact digits.
    for (const element of metadata.schema)
      if (element.converted_type === 'DECIMAL') delete element.converted_type;
    const scan = await parquetScan({
      file: buffer,
      metadata,
      compressors: { ZSTD: (bytes) => zstdDecompressSync(bytes) },
      parsers: { timestampFromMicroseconds: (timeUs) => timeUs },
    });
    for (const range of scan.ranges) {
      const columns = await Promise.all(
        TRADE_COLUMNS.map(({ element }) => scan.readColumn({ ...range, column: element.name })),
      );
      yield blockOf(tradesOf(columns), unit);
    }
  } finally {
    await handle.close();
  }
}

type Column = Awaited<ReturnType<Awaited<ReturnType<typeof parquetScan>>['readColumn']>>;

/** @param columns in the order of TRADE_COLUMNS */
function tradesOf([ts, aggId, price, qty, firstId, lastId, isBuyerMaker]: Column[]): AggTrade[] {
  return Array.from({ length: ts?.length ?? 0 }, (_, row) => ({
    timeUs: Number(ts?.[row]),
    aggId: Number(aggId?.[row]),
    price: formatDecimal(unitsOf(price?.[row]), PRICE_SCALE),
    qty: formatDecimal(unitsOf(qty?.[row]), QTY_SCALE),
    firstId: Number(firstId?.[row]),
    lastId: Number(lastId?.[row]),
    isBuyerMaker: isBuyerMaker?.[row] === true,
  }));
}

/** The unscaled value of a stored decimal: a bigint already, or bytes in big-endian order. */
function unitsOf(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (!(value instanceof Uint8Array)) throw new TypeError(`not a decimal: ${String(value)}`);
  const unsigned = BigInt(`0x${Buffer.from(value).toString('hex')}`);
  return BigInt.asIntN(value.length * 8, unsigned);
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
