import { HOUR_MS, MINUTE_MS } from '../../domain/time/hour.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import type { SeriesCatalogue } from '../../ports/ledger.ts';
import type { ScheduleRules } from '../../ports/schedule-rules.ts';
import type { Log } from '../../ports/log.ts';

/** How often to check for a lost tick; a check costs a few queries. */
const LOOK_MS = 5 * MINUTE_MS;

/** The hour that has just ended can be fetched two minutes after its end; a minute is for clocks that differ. */
const AFTER_HOUR_MS = 3 * MINUTE_MS;

interface TickDeps {
  readonly catalogue: Pick<SeriesCatalogue, 'all'>;
  readonly rules: Pick<ScheduleRules, 'all'>;
  readonly queue: Pick<JobQueue, 'hasTick' | 'upsertTick' | 'addTick' | 'removeTick'>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Keeps the hourly tick in the queue while any series is scheduled: the schedule is in the store, but
 * Redis may lose the tick. Every worker does this; it does no harm that several do.
 * @returns when the signal is aborted
 */
export async function keepTicking(deps: TickDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await restoreTick(deps);
      await deps.clock.sleep(LOOK_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      deps.log.warn({ error }, 'could not check the tick of the schedule; trying again');
      await deps.clock.sleep(LOOK_MS, signal).catch(() => undefined);
    }
  }
}

/** Whether there is anything to keep complete: a series, or a rule, which may cover one tomorrow. */
export async function isScheduling({
  catalogue,
  rules,
}: Pick<TickDeps, 'catalogue' | 'rules'>): Promise<boolean> {
  const series = await catalogue.all();
  if (series.some(({ scheduledFromMs }) => scheduledFromMs !== undefined)) return true;
  return (await rules.all()).length > 0;
}

/** Registers the hourly tick, and adds one for now. */
export async function startTicking(queue: Pick<JobQueue, 'upsertTick' | 'addTick'>): Promise<void> {
  await queue.upsertTick(HOUR_MS, AFTER_HOUR_MS);
  await queue.addTick();
}

/** @returns whether the tick was lost and has been restored */
export async function restoreTick(deps: TickDeps): Promise<boolean> {
  const { queue, log } = deps;
  if (!(await isScheduling(deps))) return false;
  if (await queue.hasTick()) return false;
  // Registering again has no effect on a registration that has lost its job, so it is removed first.
  await queue.removeTick();
  await startTicking(queue);
  log.warn({}, 'the tick of the schedule was lost and has been restored');
  return true;
}
