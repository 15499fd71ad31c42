import type { Market } from '../../domain/market.ts';
import { HOURS_AT_ONCE, type HoursChange, nextHours } from '../../domain/plan/hours-at-once.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobWorkers, SliceWork } from '../../ports/job-queue.ts';
import type { Log } from '../../ports/log.ts';
import type { MachineLoad, MachineLoadMeter } from '../../ports/machine-load.ts';
import type { MarketHours } from '../../ports/worker-register.ts';
import type { StoreWatch } from '../../ports/watch.ts';

/** Short beside the window of weight, so that a worker finds its number within a few windows. */
const LOOK_MS = 5_000;
/** The exchange's window of a minute: weight is waited for at its end alone. */
const LOOKS_A_WINDOW = 12;

export interface AdaptDeps {
  readonly workers: Pick<JobWorkers, 'takeSliceWork' | 'setSlicesAtOnce'>;
  readonly markets: readonly Market[];
  readonly machine: MachineLoadMeter;
  readonly store: Pick<StoreWatch, 'health'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Tests shorten it. */
  readonly lookMs?: number;
}

/** What is known of one market. */
interface MarketState {
  isUsed: boolean;
  change: HoursChange;
  /** What was done in each look of the last window, since the last decrease. */
  looks: readonly SliceWork[];
}

/** Keeps the number of hours that a worker fetches at a time near what its surroundings allow. */
export class AdaptedHours {
  readonly #deps: AdaptDeps;
  readonly #states: ReadonlyMap<Market, MarketState>;

  constructor(deps: AdaptDeps) {
    this.#deps = deps;
    const change: HoursChange = { hours: HOURS_AT_ONCE.first, limit: undefined };
    this.#states = new Map(
      deps.markets.map((market) => [market, { change, isUsed: false, looks: [] }]),
    );
  }

  /** Those of markets on which it has worked. */
  all(): MarketHours[] {
    return [...this.#states].flatMap(([market, { change, isUsed }]) =>
      isUsed ? [{ market, ...change }] : [],
    );
  }

  /** @returns when the signal is aborted */
  async keep(signal: AbortSignal): Promise<void> {
    const { clock, lookMs = LOOK_MS } = this.#deps;
    while (!signal.aborted) {
      await clock.sleep(lookMs, signal).catch(() => undefined);
      if (!signal.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    const machine = this.#deps.machine();
    const works = [...this.#states].map(([market, state]) => ({
      market,
      state,
      work: this.#deps.workers.takeSliceWork(market),
    }));
    const busy = works.filter(({ work }) => work.running > 0);
    if (busy.length === 0) return;
    const store = await this.#storeLag();
    for (const { market, state, work } of busy)
      this.#adapt(market, state, { work, machine, store });
  }

  #adapt(
    market: Market,
    state: MarketState,
    seen: {
      readonly work: SliceWork;
      readonly machine: MachineLoad;
      readonly store: number | undefined;
    },
  ): void {
    const { work, machine, store } = seen;
    const before = state.change.hours;
    state.isUsed = true;
    state.looks = [...state.looks, work].slice(-LOOKS_A_WINDOW);
    const load = {
      ...machine,
      store,
      isFull: work.running >= before,
      weight: waitingPart(state.looks),
      isWeightSure: state.looks.length === LOOKS_A_WINDOW,
    };
    state.change = nextHours(before, load);
    const { hours, limit } = state.change;
    if (hours < before) state.looks = [];
    if (hours === before) return;
    this.#deps.workers.setSlicesAtOnce(market, hours);
    this.#deps.log.debug({ market, before, hours, limit, ...load }, 'hours at a time');
  }

  /** undefined when the store does not say. */
  async #storeLag(): Promise<number | undefined> {
    try {
      const { tables } = await this.#deps.store.health();
      return tables.reduce((sum, { pendingTransactions }) => sum + pendingTransactions, 0);
    } catch (error) {
      this.#deps.log.debug({ error: String(error) }, 'could not ask how far the store is behind');
      return undefined;
    }
  }
}

function waitingPart(looks: readonly SliceWork[]): number {
  const sum = (field: 'waitMs' | 'durationMs') =>
    looks.reduce((total, look) => total + look[field], 0);
  const durationMs = sum('durationMs');
  return durationMs === 0 ? 0 : Math.min(1, sum('waitMs') / durationMs);
}
