import { CdvaultError, classify } from '../../domain/errors.ts';
import { seriesKey } from '../../domain/market.ts';
import { DAY_MS } from '../../domain/time/hour.ts';
import type {
  BuiltDay,
  BuiltSpan,
  ChartEvents,
  ChartListener,
  ChartReads,
  ServiceStatus,
} from '../../ports/chart-data.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';

export interface EventsDeps {
  readonly reads: Pick<ChartReads, 'builtSince'>;
  readonly status: () => Promise<ServiceStatus>;
  readonly clock: Clock;
  readonly log: Log;
}

const POLL_MS = 2_000;
/** The status reads the whole ledger. */
const POLLS_A_STATUS = 5;
const MAX_LISTENERS = 50;
/** A page loads its bars a moment before it listens: what was built since then must not be lost to it. */
const BEFORE_US = 60 * 1_000_000;
/** A stamp becomes visible after later ones when its writer is slow or its clock is behind. */
const LATE_US = 10 * 60 * 1_000_000;

export function createChartEvents(deps: EventsDeps): ChartEvents {
  const { status, clock, log } = deps;
  const listeners = new Set<ChartListener>();
  const attempt = createAttempts(log);
  let ending = new AbortController();
  let latest: ServiceStatus | undefined;

  async function tellStatus(): Promise<void> {
    const now = await status();
    const isNew = JSON.stringify(now) !== JSON.stringify(latest);
    latest = now;
    if (isNew) for (const one of listeners) one.onStatus(now);
  }

  async function poll(signal: AbortSignal): Promise<void> {
    const built = createBuiltDays(deps.reads);
    latest = undefined;
    for (let round = 0; !signal.aborted; round += 1) {
      await attempt('new bars', async () => {
        const spans = await built.news();
        if (spans.length > 0) for (const one of listeners) one.onBuilt(spans);
      });
      if (round % POLLS_A_STATUS === 0) await attempt('the status', tellStatus);
      await clock.sleep(POLL_MS, signal);
    }
  }

  async function tellRecent(listener: ChartListener): Promise<void> {
    const recent = await deps.reads.builtSince(clock.nowMs() * 1000 - BEFORE_US);
    if (listeners.has(listener) && recent.length > 0) listener.onBuilt(spansOf(recent));
  }

  return {
    status,
    listen(listener, signal) {
      if (signal.aborted) return;
      if (listeners.size >= MAX_LISTENERS)
        throw new CdvaultError('QUERY_BUSY', `${MAX_LISTENERS} listeners are there already`);
      listeners.add(listener);
      void attempt('bars before a listener', () => tellRecent(listener));
      if (listeners.size === 1) {
        ending = new AbortController();
        const { signal: end } = ending;
        poll(end).catch((error: unknown) => {
          if (!end.aborted) log.error({ error }, 'Events have ended');
        });
      } else if (latest !== undefined) listener.onStatus(latest);
      const leave = () => {
        listeners.delete(listener);
        if (listeners.size === 0) ending.abort();
      };
      signal.addEventListener('abort', leave, { once: true });
    },
  };
}

/** Tries what is tried again soon; logs when it begins to fail, and when it works again. */
function createAttempts(log: Log) {
  const failing = new Map<string, string>();
  return async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
      if (failing.delete(what)) log.info({ what }, 'Events have it again');
    } catch (thrown) {
      const error = classify(thrown);
      if (failing.get(what) !== error.code)
        log.warn({ what, code: error.code, error }, 'Events lack it for now');
      failing.set(what, error.code);
    }
  };
}

/** Finds days that were built since the last look; the first look finds none. */
function createBuiltDays({ builtSince }: EventsDeps['reads']) {
  let seen: ReadonlyMap<string, number> | undefined;
  let newestUs = 0;
  return {
    async news(): Promise<readonly BuiltSpan[]> {
      const days = await builtSince(newestUs - LATE_US);
      const before = seen;
      const news = days.filter((day) => before?.get(keyOf(day)) !== day.builtUs);
      newestUs = days.reduce((newest, { builtUs }) => Math.max(newest, builtUs), newestUs);
      // Older stamps are not asked for again.
      const kept = days.filter(({ builtUs }) => builtUs >= newestUs - LATE_US);
      seen = new Map(kept.map((day) => [keyOf(day), day.builtUs]));
      return before === undefined ? [] : spansOf(news);
    },
  };
}

function keyOf({ market, symbol, dayMs }: BuiltDay): string {
  return `${market} ${symbol} ${dayMs}`;
}

function spansOf(days: readonly BuiltDay[]): BuiltSpan[] {
  return [...Map.groupBy(days, (day) => seriesKey(day)).values()].flatMap((ofSeries) => {
    const [first] = ofSeries;
    if (first === undefined) return [];
    const starts = ofSeries.map(({ dayMs }) => dayMs);
    const { market, symbol } = first;
    const range = { startMs: Math.min(...starts), endMs: Math.max(...starts) + DAY_MS };
    return [{ market, symbol, ...range }];
  });
}
