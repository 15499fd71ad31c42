import { hostname } from 'node:os';
import { startWorkers, type WorkersDeps } from '../adapters/bullmq/workers.ts';
import { createMachineLoadMeter } from '../adapters/system/machine-load.ts';
import { AdaptedHours } from '../app/jobs/adapt-hours.ts';
import { MARKETS } from '../domain/market.ts';
import { HOURS_AT_ONCE } from '../domain/plan/hours-at-once.ts';
import type { JobWorkers } from '../ports/job-queue.ts';
import type { WorkerFacts } from '../ports/worker-register.ts';
import { VERSION } from '../version.ts';
import type { App } from './compose.ts';

type Deps = Pick<App, 'config' | 'register' | 'store' | 'clock' | 'log' | 'tracing'> &
  Pick<WorkersDeps, 'redisUrl' | 'handlers'>;

/** Workers that are in the list of all hosts' workers, and that find their number of hours when it is `auto`. */
export function composeWorkers(deps: Deps): JobWorkers {
  const { config, register, redisUrl, handlers, store, clock, log, tracing } = deps;
  const fixed = config.concurrency === 'auto' ? undefined : config.concurrency;
  const workers = startWorkers({
    redisUrl,
    prefix: config.redisPrefix,
    handlers,
    concurrency: { slice: fixed ?? HOURS_AT_ONCE.first },
    markets: MARKETS,
    log,
    tracing,
  });
  const machine = createMachineLoadMeter();
  const adapted = new AdaptedHours({ workers, markets: MARKETS, machine, store, clock, log });
  const facts = (): WorkerFacts => ({
    host: hostname(),
    pid: process.pid,
    egress: config.egress,
    isProxied: config.proxies.http !== '' || config.proxies.https !== '',
    version: VERSION,
    hours: fixed ?? adapted.all(),
  });
  const ended = new AbortController();
  const beside = Promise.all([
    register.announce(facts, ended.signal),
    fixed === undefined ? adapted.keep(ended.signal) : undefined,
  ]);
  const thenEnd = async (ending: Promise<void>): Promise<void> => {
    await ending;
    ended.abort();
    await beside;
  };
  return {
    fatal: workers.fatal,
    takeSliceWork: (market) => workers.takeSliceWork(market),
    setSlicesAtOnce: (market, atOnce) => workers.setSlicesAtOnce(market, atOnce),
    drain: (deadlineMs) => thenEnd(workers.drain(deadlineMs)),
    stop: () => thenEnd(workers.stop()),
  };
}
