import { z } from 'zod';
import { parseBarLength } from '../../../domain/bars/bar-grid.ts';
import { type Series, tradesContracts } from '../../../domain/market.ts';
import { parseDecimal, PRICE_SCALE } from '../../../domain/trade/decimal.ts';
import type { FootprintCell, PriceBin, ShownTrade } from '../../../ports/chart-trades.ts';
import { linkOf } from './bars.ts';
import { columnsOf, decimalJson } from './columns.ts';
import { type Endpoint, endpoint, tableJson, tableSchema } from './endpoint.ts';
import { RANGE_PARAMETERS, rangeOf, seriesOf, styleOf, usage } from './parameters.ts';

const CELLS = columnsOf<FootprintCell>();
const BINS = columnsOf<PriceBin>();

const PROFILE = {
  price: BINS.decimal('Lower edge of the bin.', (bin) => bin.price),
  buy: BINS.decimal('Volume bought by takers, in `unit`.', (bin) => bin.buy),
  sell: BINS.decimal('Volume sold by takers, in `unit`.', (bin) => bin.sell),
  aggTrades: BINS.count('Aggregate trades.', (bin) => bin.aggTrades),
};

const FOOTPRINT = {
  time: CELLS.time('Start of the bar.', (cell) => cell.timeMs),
  ...PROFILE,
};

const TRADE = columnsOf<ShownTrade>();
const TRADES = {
  aggId: TRADE.count('Id of the aggregate trade.', (trade) => trade.aggId),
  time: TRADE.instant('Time; it may have parts of a millisecond.', (trade) => trade.timeUs),
  timeUs: TRADE.count('Time as epoch µs.', (trade) => trade.timeUs),
  price: TRADE.decimal('Price.', (trade) => trade.price),
  qty: TRADE.decimal('Quantity, in `unit`.', (trade) => trade.qty),
  side: TRADE.text('Side of the taker, `buy` or `sell`.', sideOf),
  firstId: TRADE.count('Lowest id of its trades.', (trade) => trade.firstId),
  lastId: TRADE.count('Highest id of its trades.', (trade) => trade.lastId),
  delta: TRADE.decimal('Quantity, negative when the taker sold.', (trade) =>
    trade.isBuyerMaker ? `-${trade.qty}` : trade.qty,
  ),
};

function sideOf({ isBuyerMaker }: ShownTrade): string {
  return isBuyerMaker ? 'sell' : 'buy';
}

const BIN = z
  .string()
  .default('auto')
  .describe('Width of a bin of prices; `auto`: 1, 2 or 5 times a power of ten.');
const UNIT = z.enum(['base', 'contracts']).describe('What volumes count.');
const WIDTH = z
  .union([z.number(), z.string()])
  .describe('Width of a bin: a number, or text with `exact=true`.');

/** @throws CdvaultError USAGE */
function binOf(bin: string): { readonly binE8?: bigint } {
  if (bin === 'auto') return {};
  const binE8 = /^\d{1,10}(?:\.\d{1,8})?$/.test(bin) ? parseDecimal(bin, PRICE_SCALE) : 0n;
  if (binE8 > 0n) return { binE8 };
  throw usage(
    `bin ${JSON.stringify(bin.slice(0, 40))} is not possible`,
    'Write it as 0.5, 10 or auto.',
  );
}

function unitOf({ market }: Series): string {
  return tradesContracts(market) ? '"contracts"' : '"base"';
}

const footprint = endpoint({
  path: '/footprint',
  summary: 'Volume bought and sold by price, bar by bar',
  parameters: z.object({
    ...RANGE_PARAMETERS,
    interval: z.string().default('15m').describe('Length of a bar, as in `/bars`.'),
    bin: BIN,
  }),
  answer: tableSchema(FOOTPRINT, { interval: z.string(), bin: WIDTH, unit: UNIT }),
  ask(given, { data, clock }) {
    const [series, style] = [seriesOf(given), styleOf(given)];
    const range = rangeOf(given, clock.nowMs());
    const request = { range, lengthMs: parseBarLength(given.interval), ...binOf(given.bin) };
    return {
      tag: undefined,
      async body() {
        const { cells, bin, nextMs, sql } = await data.footprint(series, request);
        const next = nextMs === undefined ? undefined : new Date(nextMs).toISOString();
        return tableJson({
          series,
          range,
          style,
          sql: given.sql === 'true' ? sql : undefined,
          columns: FOOTPRINT,
          rows: cells,
          // The bins of all parts are of one width.
          next: next && linkOf('/footprint', { ...given, bin, from: next }),
          more: {
            interval: JSON.stringify(given.interval),
            bin: decimalJson(bin, style),
            unit: unitOf(series),
          },
        });
      },
    };
  },
});

const profile = endpoint({
  path: '/profile',
  summary: 'Volume bought and sold by price, of a whole range',
  parameters: z.object({ ...RANGE_PARAMETERS, bin: BIN }),
  answer: tableSchema(PROFILE, { bin: WIDTH, unit: UNIT }),
  ask(given, { data, clock }) {
    const [series, style] = [seriesOf(given), styleOf(given)];
    const range = rangeOf(given, clock.nowMs());
    const request = { range, ...binOf(given.bin) };
    return {
      tag: undefined,
      async body() {
        const { bins, bin, sql } = await data.profile(series, request);
        return tableJson({
          series,
          range,
          style,
          sql: given.sql === 'true' ? sql : undefined,
          columns: PROFILE,
          rows: bins,
          more: { bin: decimalJson(bin, style), unit: unitOf(series) },
        });
      },
    };
  },
});

const trades = endpoint({
  path: '/trades',
  summary: 'Aggregate trades of at most a day',
  parameters: z.object({
    ...RANGE_PARAMETERS,
    afterId: z
      .string()
      .regex(/^(?:0|[1-9]\d{0,14})$/)
      .optional()
      .describe('Only later ids.'),
  }),
  answer: tableSchema(TRADES, { unit: UNIT }),
  ask({ afterId, ...given }, { data, clock }) {
    const [series, style] = [seriesOf(given), styleOf(given)];
    const range = rangeOf(given, clock.nowMs());
    const request = { range, ...(afterId !== undefined && { afterId: Number(afterId) }) };
    return {
      tag: undefined,
      async body() {
        const { trades: rows, nextAfterId, sql } = await data.trades(series, request);
        const next = nextAfterId === undefined ? undefined : { afterId: String(nextAfterId) };
        return tableJson({
          series,
          range,
          style,
          sql: given.sql === 'true' ? sql : undefined,
          columns: TRADES,
          rows,
          next: next && linkOf('/trades', { ...given, ...next }),
          more: { unit: unitOf(series) },
        });
      },
    };
  },
});

export const TRADE_ENDPOINTS: readonly Endpoint[] = [footprint, profile, trades];
