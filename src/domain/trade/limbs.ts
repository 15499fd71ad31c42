/**
 * Whole numbers beyond 2^53 as limbs of 14 decimal digits. bigint would be simpler, and takes ten times as
 * long for each trade.
 */

/** 14 digits: the sum of two limbs, a carry, and a limb times ten are exact as numbers. */
export const LIMB = 1e14;

const BIG_LIMB = 10n ** 14n;

/** `high` × 1e14 + `low`, for a value of up to 28 digits; overwritten by each read. */
export interface LimbPair {
  low: number;
  high: number;
}

/** Decimal places of the unit that decimals are read in. */
const PLACES = 8;
const ZERO = 48;
const DOT = 46;

/**
 * Reads decimal text in units of 1e-8.
 * @throws RangeError when it is not a plain decimal, has more than eight places, or more than 28 digits
 */
export function readE8(text: string, into: LimbPair): void {
  into.low = 0;
  into.high = 0;
  let places = -1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === DOT && places < 0 && at > 0) places = 0;
    else {
      const digit = code - ZERO;
      if (digit < 0 || digit > 9) throw new RangeError(`not a decimal number: ${text}`);
      if (places < PLACES) appendDigit(into, digit);
      else if (digit !== 0) throw new RangeError(`${text} has more than ${PLACES} decimal places`);
      if (places >= 0) places += 1;
    }
  }
  endPlaces(into, places);
  if (into.high >= LIMB) throw new RangeError(`${text} has more than 28 digits`);
}

/** The same for the first `length` bytes of ASCII text that is known to be such a decimal. */
export function readAsciiE8(bytes: Uint8Array, length: number, into: LimbPair): void {
  into.low = 0;
  into.high = 0;
  let places = -1;
  for (let at = 0; at < length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === DOT) places = 0;
    else {
      appendDigit(into, byte - ZERO);
      if (places >= 0) places += 1;
    }
  }
  endPlaces(into, places);
}

function appendDigit(into: LimbPair, digit: number): void {
  const low = into.low * 10 + digit;
  const carry = low < LIMB ? 0 : Math.floor(low / LIMB);
  into.low = low - carry * LIMB;
  into.high = into.high * 10 + carry;
}

/** @param places decimal places that were read; less than 0 when the text has no point */
function endPlaces(into: LimbPair, places: number): void {
  for (let missing = PLACES - Math.max(0, places); missing > 0; missing -= 1) appendDigit(into, 0);
}

/** A whole number from 0 to 2^53 as limbs. */
export function splitNumber(value: number, into: LimbPair): void {
  into.high = value < LIMB ? 0 : Math.floor(value / LIMB);
  into.low = value - into.high * LIMB;
}

export function pairToBig({ low, high }: LimbPair): bigint {
  return high === 0 ? BigInt(low) : BigInt(high) * BIG_LIMB + BigInt(low);
}

/** A sum of pairs takes three limbs. All but the highest are from 0 to 1e14, also in a negative number. */
export const SUM_LIMBS = 3;

export function addPair(sums: Float64Array, at: number, { low, high }: LimbPair): void {
  let first = (sums[at] ?? 0) + low;
  let second = (sums[at + 1] ?? 0) + high;
  if (first >= LIMB) {
    first -= LIMB;
    second += 1;
  }
  if (second >= LIMB) {
    second -= LIMB;
    sums[at + 2] = (sums[at + 2] ?? 0) + 1;
  }
  sums[at] = first;
  sums[at + 1] = second;
}

export function subtractPair(sums: Float64Array, at: number, { low, high }: LimbPair): void {
  let first = (sums[at] ?? 0) - low;
  let second = (sums[at + 1] ?? 0) - high;
  if (first < 0) {
    first += LIMB;
    second -= 1;
  }
  if (second < 0) {
    second += LIMB;
    sums[at + 2] = (sums[at + 2] ?? 0) - 1;
  }
  sums[at] = first;
  sums[at + 1] = second;
}

/** Whether one sum is greater than another. */
export function isGreater(sums: Float64Array, left: number, right: number): boolean {
  for (let limb = SUM_LIMBS - 1; limb >= 0; limb -= 1) {
    const difference = (sums[left + limb] ?? 0) - (sums[right + limb] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

export function copySum(sums: Float64Array, from: number, to: number): void {
  sums[to] = sums[from] ?? 0;
  sums[to + 1] = sums[from + 1] ?? 0;
  sums[to + 2] = sums[from + 2] ?? 0;
}

export function sumToBig(sums: Float64Array, at: number): bigint {
  const [low = 0, middle = 0, high = 0] = sums.subarray(at, at + SUM_LIMBS);
  if (high === 0 && middle === 0) return BigInt(low);
  return (BigInt(high) * BIG_LIMB + BigInt(middle)) * BIG_LIMB + BigInt(low);
}
