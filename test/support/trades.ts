import { CsvRows } from '../../src/adapters/archive/csv-rows.ts';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { contentHasher } from '../../src/domain/trade/content-hash.ts';
import { createHourRun } from '../../src/domain/proof/continuity.ts';
import { formatDecimal, QTY_SCALE } from '../../src/domain/trade/decimal.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { type Neighbour, NO_REACH, type SliceRecord } from '../../src/domain/proof/ledger.ts';
import type { Series } from '../../src/domain/market.ts';
import type { TradeBlock } from '../../src/domain/trade/trade-block.ts';

/** One valid trade; fields that a test does not need have defaults. */
export function tradeOf(aggId: number, timeMs: number, rest: Partial<AggTrade> = {}): AggTrade {
  return {
    aggId,
    price: '42000.00000000',
    qty: '1.00000000',
    firstId: aggId * 2,
    lastId: aggId * 2 + 1,
    timeUs: timeMs * 1000,
    isBuyerMaker: false,
    ...rest,
  };
}

/** A row that the exchange has marked as invalid. */
export function invalidTradeOf(aggId: number, timeMs: number): AggTrade {
  return tradeOf(aggId, timeMs, {
    price: '0.00000000',
    qty: '0.00000000',
    firstId: -1,
    lastId: -1,
  });
}

/** The same trades as an archive file in microseconds has them. */
export function blockOf(trades: readonly AggTrade[]): TradeBlock {
  const lines = trades.map(
    ({ aggId, price, qty, firstId, lastId, timeUs, isBuyerMaker }) =>
      `${aggId},${price},${qty},${firstId},${lastId},${timeUs},${isBuyerMaker ? 'True' : 'False'},True\n`,
  );
  return new CsvRows('trades').push(Buffer.from(lines.join('')));
}

/**
 * The ledger row of a proven hour: `rows` ids from `firstId` on, a minute inside its borders, next to its
 * neighbours.
 */
export function recordOf(
  hourMs: number,
  firstId: number,
  rows: number,
  rest: Partial<SliceRecord> = {},
): SliceRecord {
  const startUs = hourMs * 1000;
  const endUs = (hourMs + HOUR_MS) * 1000;
  const minuteUs = 60_000_000;
  return {
    market: 'binance_spot',
    symbol: 'BTCUSDT',
    hourMs,
    rows,
    first: rows === 0 ? undefined : { id: firstId, timeUs: startUs + minuteUs },
    last: rows === 0 ? undefined : { id: firstId + rows - 1, timeUs: endUs - minuteUs },
    prev: firstId === 0 ? undefined : { id: firstId - 1, timeUs: startUs - minuteUs },
    next: { id: firstId + rows, timeUs: endUs + minuteUs },
    endedAtMs: undefined,
    invalidRows: 0,
    backwardRows: 0,
    reachBack: NO_REACH,
    buyQty: '3.00000000',
    sellQty: '1.50000000',
    contentHash: `${firstId}-${rows}`.padEnd(64, 'e'),
    source: 'rest',
    runId: 'test',
    codeVersion: 'test',
    fetchedAtMs: hourMs + 2 * HOUR_MS,
    ...rest,
  };
}

/** The ledger row of an hour that was fetched with these rows, ids ascending. */
export function recordOfTrades(
  series: Series,
  hourMs: number,
  trades: readonly AggTrade[],
  { prev, nextId }: { readonly prev: Neighbour; readonly nextId: number },
): SliceRecord {
  const run = createHourRun({ hourMs }, { expectedId: prev.id + 1, prev });
  run.accept(trades);
  const hasher = contentHasher();
  for (const trade of trades) hasher.update(trade);
  const { buyE8, sellE8, ...facts } = run.facts;
  return {
    ...recordOf(hourMs, 0, 0),
    ...series,
    ...facts,
    next: { id: nextId, timeUs: (hourMs + HOUR_MS) * 1000 },
    buyQty: formatDecimal(buyE8, QTY_SCALE),
    sellQty: formatDecimal(sellE8, QTY_SCALE),
    contentHash: hasher.digest(),
  };
}
