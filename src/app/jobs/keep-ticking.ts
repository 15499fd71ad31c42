import { HOUR_MS, MINUTE_MS } from '../../domain/time/hour.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import type { SeriesCatalogue } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';

/** A tick that is lost is missed for at most this long; a look costs a few questions. */
const LOOK_MS = 5 * MINUTE_MS;

interface TickDeps {
  readonly catalogue: Pick<SeriesCatalogue, 'all'>;
  readonly queue: Pick<JobQueue, 'hasTick' | 'upsertTick' | 'removeTick'>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Keeps the hourly tick in the queue as long as a series is scheduled: the store knows the schedule,
 * Redis may lose it. Every worker looks; that several do changes nothing.
 * @returns once the signal is aborted
 */
export async function keepTicking(deps: TickDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await restoreTick(deps);
      await deps.clock.sleep(LOOK_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      deps.log.warn({ error }, 'the tick of the schedule was not looked for; trying again');
      await deps.clock.sleep(LOOK_MS, signal).catch(() => undefined);
    }
  }
}

/** @returns whether it had to be put back */
export async function restoreTick({ catalogue, queue, log }: TickDeps): Promise<boolean> {
  const series = await catalogue.all();
  if (series.every(({ scheduledFromMs }) => scheduledFromMs === undefined)) return false;
  if (await queue.hasTick()) return false;
  // A registration without its job stays silent when it is registered again.
  await queue.removeTick();
  await queue.upsertTick(HOUR_MS);
  log.warn({}, 'the tick of the schedule was lost; it is put back');
  return true;
}
