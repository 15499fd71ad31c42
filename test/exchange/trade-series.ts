/** One aggregate trade as the exchange's database holds it. `p` and `q` are the decimal strings that are sent. */
export interface Trade {
  readonly a: number;
  readonly p: string;
  readonly q: string;
  readonly f: number;
  readonly l: number;
  readonly timeUs: number;
  /** buyer is maker: the taker sold */
  readonly m: boolean;
}

/** Index ranges are half-open: `index` inclusive, `endIndex` exclusive. */
export interface PageRead {
  readonly index: number;
  readonly endIndex: number;
  readonly rows: number;
  readonly nowMs: number;
}

/** The trades of one symbol in id order, addressed by index 0 … count-1. */
export interface TradeSeries {
  readonly count: number;
  readonly firstId: number;
  /** exclusive end of the time that the series covers; klines end there */
  readonly endUs: number;
  at(index: number): Trade;
  /** first index with id ≥ `id`, `count` when there is none */
  indexOfId(id: number): number;
  /** first index with time ≥ `timeUs`, `count` when there is none */
  indexAtTime(timeUs: number): number;
  /** one page as the database would serve it at that moment; absent = the plain rows */
  read?(page: PageRead): readonly Trade[];
  /** exclusive end of what the database shows at that moment; absent = every trade that has happened */
  visibleEnd?(nowMs: number): number;
  /** what the matching engine saw; klines come from it. Absent = the series itself */
  readonly truth?: TradeSeries;
}

/** First index in [low, high) for which `reached` holds; `reached` must turn from false to true once. */
export function lowerBound(low: number, high: number, reached: (index: number) => boolean): number {
  let from = low;
  let to = high;
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (reached(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}

export function readPlain(series: TradeSeries, page: PageRead): Trade[] {
  const end = Math.min(page.endIndex, page.index + page.rows);
  const rows: Trade[] = [];
  for (let index = page.index; index < end; index++) rows.push(series.at(index));
  return rows;
}

export function readPage(series: TradeSeries, page: PageRead): readonly Trade[] {
  return series.read === undefined ? readPlain(series, page) : series.read(page);
}

/** A trade with a time ahead of the exchange's clock has not happened yet, so a series may reach into the future. */
export function visibleEnd(series: TradeSeries, nowMs: number): number {
  return series.visibleEnd?.(nowMs) ?? series.indexAtTime(nowMs * 1000 + 1000);
}

export interface TradeLike {
  readonly a: number;
  readonly p: string;
  readonly q: string;
  readonly f?: number;
  readonly l?: number;
  readonly timeUs: number;
  readonly m: boolean;
}

/** A series from an explicit list, in the order given (ids ascending; times may run backwards). */
export function tradesFromArray(
  list: readonly TradeLike[],
  options: { endMs?: number } = {},
): TradeSeries {
  const trades = list.map((row): Trade => ({
    ...row,
    p: toEightDecimals(row.p),
    q: toEightDecimals(row.q),
    f: row.f ?? row.a,
    l: row.l ?? row.f ?? row.a,
  }));
  // The running maximum makes "first index with time ≥ t" searchable even where a time runs backwards.
  const latestUs = new Float64Array(trades.length);
  let latest = -Infinity;
  for (const [index, trade] of trades.entries()) {
    latest = Math.max(latest, trade.timeUs);
    latestUs[index] = latest;
  }
  return {
    count: trades.length,
    firstId: trades[0]?.a ?? 0,
    endUs: options.endMs === undefined ? Math.max(0, latest + 1) : options.endMs * 1000,
    at: (index) => rowAt(trades, index),
    indexOfId: (id) => lowerBound(0, trades.length, (index) => rowAt(trades, index).a >= id),
    indexAtTime: (timeUs) =>
      lowerBound(0, trades.length, (index) => (latestUs[index] ?? Infinity) >= timeUs),
  };
}

function rowAt(trades: readonly Trade[], index: number): Trade {
  const trade = trades[index];
  if (trade === undefined) throw new RangeError(`no trade at index ${index} of ${trades.length}`);
  return trade;
}

/** `1.5` → `1.50000000`: the exchange always writes eight decimals. */
export function toEightDecimals(text: string): string {
  const [whole = '0', fraction = ''] = text.split('.');
  return `${whole}.${fraction.padEnd(8, '0')}`;
}
