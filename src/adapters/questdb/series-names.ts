import { createHash } from 'node:crypto';
import { marketName, type Series } from '../../domain/market.ts';

/** The server allows 127 characters; the rest of a name takes at most 25. */
const MAX_HEX_CHARS = 100;

/**
 * The table of a series' raw trades, such as `agg_trades_spot_btcusdt_1`. Different series never share a
 * name, also where the server ignores case.
 * @param generation counts the tables that the series has had, from 1
 */
export function tradesTableName(series: Series, generation: number): string {
  return `agg_trades_${nameOf(series)}_${generation}`;
}

/** The view of these trades for people, such as `trades_spot_btcusdt`. */
export function tradesViewName(series: Series): string {
  return `trades_${nameOf(series)}`;
}

/**
 * Symbols of capital letters, digits and underscores are written as they are, in small letters. Others are
 * written as the hexadecimal digits of their UTF-8 text, or of its hash where that is too long; the word
 * before them (`spotx`, `spoth`) is not the name of any market.
 */
function nameOf({ market, symbol }: Series): string {
  const name = marketName(market);
  if (/^[A-Z0-9_]+$/.test(symbol) && symbol.length <= MAX_HEX_CHARS)
    return `${name}_${symbol.toLowerCase()}`;
  const hex = Buffer.from(symbol).toString('hex');
  if (hex.length <= MAX_HEX_CHARS) return `${name}x_${hex}`;
  return `${name}h_${createHash('sha256').update(symbol).digest('hex')}`;
}
