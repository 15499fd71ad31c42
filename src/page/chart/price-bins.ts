/** Bins of prices: 1, 2 or 5 times a power of ten, as decimal text. */

/** The smallest bin whose rows are at least as high as wanted. */
export function binFor(pricesPerPx: number, rowPx: number): string {
  const least = pricesPerPx * rowPx;
  const exponent = Math.floor(Math.log10(least));
  const factor = least / 10 ** exponent;
  const step = [1, 2, 5].find((one) => factor <= one);
  return step === undefined ? decimalText(1, exponent + 1) : decimalText(step, exponent);
}

function decimalText(digit: number, exponent: number): string {
  if (exponent >= 0) return `${digit}${'0'.repeat(exponent)}`;
  return `0.${'0'.repeat(-exponent - 1)}${digit}`;
}
