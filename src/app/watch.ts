import { ERRORS } from '../domain/error-catalogue.ts';
import { type CdvaultError, classify } from '../domain/errors.ts';
import { MARKETS } from '../domain/market.ts';
import type { Clock } from '../ports/clock.ts';
import type { JobQueue } from '../ports/job-queue.ts';
import type { Ledger, SeriesCatalogue, SeriesCoverage, SeriesFacts } from '../ports/ledger.ts';
import type { Log } from '../ports/log.ts';
import type {
  Answer,
  Health,
  Readiness,
  SeriesLag,
  StoreWatch,
  Watch,
  WatchedFacts,
} from '../ports/watch.ts';
import type { WeightGovernor } from '../ports/weight-governor.ts';
import { lagOf } from './lag.ts';

/** The health endpoint needs no password, so it queries the services at most once a second. */
const HEALTH_KEPT_MS = 1_000;

/** Prometheus scrapes about every 15 s; several scrapers and other clients share one query of the ledger. */
const FACTS_KEPT_MS = 3_000;

export interface WatchDeps {
  /** @throws CdvaultError REDIS_UNREACHABLE, REDIS_REFUSED */
  readonly pingRedis: () => Promise<unknown>;
  readonly store: StoreWatch;
  readonly queue: Pick<JobQueue, 'counts'>;
  readonly ledger: Pick<Ledger, 'overview'>;
  readonly catalogue: Pick<SeriesCatalogue, 'all'>;
  readonly governor: Pick<WeightGovernor, 'state'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Collects metrics on request, at most once every few seconds. */
export function createWatch(deps: WatchDeps): Watch {
  const ask = createAsker(deps.log);
  const health = remembered(HEALTH_KEPT_MS, () => lookAtHealth(deps, ask));
  return {
    readiness: async () => readinessOf(await health()),
    facts: remembered(FACTS_KEPT_MS, async () => lookAtAll(deps, ask, await health())),
  };
}

async function lookAtHealth({ pingRedis, store }: WatchDeps, ask: Ask): Promise<Health> {
  const [redis, storeHealth] = await Promise.all([
    ask('redis', async () => {
      await pingRedis();
      return true as const;
    }),
    ask('store', () => store.health()),
  ]);
  return { redis, store: storeHealth };
}

async function lookAtAll(deps: WatchDeps, ask: Ask, health: Health): Promise<WatchedFacts> {
  const [queues, coverage, openGaps, exchange, series] = await Promise.all([
    ask('queues', () => deps.queue.counts()),
    ask('coverage', () => deps.ledger.overview()),
    ask('gaps', () => deps.store.openGaps()),
    ask('exchange', () =>
      Promise.all(
        MARKETS.map(async (market) => ({ market, ...(await deps.governor.state(market)) })),
      ),
    ),
    ask('schedule', () => deps.catalogue.all()),
  ]);
  const lags = lagsOf(series, coverage, deps.clock.nowMs());
  return { ...health, queues, coverage, openGaps, exchange, lags };
}

function lagsOf(
  series: Answer<readonly SeriesFacts[]>,
  coverage: Answer<readonly SeriesCoverage[]>,
  nowMs: number,
): Answer<readonly SeriesLag[]> {
  if (!series.known) return series;
  if (!coverage.known) return coverage;
  const value = series.value.flatMap(({ market, symbol, scheduledFromMs }) => {
    if (scheduledFromMs === undefined) return [];
    const stored = coverage.value.find((row) => row.market === market && row.symbol === symbol);
    return [{ market, symbol, lagMs: lagOf(scheduledFromMs, stored, nowMs) }];
  });
  return { known: true, value };
}

function readinessOf({ redis, store }: Health): Readiness {
  const reasons: { check: string; reason: string }[] = [];
  if (!redis.known) reasons.push({ check: 'redis', reason: publicReason(redis.error) });
  if (!store.known)
    return { reasons: [...reasons, { check: 'questdb', reason: publicReason(store.error) }] };
  if (!store.value.isSchemaCurrent)
    reasons.push({
      check: 'schema',
      reason: 'The schema is not that of this version; run cdvault migrate.',
    });
  for (const { name, isSuspended } of store.value.tables)
    if (isSuspended)
      reasons.push({
        check: 'tables',
        reason: `QuestDB has suspended the table ${name}; run ALTER TABLE ${name} RESUME WAL.`,
      });
  return { reasons };
}

/** The catalogue's text of the error code. Unlike the message it never contains host names. */
function publicReason({ code }: CdvaultError): string {
  return `${code}: ${ERRORS[code].when}`;
}

type Ask = <T>(what: string, question: () => Promise<T>) => Promise<Answer<T>>;

/** Logs once when a collector starts to fail, and once when it recovers. */
function createAsker(log: Log): Ask {
  const failing = new Map<string, string>();
  return async (what, question) => {
    try {
      const value = await question();
      if (failing.delete(what)) log.info({ what }, 'Metrics collector recovered');
      return { known: true, value };
    } catch (thrown) {
      const error = classify(thrown);
      if (failing.get(what) !== error.code)
        log.warn({ what, code: error.code, error }, 'Metrics collector failed');
      failing.set(what, error.code);
      return { known: false, error };
    }
  };
}

/** Shares one call among concurrent callers and caches its result for `keptMs`. */
function remembered<T>(keptMs: number, look: () => Promise<T>): () => Promise<T> {
  let latest: Promise<T> | undefined;
  let endedAtMs = Infinity;
  return () => {
    if (latest !== undefined && performance.now() - endedAtMs < keptMs) return latest;
    endedAtMs = Infinity;
    latest = look().finally(() => {
      endedAtMs = performance.now();
    });
    return latest;
  };
}
