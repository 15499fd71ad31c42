import type { CdvaultError } from '../domain/errors.ts';
import type { Market } from '../domain/market.ts';
import type { JobWorkers } from '../ports/job-queue.ts';
import { assertNotBanned, drainWorkers, say, type Session } from './session.ts';

/** A poll costs a few Redis calls; short, because users wait for the end of small runs. */
const POLL_MS = 200;

/**
 * Processes jobs in this process until `isOver`. The first Ctrl-C finishes what is in progress, the
 * second stops at once.
 * @returns whether it was interrupted
 * @throws CdvaultError an error that no other job can survive, such as a ban or a suspended table
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
    await stopWorkers(workers, session);
  }
}

/** Polls until the run is over. @throws an error that no other job can survive, or the signal's reason */
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

async function stopWorkers(workers: JobWorkers, { signal, stopNow }: Session): Promise<void> {
  if (!signal.aborted) return workers.stop();
  say('finishing the hours in progress; press Ctrl-C again to stop at once');
  return drainWorkers(workers, stopNow);
}
