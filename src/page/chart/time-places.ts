import type { Point } from '../data/bar.ts';
import { countUpTo } from '../../domain/time/search.ts';

/**
 * Where times are on the axis. The axis counts points: point `i` is a slot from `i` − 0.5 to `i` + 0.5, and
 * times inside a bar are spread evenly over its slot. Before the first point and after the last one, the axis
 * goes on in steps of the interval.
 */
export class TimePlaces {
  readonly points: readonly Point[];
  readonly #starts: readonly number[];
  readonly #intervalMs: number;

  constructor(points: readonly Point[], intervalMs: number) {
    this.points = points;
    this.#starts = points.map(({ timeMs }) => timeMs);
    this.#intervalMs = intervalMs;
  }

  /** The index of the point that holds a time, or of the nearest one. */
  indexAt(timeMs: number): number {
    const index = countUpTo(this.#starts, timeMs) - 1;
    return Math.min(Math.max(index, 0), this.points.length - 1);
  }

  placeOf(timeMs: number): number {
    const index = this.indexAt(timeMs);
    const point = this.points[index];
    if (point === undefined) return 0;
    const isInside = timeMs >= point.timeMs && timeMs < point.endMs;
    const lengthMs = isInside ? point.endMs - point.timeMs : this.#intervalMs;
    return index - 0.5 + (timeMs - point.timeMs) / lengthMs;
  }

  timeAt(place: number): number {
    const index = Math.min(Math.max(Math.floor(place + 0.5), 0), this.points.length - 1);
    const point = this.points[index];
    if (point === undefined) return 0;
    const part = place + 0.5 - index;
    const lengthMs = part >= 0 && part < 1 ? point.endMs - point.timeMs : this.#intervalMs;
    return point.timeMs + part * lengthMs;
  }
}
