import type { Command } from 'commander';
import { keepTicking, restoreTick } from '../../app/jobs/keep-ticking.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import type { JobWorkers } from '../../ports/job-queue.ts';
import { alertByWebhook } from '../compose-alerts.ts';
import { drainWorkers, say, withApp } from '../session.ts';
import { weightShareOption } from '../input/options.ts';

export function registerWorker(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('worker')
    .summary('process queued jobs')
    .description(
      'Processes jobs that backfill --detach, the schedule and other hosts have queued. You can run ' +
        'any number of workers. SIGTERM or Ctrl-C finishes the hours in progress; a second signal ' +
        'stops at once.',
    )
    .addOption(weightShareOption())
    .option('--concurrency <n>', 'number of hours to fetch at a time, or auto (default: 8)')
    .action(async (options: { weightShare?: string; concurrency?: string }) => {
      finish(
        await withApp({ overrides: options, drains: true }, async ({ app, signal, stopNow }) => {
          const workers = app.startWorkers();
          await restoreTick(app);
          say('worker: ready');
          const ended = new AbortController();
          const until = AbortSignal.any([signal, ended.signal]);
          const looking = Promise.all([keepTicking(app, until), alertByWebhook(app, until)]);
          try {
            return await runUntilStopped(workers, signal, stopNow);
          } finally {
            ended.abort();
            await looking;
          }
        }),
      );
    });
}

async function runUntilStopped(
  workers: JobWorkers,
  signal: AbortSignal,
  stopNow: AbortSignal,
): Promise<ExitCode> {
  const stopped = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const fatal = await Promise.race([stopped, workers.fatal]);
  if (fatal !== undefined) {
    await workers.stop();
    throw fatal;
  }
  say('worker: finishing the hours in progress; a second signal stops at once');
  await drainWorkers(workers, stopNow);
  return EXIT.ok;
}
