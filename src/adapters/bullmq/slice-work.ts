import type { Market } from '../../domain/market.ts';
import type { SliceWork } from '../../ports/job-queue.ts';

const NOTHING: SliceWork = { running: 0, durationMs: 0, waitMs: 0 };

/** Counts the slices of each market that run, and the time of those that have ended. */
export class SliceWorkMeter {
  readonly #work = new Map<Market, SliceWork>();

  begin(market: Market): void {
    this.#add(market, { running: 1 });
  }

  end(market: Market, times: Omit<SliceWork, 'running'>): void {
    this.#add(market, { running: -1, ...times });
  }

  take(market: Market): SliceWork {
    const work = this.#work.get(market) ?? NOTHING;
    this.#work.set(market, { ...NOTHING, running: work.running });
    return work;
  }

  #add(market: Market, change: Partial<SliceWork>): void {
    const { running, durationMs, waitMs } = this.#work.get(market) ?? NOTHING;
    this.#work.set(market, {
      running: running + (change.running ?? 0),
      durationMs: durationMs + (change.durationMs ?? 0),
      waitMs: waitMs + (change.waitMs ?? 0),
    });
  }
}
