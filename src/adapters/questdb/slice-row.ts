import { formatDecimal, parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import type { Neighbour, SliceRecord } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import { int, optionalInt, text, type TextRow } from './sql.ts';

/** The columns of `slices` that toRecord() reads. */
export const RECORD_COLUMNS =
  'ts::long AS hour_us, rows, first_id, first_ts::long AS first_us, last_id, last_ts::long AS last_us, ' +
  'prev_id, prev_ts::long AS prev_us, next_id, next_ts::long AS next_us, invalid_rows, backward_rows, ' +
  'buy_qty, sell_qty, content_hash, source, run_id, code_version, fetched_at::long AS fetched_us, ended_at::long AS ended_us, ' +
  'back_rows, back_invalid_rows, back_buy_qty, back_sell_qty';

/** The columns of `slices` in the order of recordRow(); a table may have them in another order. */
export const WRITTEN_COLUMNS =
  'ts, market, symbol, rows, first_id, first_ts, last_id, last_ts, prev_id, prev_ts, next_id, next_ts, ' +
  'invalid_rows, backward_rows, buy_qty, sell_qty, content_hash, source, run_id, code_version, fetched_at, ended_at, ' +
  'back_rows, back_invalid_rows, back_buy_qty, back_sell_qty';

/** @param parametersBefore number of parameters that the rows before take */
export function recordRow(parametersBefore: number): string {
  const columns = RECORD_TYPES.map((type, index) => {
    const parameter = `$${parametersBefore + index + 1}`;
    if (type === 'text') return parameter;
    return type === 'time'
      ? `cast(${parameter} AS long)::timestamp`
      : `cast(${parameter} AS ${type})`;
  });
  return `(${columns.join(', ')})`;
}

/** Types of WRITTEN_COLUMNS; `first`, `last`, `prev` and `next` are an id and a time each. */
const RECORD_TYPES = [
  ['time', 'text', 'text', 'long'],
  ['long', 'time', 'long', 'time', 'long', 'time', 'long', 'time'],
  ['long', 'long', 'decimal(38,8)', 'decimal(38,8)'],
  ['text', 'text', 'text', 'text', 'time', 'time'],
  ['long', 'long', 'decimal(38,8)', 'decimal(38,8)'],
].flat();

export function recordValues(record: SliceRecord): (string | number | null)[] {
  return [
    record.hourMs * 1000,
    record.market,
    record.symbol,
    record.rows,
    ...neighbourValues(record.first),
    ...neighbourValues(record.last),
    ...neighbourValues(record.prev),
    ...neighbourValues(record.next),
    record.invalidRows,
    record.backwardRows,
    record.buyQty,
    record.sellQty,
    record.contentHash,
    record.source,
    record.runId,
    record.codeVersion,
    record.fetchedAtMs * 1000,
    record.endedAtMs === undefined ? null : record.endedAtMs * 1000,
    record.reachBack.rows,
    record.reachBack.invalidRows,
    formatDecimal(record.reachBack.buyE8, QTY_SCALE),
    formatDecimal(record.reachBack.sellE8, QTY_SCALE),
  ];
}

export function toRecord(series: Series, row: TextRow): SliceRecord {
  return {
    market: series.market,
    symbol: series.symbol,
    hourMs: int(row, 'hour_us') / 1000,
    rows: int(row, 'rows'),
    first: toNeighbour(row, 'first'),
    last: toNeighbour(row, 'last'),
    prev: toNeighbour(row, 'prev'),
    next: toNeighbour(row, 'next'),
    endedAtMs: optionalMs(row, 'ended_us'),
    invalidRows: int(row, 'invalid_rows'),
    backwardRows: int(row, 'backward_rows'),
    reachBack: {
      rows: optionalInt(row, 'back_rows') ?? 0,
      invalidRows: optionalInt(row, 'back_invalid_rows') ?? 0,
      buyE8: parseDecimal(row['back_buy_qty'] ?? '0', QTY_SCALE),
      sellE8: parseDecimal(row['back_sell_qty'] ?? '0', QTY_SCALE),
    },
    buyQty: text(row, 'buy_qty'),
    sellQty: text(row, 'sell_qty'),
    contentHash: text(row, 'content_hash'),
    source: text(row, 'source') === 'archive' ? 'archive' : 'rest',
    runId: text(row, 'run_id'),
    codeVersion: text(row, 'code_version'),
    fetchedAtMs: int(row, 'fetched_us') / 1000,
  };
}

function neighbourValues(neighbour: Neighbour | undefined): (number | null)[] {
  return neighbour === undefined ? [null, null] : [neighbour.id, neighbour.timeUs];
}

function toNeighbour(row: TextRow, name: string): Neighbour | undefined {
  const id = optionalInt(row, `${name}_id`);
  return id === undefined ? undefined : { id, timeUs: int(row, `${name}_us`) };
}

export function optionalMs(row: TextRow, column: string): number | undefined {
  const timeUs = optionalInt(row, column);
  return timeUs === undefined ? undefined : timeUs / 1000;
}
