import { CdvaultError } from '../../domain/errors.ts';

/** `BTCUSDT`, `BTC/USDT`, `btc-usdt`, COIN-M's `BTCUSD_PERP`; letters of any script, as the exchange lists. */
const SYMBOL = /^([\p{L}\p{M}\p{N}.]+)(?:[/-]([\p{L}\p{M}\p{N}.]+))?(_[\p{L}\p{N}]+)?$/u;

/** Longer than any listed symbol, shorter than what people paste by mistake. */
const MAX_CHARS = 30;

/**
 * The exchange's own spelling of a symbol. Only ASCII letters are raised: raising others may change
 * their number, and the exchange lists them as they are.
 * @throws CdvaultError USAGE
 */
export function parseSymbol(text: string): string {
  const trimmed = text.trim().normalize('NFC');
  const match = SYMBOL.exec(trimmed);
  if (match === null || trimmed.length > MAX_CHARS || !/[\p{L}\p{N}]/u.test(trimmed))
    throw notASymbol(text);
  const [, base = '', quote = '', suffix = ''] = match;
  return `${base}${quote}${suffix}`.replace(/[a-z]/g, (letter) => letter.toUpperCase());
}

/**
 * Symbols in the order given, each once.
 * @throws CdvaultError USAGE when there is none, or one is no symbol
 */
export function parseSymbols(texts: readonly string[]): string[] {
  if (texts.length === 0)
    throw new CdvaultError('USAGE', 'no symbol given', { advice: 'Name at least one: BTCUSDT.' });
  return [...new Set(texts.map(parseSymbol))];
}

function notASymbol(text: string): CdvaultError {
  const shown = text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text;
  return new CdvaultError('USAGE', `${JSON.stringify(shown)} is not a symbol`, {
    advice: 'Write it as BTCUSDT, btcusdt, BTC/USDT or btc-usdt.',
  });
}
