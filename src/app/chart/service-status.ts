import { classify } from '../../domain/errors.ts';
import { floorTo, MINUTE_MS } from '../../domain/time/hour.ts';
import type { ServiceStatus } from '../../ports/chart-data.ts';
import type { JobQueue, QueueCounts } from '../../ports/job-queue.ts';
import type { Log } from '../../ports/log.ts';
import type { SeriesLag, Watch } from '../../ports/watch.ts';

interface StatusDeps {
  readonly watch: Pick<Watch, 'facts'>;
  readonly queue: Pick<JobQueue, 'newestFailure'>;
  readonly log: Log;
}

/** What runs, from the facts of the metrics. */
export async function serviceStatus({ watch, queue, log }: StatusDeps): Promise<ServiceStatus> {
  const { redis, store, queues, lags } = await watch.facts();
  const lastError = redis.known
    ? await queue.newestFailure().catch((thrown: unknown) => {
        const error = classify(thrown);
        log.warn({ code: error.code, error }, 'The newest failed job is not known');
        return undefined;
      })
    : undefined;
  return {
    services: { redis: redis.known, store: store.known },
    jobs: queues.known ? jobsOf(queues.value) : undefined,
    lag: lags.known ? greatest(lags.value) : undefined,
    lastError,
  };
}

function jobsOf(counts: readonly QueueCounts[]) {
  const total = { waiting: 0, active: 0, failed: 0 };
  for (const { kind, waiting, delayed, active, failed } of counts) {
    // The next tick is always there, delayed.
    total.waiting += waiting + (kind === 'tick' ? 0 : delayed);
    total.active += active;
    total.failed += failed;
  }
  return total;
}

/** In whole minutes: it grows all the time. */
function greatest(lags: readonly SeriesLag[]): SeriesLag | undefined {
  const [found] = lags.toSorted((left, right) => right.lagMs - left.lagMs);
  return found && { ...found, lagMs: floorTo(found.lagMs, MINUTE_MS) };
}
