import { hashNumbers, uniformOf, uniformSequence } from './random.ts';

/** Raw trades are distributed in groups, so that raw ids are consecutive without adding up all earlier trades. */
export const RAW_GROUP = 64;
export const RAW_EXTRA_PER_GROUP = 20;

/** Period in microseconds, and the amplitude as a share of the price. */
const PRICE_SCALES: readonly (readonly [number, number])[] = [
  [86_400_000_000, 0.04],
  [3_600_000_000, 0.01],
  [300_000_000, 0.003],
  [20_000_000, 0.0006],
];

/**
 * Distance of the price from its middle, as a share of the middle: straight lines between seeded points on four
 * time scales. Plain arithmetic, so it is the same on every machine.
 */
export function priceDrift(seed: number, timeUs: number): number {
  let drift = 0;
  for (const [scale, [periodUs, size]] of PRICE_SCALES.entries()) {
    const cell = Math.floor(timeUs / periodUs);
    const left = uniformOf(seed, 5 + scale, cell);
    const right = uniformOf(seed, 5 + scale, cell + 1);
    drift += (left + (right - left) * (timeUs / periodUs - cell) - 0.5) * size;
  }
  return drift;
}

/** Sorted times: a third of the trades follow another within the same millisecond or so, and some minutes have a burst. */
export function burstyTimes(
  next: () => number,
  startUs: number,
  spanUs: number,
  count: number,
): Float64Array {
  const timesUs = new Float64Array(count);
  const burstUs = next() < 0.05 ? Math.floor(next() * Math.max(0, spanUs - 1000)) : undefined;
  let previousUs = 0;
  for (let slot = 0; slot < count; slot++) {
    const choice = next();
    const place = next();
    let offsetUs = Math.floor(place * spanUs);
    if (burstUs !== undefined && choice > 0.7) offsetUs = burstUs + Math.floor(place * 1000);
    else if (slot > 0 && choice < 0.35)
      offsetUs = previousUs + (choice < 0.1 ? 0 : Math.floor(place * 900));
    previousUs = Math.max(0, Math.min(offsetUs, spanUs - 1));
    timesUs[slot] = startUs + previousUs;
  }
  return timesUs.sort();
}

/** Extra raw trades before each slot of a group: ten takers get one more fill each, and one sweeps ten more. */
export function rawExtras(seed: number, group: number): Uint8Array {
  const next = uniformSequence(hashNumbers(seed, 9, group));
  const extras = new Uint8Array(RAW_GROUP);
  for (let fill = 0; fill < RAW_EXTRA_PER_GROUP / 2; fill++)
    addAt(extras, Math.floor(next() * RAW_GROUP), 1);
  addAt(extras, Math.floor(next() * RAW_GROUP), RAW_EXTRA_PER_GROUP / 2);
  const before = new Uint8Array(RAW_GROUP);
  for (let slot = 1; slot < RAW_GROUP; slot++)
    before[slot] = (before[slot - 1] ?? 0) + (extras[slot - 1] ?? 0);
  return before;
}

function addAt(counts: Uint8Array, slot: number, amount: number): void {
  counts[slot] = (counts[slot] ?? 0) + amount;
}

/** A number of units of 10^-`decimals`, as text with eight decimals, as the exchange writes it. */
export function unitsText(units: number, decimals: number): string {
  const digits = String(units);
  if (decimals === 0) return `${digits}.00000000`;
  const padded = digits.padStart(decimals + 1, '0');
  return `${padded.slice(0, -decimals)}.${padded.slice(-decimals).padEnd(8, '0')}`;
}
