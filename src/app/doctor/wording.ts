/** Numbers in the facts of checks. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** 512 B, 1.5 GiB */
export function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const size = bytes / 1024 ** power;
  return `${power === 0 ? size.toFixed(0) : size.toFixed(1)} ${UNITS[power] ?? 'B'}`;
}

/** 65,530 */
export function numberText(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `1 table`, `3 tables` */
export function countText(count: number, noun: string): string {
  return `${numberText(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** The first names, and how many more there are. */
export function namesText(names: readonly string[], most = 2): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

/** 3 ms, 4.2 s, 12 min, 5 h, 3 days */
export function timeText(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${ms.toFixed(0)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 7_200_000) return `${(ms / 60_000).toFixed(0)} min`;
  return ms < 2 * 86_400_000
    ? `${(ms / 3_600_000).toFixed(0)} h`
    : `${(ms / 86_400_000).toFixed(0)} days`;
}
