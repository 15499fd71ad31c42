/** The first index in `[0, length)` at which `holds` is true, once true, true ever after; `length` if none. */
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

/** How many of the ascending values are at or below `limit`. */
export function countUpTo(values: readonly number[], limit: number): number {
  return firstIndex(values.length, (index) => (values[index] ?? Infinity) > limit);
}
