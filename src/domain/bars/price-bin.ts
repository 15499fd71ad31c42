const STEPS = [1n, 2n, 5n, 10n] as const;

/**
 * The width of price bins of which about `count` span `spanE8`: 1, 2 or 5 times a power of ten, the first that
 * is not narrower. Units of 1e-8, and at least one.
 */
export function binE8For(spanE8: bigint, count: number): bigint {
  const wantedE8 = spanE8 / BigInt(count);
  for (let powerE8 = 1n; ; powerE8 *= 10n) {
    const found = STEPS.find((step) => step * powerE8 >= wantedE8);
    if (found !== undefined) return found * powerE8;
  }
}
