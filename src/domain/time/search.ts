/**
 * The first index in `[0, length)` at which `holds` is true; `length` if there is none. From the first
 * true index on, `holds` must stay true.
 */
export function firstIndex(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** How many of the values, which are ascending, are at or below `limit`. */
export function countUpTo(values: readonly number[], limit: number): number {
  return firstIndex(values.length, (index) => (values[index] ?? Infinity) > limit);
}
