import type { CdvaultError } from '../domain/errors.ts';
import type { Market } from '../domain/market.ts';
import type { JobWorkers } from '../ports/job-queue.ts';
import { assertNotBanned, drainWorkers, say, type Session } from './session.ts';

/** A look costs a few questions to Redis; people wait for the end of small runs. */
const POLL_MS = 200;

/**
 * Works in this process until `isOver`. A first Ctrl-C finishes what is in flight, a second stops.
 * @returns whether it was interrupted
 * @throws what no other job can survive
 */
export async function workUntil(
  session: Session,
  market: Market,
  isOver: () => Promise<boolean>,
): Promise<'over' | 'interrupted'> {
  const { app, signal } = session;
  const workers = app.startWorkers();
  try {
    await watch(session, workers, market, isOver);
    return 'over';
  } catch (error) {
    if (!signal.aborted) throw error;
    return 'interrupted';
  } finally {
    await letGo(workers, session);
  }
}

/** Looks until the run is over. @throws what no other job can survive, and the signal's reason */
async function watch(
  { app, signal }: Session,
  workers: JobWorkers,
  market: Market,
  isOver: () => Promise<boolean>,
): Promise<void> {
  let fatal: CdvaultError | undefined;
  void workers.fatal.then((error) => (fatal = error));
  while (!(await isOver())) {
    if (fatal !== undefined) throw fatal;
    await assertNotBanned(app, market);
    await app.clock.sleep(POLL_MS, signal);
  }
}

async function letGo(workers: JobWorkers, { signal, stopNow }: Session): Promise<void> {
  if (!signal.aborted) return workers.stop();
  say('finishing the hours in flight; Ctrl-C again stops at once');
  return drainWorkers(workers, stopNow);
}
