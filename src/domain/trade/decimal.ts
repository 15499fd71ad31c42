/**
 * Exact decimals as bigint in units of 10^-scale. Prices and quantities have scale 8 (the exchange
 * never gives more digits), their products scale 16. No binary floating point anywhere.
 */

export const PRICE_SCALE = 8;
export const QTY_SCALE = 8;
export const QUOTE_SCALE = 16;

/**
 * "-1.5" at scale 8 → -150000000n.
 * @throws RangeError when the text is not a plain decimal or has more significant digits than `scale`.
 */
export function parseDecimal(text: string, scale: number): bigint {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text);
  if (match === null) throw new RangeError(`not a decimal number: ${JSON.stringify(text)}`);
  const [, sign = '', whole = '', fraction = ''] = match;
  const extra = fraction.slice(scale);
  if (/[1-9]/.test(extra)) throw new RangeError(`${text} has more than ${scale} decimal places`);
  const units = BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'));
  return sign === '-' ? -units : units;
}

/** -150000000n at scale 8 → "-1.50000000". Always `scale` decimal places, so equal values have equal texts. */
export function formatDecimal(units: bigint, scale: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  const sign = units < 0n ? '-' : '';
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The same as formatDecimal() without trailing zeros, for display. */
export function formatDecimalShort(units: bigint, scale: number): string {
  return formatDecimal(units, scale).replace(/\.?0+$/, (zeros) => (scale === 0 ? zeros : ''));
}

/** An exact sum of units. It adds as a number while that is exact: bigint takes ten times as long. */
export class ExactSum {
  #big = 0n;
  #small = 0;

  get value(): bigint {
    return this.#big + BigInt(this.#small);
  }

  /** @param units a whole number below 2^53 */
  add(units: number): void {
    const sum = this.#small + units;
    if (sum <= Number.MAX_SAFE_INTEGER) this.#small = sum;
    else {
      this.#big += BigInt(this.#small);
      this.#small = units;
    }
  }

  addBig(units: bigint): void {
    this.#big += units;
  }
}
