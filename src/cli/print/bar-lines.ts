/** Bars for programs: every exact value, as CSV or JSON. */

import type { ShownBar } from '../../ports/chart-data.ts';

/** The names of the columns in SQL, and their texts. Nothing in them needs quotes. */
const FIELDS: Readonly<Record<string, (bar: ShownBar) => string | number | undefined>> = {
  ts: ({ openMs }) => isoTime(openMs),
  ts_end: ({ endMs }) => isoTime(endMs),
  open: ({ open }) => open,
  high: ({ high }) => high,
  low: ({ low }) => low,
  close: ({ close }) => close,
  delta: ({ delta }) => delta,
  buy_volume: ({ buyVolume }) => buyVolume,
  sell_volume: ({ sellVolume }) => sellVolume,
  quote_delta: ({ quoteDelta }) => quoteDelta,
  quote_volume: ({ quoteVolume }) => quoteVolume,
  agg_trades: ({ aggTrades }) => aggTrades,
  trades: ({ trades }) => trades,
  price_open: ({ priceOpen }) => priceOpen,
  price_high: ({ priceHigh }) => priceHigh,
  price_low: ({ priceLow }) => priceLow,
  price_close: ({ priceClose }) => priceClose,
  first_id: ({ firstId }) => firstId,
  last_id: ({ lastId }) => lastId,
  status: ({ status }) => status,
  level_from: ({ levelFromMs }) => isoTime(levelFromMs),
  level_missing: ({ levelMissing }) => levelMissing,
};

/** A header and a line for each bar: exact decimals, times in UTC, nothing where a value is unknown. */
export function* csvLines(bars: readonly ShownBar[]): Generator<string> {
  yield Object.keys(FIELDS).join(',');
  const texts = Object.values(FIELDS);
  for (const bar of bars) yield texts.map((text) => String(text(bar) ?? '')).join(',');
}

/** What is unknown is null, as in SQL; JSON would leave an undefined field out. */
export function jsonLine(bar: ShownBar): string {
  return JSON.stringify(bar, (_, value: unknown) => (value === undefined ? null : value));
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
