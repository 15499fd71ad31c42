import { createLogUpdate } from 'log-update';
import { isoHour } from '../../domain/time/hour.ts';
import type { Clock } from '../../ports/clock.ts';
import { formatCount, formatDuration, formatPercent } from './format.ts';

/** Interval between progress lines when standard error is not a terminal. */
const PLAIN_EVERY_MS = 5_000;
/** A terminal is written to at most this often. */
const LIVE_EVERY_MS = 100;

/** Progress over the stored trades of a range: a live line on a terminal, else a line every few seconds. */
export class RangeProgress {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #totalRows: number;
  readonly #live = process.stderr.isTTY ? createLogUpdate(process.stderr) : undefined;
  readonly #startedMs: number;
  #printedMs: number;
  #rows = 0;

  /** @param totalRows rows of the range by the ledger */
  constructor(clock: Pick<Clock, 'nowMs'>, totalRows: number) {
    this.#clock = clock;
    this.#totalRows = totalRows;
    this.#startedMs = this.#printedMs = clock.nowMs();
  }

  /** Called with the rows of each hour that has been read. */
  readonly onHour = (hour: { readonly hourMs: number; readonly rows: number }): void => {
    this.#rows += hour.rows;
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#printedMs < (this.#live === undefined ? PLAIN_EVERY_MS : LIVE_EVERY_MS))
      return;
    this.#printedMs = nowMs;
    const line = rangeProgressLine({
      rows: this.#rows,
      totalRows: this.#totalRows,
      elapsedMs: nowMs - this.#startedMs,
      hourMs: hour.hourMs,
    });
    if (this.#live === undefined) process.stderr.write(`${line}\n`);
    else this.#live(line.slice(0, process.stderr.columns || 80));
  };

  /** Removes the live line; called before other lines are printed, and at the end. */
  clear(): void {
    this.#live?.clear();
  }
}

interface RangeFacts {
  readonly rows: number;
  readonly totalRows: number;
  readonly elapsedMs: number;
  readonly hourMs: number;
}

export function rangeProgressLine({ rows, totalRows, elapsedMs, hourMs }: RangeFacts): string {
  const perSecond = elapsedMs > 0 ? (rows / elapsedMs) * 1000 : 0;
  const leftMs = perSecond > 0 ? (Math.max(0, totalRows - rows) / perSecond) * 1000 : undefined;
  return [
    formatPercent(Math.min(rows, totalRows), totalRows),
    `${formatCount(rows)} rows`,
    `${formatCount(perSecond)} rows/s`,
    ...(leftMs === undefined ? [] : [`ETA ${formatDuration(leftMs)}`]),
    `at ${isoHour(hourMs)}`,
  ].join(' | ');
}
