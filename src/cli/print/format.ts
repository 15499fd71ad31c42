import { DAY_MS, isoDay } from '../../domain/time/hour.ts';

/** 61.2%; 100.0% only when everything is done, never by rounding. */
export function formatPercent(done: number, total: number): string {
  return done >= total ? '100.0%' : `${Math.min(99.9, (done / total) * 100).toFixed(1)}%`;
}

/** 8,760 */
export function formatInteger(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** 950, 23.9k, 28.4M, 1.2B. */
export function formatCount(value: number): string {
  return scaled(value, 1000, ['', 'k', 'M', 'B', 'T']);
}

/** 512 B, 1.5 KiB, 56.1 GiB. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB']);
}

/** Whole numbers below the first step, one decimal above it. */
function scaled(value: number, step: number, units: readonly string[]): string {
  let size = value;
  let index = 0;
  // Use the next unit where rounding would print a full step ("1000.0k").
  while (index < units.length - 1 && Number(size.toFixed(index === 0 ? 0 : 1)) >= step) {
    size /= step;
    index += 1;
  }
  return `${size.toFixed(index === 0 ? 0 : 1)}${units[index] ?? ''}`;
}

/** 9s, 14m10s, 2h05m, 3d4h: at most two units, which is as exact as an estimate is. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${twoDigits(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h${twoDigits(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d${hours % 24}h`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** `1 hour`, `24 hours`. */
export function counted(count: number, noun: string): string {
  return `${formatInteger(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** 2024-01-01T10:00Z; seconds and milliseconds only if they are not zero. */
export function isoMinute(timeMs: number): string {
  const iso = new Date(timeMs).toISOString();
  if (timeMs % 60_000 === 0) return `${iso.slice(0, 16)}Z`;
  return timeMs % 1000 === 0 ? `${iso.slice(0, 19)}Z` : iso;
}

/** `2024-01-03, 2024-01-07 to 2024-01-09`. @param days ascending */
export function dayRanges(days: readonly number[]): string {
  const spans: { from: number; to: number }[] = [];
  for (const dayMs of days) {
    const last = spans.at(-1);
    if (last !== undefined && dayMs - last.to === DAY_MS) last.to = dayMs;
    else spans.push({ from: dayMs, to: dayMs });
  }
  return spans
    .map(({ from, to }) => (from === to ? isoDay(from) : `${isoDay(from)} to ${isoDay(to)}`))
    .join(', ');
}
