/** Short numbers for drawing: exact ones are in the legend. */

/** Of an axis. */
export function axisText(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${trimmed(value / 1e6, 3)}M`;
  if (size >= 1e5) return `${trimmed(value / 1e3, 1)}k`;
  if (size >= 1_000) return trimmed(value, 1);
  if (size >= 1) return trimmed(value, 2);
  return size < 1e-9 ? '0' : String(Number(value.toPrecision(4)));
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

/** At most five characters: cells are small. */
export function sizeText(size: number): string {
  if (size === 0) return '0';
  if (size >= 1e6) return `${(size / 1e6).toFixed(1)}M`;
  if (size >= 1e4) return `${(size / 1e3).toFixed(0)}k`;
  if (size >= 1e3) return `${(size / 1e3).toFixed(1)}k`;
  if (size >= 100) return size.toFixed(0);
  if (size >= 10) return size.toFixed(1);
  if (size >= 0.01) return size.toFixed(2);
  return size >= 0.001 ? size.toFixed(3) : '<.001';
}
