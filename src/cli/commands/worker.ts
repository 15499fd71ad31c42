import type { Command } from 'commander';
import { keepTicking, restoreTick, startTicking } from '../../app/jobs/keep-ticking.ts';
import { changeSchedule } from '../../app/plan/run-backfill.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { floorTo, HOUR_MS } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import type { JobWorkers } from '../../ports/job-queue.ts';
import type { App } from '../compose.ts';
import { alertByWebhook } from '../compose-alerts.ts';
import { assertKnown, drainWorkers, parseSeries, print, say, withApp } from '../session.ts';
import { resolveRange } from '../input/times.ts';
import { marketOption, weightShareOption } from '../input/options.ts';
import { isoMinute } from '../print/format.ts';

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

async function hasSchedule(app: App): Promise<boolean> {
  return (await app.catalogue.all()).some(({ scheduledFromMs }) => scheduledFromMs !== undefined);
}

export function registerSchedule(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('schedule')
    .argument('<symbols...>', 'one or more: BTCUSDT, btcusdt or BTC/USDT')
    .summary('keep series complete: fetch missing hours every hour')
    .description(
      'Queues every hour what is missing since --from, so series recover from downtime ' +
        'automatically. Workers fetch it (cdvault worker); without one nothing is fetched. You can ' +
        'schedule from several hosts. Give --from or --last.',
    )
    .option('--from <time>', 'start (UTC) of the range to keep complete')
    .option('--last <length>', 'length of the range up to now, instead of --from: 12h, 30d or 6w')
    .addOption(marketOption())
    .action(
      async (symbols: string[], options: { market: string; from?: string; last?: string }) => {
        const series = parseSeries(symbols, options.market);
        const { startMs } = resolveRange(options, Date.now()).hours;
        finish(
          await withApp({}, async ({ app, signal }) => {
            await assertKnown(app, series, signal);
            for (const one of series)
              await changeSchedule(app, one, floorTo(startMs, HOUR_MS), signal);
            await startTicking(app.queue);
            for (const { symbol } of series)
              print(`${symbol}: scheduled from ${isoMinute(startMs)} on`);
            return EXIT.ok;
          }),
        );
      },
    );
  program
    .command('unschedule')
    .argument('<symbols...>', 'one or more: BTCUSDT, btcusdt or BTC/USDT')
    .summary('stop scheduling series; stored data is kept')
    .description('Stops the hourly fetch of missing hours. Stored data is kept.')
    .addOption(marketOption())
    .action(async (symbols: string[], options: { market: string }) => {
      const series = parseSeries(symbols, options.market);
      finish(
        await withApp({}, async ({ app, signal }) => {
          await assertScheduled(app, series);
          for (const one of series) await changeSchedule(app, one, undefined, signal);
          if (!(await hasSchedule(app))) await app.queue.removeTick();
          for (const { symbol } of series) print(`${symbol}: no longer scheduled`);
          return EXIT.ok;
        }),
      );
    });
}

async function assertScheduled({ catalogue }: App, series: readonly Series[]): Promise<void> {
  for (const one of series) {
    if ((await catalogue.find(one))?.scheduledFromMs !== undefined) continue;
    throw new CdvaultError('UNKNOWN_SYMBOL', `${one.symbol} is not scheduled`, {
      advice: 'Run cdvault status to list scheduled series.',
    });
  }
}
