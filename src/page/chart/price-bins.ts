/** Bins of prices: 1, 2 or 5 times a power of ten, as decimal text. */

/** Of the last digit of a price, and of more than any price. */
const EXPONENTS = { least: -8, most: 9 };

/** Ascending. */
const BINS: readonly string[] = Array.from(
  { length: EXPONENTS.most - EXPONENTS.least + 1 },
  (_, index) => [1, 2, 5].map((digit) => decimalText(digit, EXPONENTS.least + index)),
).flat();

/** The smallest bin whose rows are at least as high as wanted. */
export function binFor(pricesPerPx: number, rowPx: number): string {
  const least = pricesPerPx * rowPx;
  return BINS.find((bin) => Number(bin) >= least) ?? BINS.at(-1) ?? '1';
}

/** The next finer or coarser bin; the same where there is none. */
export function besideBin(bin: string, step: 'finer' | 'coarser'): string {
  const isBeyond = (other: string) =>
    step === 'finer' ? Number(other) < Number(bin) : Number(other) > Number(bin);
  return (step === 'finer' ? BINS.findLast(isBeyond) : BINS.find(isBeyond)) ?? bin;
}

function decimalText(digit: number, exponent: number): string {
  if (exponent >= 0) return `${digit}${'0'.repeat(exponent)}`;
  return `0.${'0'.repeat(-exponent - 1)}${digit}`;
}
