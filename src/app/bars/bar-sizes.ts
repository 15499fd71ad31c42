import {
  formatDecimal,
  parseDecimal,
  PRICE_SCALE,
  QTY_SCALE,
  QUOTE_SCALE,
} from '../../domain/trade/decimal.ts';
import type { BarSizes } from '../../ports/bar-store.ts';

/** @param parts consecutive bars, at least one */
export function sizesOf(parts: readonly BarSizes[]): BarSizes {
  const [first, ...rest] = parts;
  if (first !== undefined && rest.length === 0) return picked(first);
  const traded = parts.filter(({ aggTrades }) => aggTrades > 0);
  const prices = (field: 'priceHigh' | 'priceLow') =>
    traded.map((bar) => bar[field]).filter((price) => price !== undefined);
  const ids = (field: 'firstId' | 'lastId') =>
    traded.map((bar) => bar[field]).filter((id) => id !== undefined);
  const total = (
    field: 'buyVolume' | 'sellVolume' | 'quoteDelta' | 'quoteVolume',
    scale: number,
  ) => {
    const texts = parts.map((bar) => bar[field]);
    return sum(texts, scale);
  };
  return {
    buyVolume: total('buyVolume', QTY_SCALE) ?? '',
    sellVolume: total('sellVolume', QTY_SCALE) ?? '',
    quoteDelta: total('quoteDelta', QUOTE_SCALE),
    quoteVolume: total('quoteVolume', QUOTE_SCALE),
    aggTrades: parts.reduce((count, { aggTrades }) => count + aggTrades, 0),
    trades: parts.reduce((count, { trades }) => count + trades, 0),
    priceOpen: traded[0]?.priceOpen,
    priceHigh: furthest(prices('priceHigh'), (price, high) => price > high),
    priceLow: furthest(prices('priceLow'), (price, low) => price < low),
    priceClose: traded.at(-1)?.priceClose,
    firstId: traded.length === 0 ? undefined : Math.min(...ids('firstId')),
    lastId: traded.length === 0 ? undefined : Math.max(...ids('lastId')),
  };
}

function picked({
  buyVolume,
  sellVolume,
  quoteDelta,
  quoteVolume,
  aggTrades,
  trades,
  priceOpen,
  priceHigh,
  priceLow,
  priceClose,
  firstId,
  lastId,
}: BarSizes): BarSizes {
  return {
    buyVolume,
    sellVolume,
    quoteDelta,
    quoteVolume,
    aggTrades,
    trades,
    priceOpen,
    priceHigh,
    priceLow,
    priceClose,
    firstId,
    lastId,
  };
}

/** @returns undefined when a part is unknown */
function sum(texts: readonly (string | undefined)[], scale: number): string | undefined {
  let units = 0n;
  for (const text of texts) {
    if (text === undefined) return undefined;
    units += parseDecimal(text, scale);
  }
  return formatDecimal(units, scale);
}

function furthest(
  prices: readonly string[],
  isFurther: (price: bigint, than: bigint) => boolean,
): string | undefined {
  let found: { readonly text: string; readonly units: bigint } | undefined;
  for (const text of prices) {
    const units = parseDecimal(text, PRICE_SCALE);
    if (found === undefined || isFurther(units, found.units)) found = { text, units };
  }
  return found?.text;
}
