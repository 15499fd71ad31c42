import { CdvaultError } from './errors.ts';

/** `BTCUSDT`, `BTC/USDT`, `btc-usdt`, `BTCUSD_PERP` (COIN-M); the exchange lists symbols in any script. */
const SYMBOL = /^([\p{L}\p{M}\p{N}.]+)(?:[/-]([\p{L}\p{M}\p{N}.]+))?(_[\p{L}\p{N}]+)?$/u;

/** Longer than any listed symbol, shorter than most text pasted by mistake. */
const MAX_CHARS = 30;

/**
 * A symbol as the exchange spells it. Only ASCII letters become upper case: for other letters this can
 * change the length of the text, and the exchange lists them unchanged.
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

/** Whether a symbol is spelled as commands and jobs take it; the exchange could list any text. */
export function isSymbol(text: string): boolean {
  try {
    return parseSymbol(text) === text;
  } catch {
    return false;
  }
}

/**
 * Symbols in the given order, without duplicates.
 * @throws CdvaultError USAGE when there is none, or one is not a symbol
 */
export function parseSymbols(texts: readonly string[]): string[] {
  if (texts.length === 0)
    throw new CdvaultError('USAGE', 'no symbol given', {
      advice: 'Give at least one symbol, such as BTCUSDT.',
    });
  return [...new Set(texts.map(parseSymbol))];
}

function notASymbol(text: string): CdvaultError {
  const shown = text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text;
  return new CdvaultError('USAGE', `${JSON.stringify(shown)} is not a symbol`, {
    advice: 'Write it as BTCUSDT, btcusdt, BTC/USDT or btc-usdt.',
  });
}
