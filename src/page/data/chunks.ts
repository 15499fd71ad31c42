import { floorTo } from '../../domain/time/hour.ts';
import type { VisibleRange } from '../view.ts';

/** Bars of one request: few requests for a picture, and each is answered at once. */
const CHUNK_BARS = 2_000;

/** Chunks that stay in memory on each side of the visible ones. */
const KEPT_BESIDE = 1;

/** The part of a chunk that is loaded before it is visible. */
const AHEAD = 0.25;

/**
 * Pieces of a long range, loaded as they come near the picture and dropped when they are far from it.
 * `T` is what a piece holds.
 */
export class Chunks<T> {
  readonly #spanMs: number;
  readonly #load: (range: VisibleRange, signal: AbortSignal) => Promise<T>;
  readonly #pieces = new Map<number, T>();
  readonly #due = new Map<number, Promise<void>>();
  readonly #end = new AbortController();

  constructor(intervalMs: number, load: (range: VisibleRange, signal: AbortSignal) => Promise<T>) {
    this.#spanMs = intervalMs * CHUNK_BARS;
    this.#load = load;
  }

  /** In order of time. */
  get pieces(): readonly T[] {
    return [...this.#pieces].toSorted(([a], [b]) => a - b).map(([, piece]) => piece);
  }

  /**
   * Loads what the picture needs.
   * @param limits pieces outside of these are not asked for
   * @returns true when pieces have come or gone
   * @throws what `load` throws; what other requests brought stays
   */
  async cover(visible: VisibleRange, limits: VisibleRange): Promise<boolean> {
    // The first picture waits for nothing beside it: what is ahead comes with the next call.
    const aheadMs = this.#pieces.size === 0 ? 0 : this.#spanMs * AHEAD;
    const fromMs = Math.max(visible.fromMs - aheadMs, limits.fromMs);
    const toMs = Math.min(visible.toMs + aheadMs, limits.toMs);
    // Nothing is stored in the picture: what was loaded stays, for the way back.
    if (fromMs >= toMs) return false;
    const firstMs = floorTo(fromMs, this.#spanMs);
    const starts: number[] = [];
    for (let at = firstMs; at < toMs; at += this.#spanMs) starts.push(at);
    const missing = starts.filter((start) => !this.#pieces.has(start));
    await Promise.all(missing.map(async (start) => this.#fetch(start)));
    return this.#dropFarFrom(firstMs, starts.at(-1) ?? firstMs) || missing.length > 0;
  }

  /** Breaks off what is loading. Nothing comes afterwards. */
  close(): void {
    this.#end.abort();
  }

  async #fetch(start: number): Promise<void> {
    const running = this.#due.get(start);
    if (running !== undefined) return running;
    const range = { fromMs: start, toMs: start + this.#spanMs };
    const loading = this.#load(range, this.#end.signal)
      .then((piece) => void this.#pieces.set(start, piece))
      .finally(() => this.#due.delete(start));
    this.#due.set(start, loading);
    return loading;
  }

  /** What is kept is one stretch without a hole: the time axis shows all of it. */
  #dropFarFrom(firstMs: number, lastMs: number): boolean {
    const kept = new Set<number>();
    const reachMs = KEPT_BESIDE * this.#spanMs;
    const keep = (fromMs: number, stepMs: number) => {
      for (let at = fromMs; Math.abs(at - fromMs) <= reachMs && this.#pieces.has(at); at += stepMs)
        kept.add(at);
    };
    for (let at = firstMs; at <= lastMs; at += this.#spanMs) kept.add(at);
    keep(firstMs, -this.#spanMs);
    keep(lastMs, this.#spanMs);
    const far = [...this.#pieces.keys()].filter((start) => !kept.has(start));
    for (const start of far) this.#pieces.delete(start);
    return far.length > 0;
  }
}
