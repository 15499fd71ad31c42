import type { Command } from 'commander';
import { changeSchedule } from '../../app/run-backfill.ts';
import { EXIT, type ExitCode } from '../../domain/errors.ts';
import { floorTo, HOUR_MS } from '../../domain/hour.ts';
import type { JobWorkers } from '../../ports/job-queue.ts';
import type { App } from '../compose.ts';
import { assertKnown, parseSeries, print, say, withApp } from '../session.ts';
import { isoMinute, resolveRange } from '../times.ts';
import { marketOption, weightShareOption } from './options.ts';

const DRAIN_MS = 60_000;

export function registerWorker(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('worker')
    .summary('work on the queue until told to stop')
    .description(
      'Takes jobs that backfill --detach, schedule and other hosts have queued; run as many as you like.\n' +
        'SIGTERM or Ctrl-C finishes the hours in flight, a second one stops at once.',
    )
    .addOption(weightShareOption())
    .option('--concurrency <n>', 'hour slices at a time (default 8)')
    .action(async (options: { weightShare?: string; concurrency?: string }) => {
      finish(
        await withApp(options, async ({ app, signal }) => {
          const workers = app.startWorkers();
          if (await hasSchedule(app)) await app.queue.upsertTick(HOUR_MS);
          say('worker: ready');
          return runUntilTold(workers, signal);
        }),
      );
    });
}

async function runUntilTold(workers: JobWorkers, signal: AbortSignal): Promise<ExitCode> {
  const told = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const fatal = await Promise.race([told, workers.fatal]);
  if (fatal !== undefined) {
    await workers.stop();
    throw fatal;
  }
  say('worker: finishing the hours in flight; a second signal stops at once');
  const onSecond = () => void workers.stop();
  process.once('SIGINT', onSecond).once('SIGTERM', onSecond);
  await workers.drain(DRAIN_MS);
  process.off('SIGINT', onSecond).off('SIGTERM', onSecond);
  return EXIT.ok;
}

async function hasSchedule(app: App): Promise<boolean> {
  return (await app.catalogue.all()).some(({ scheduledFromMs }) => scheduledFromMs !== undefined);
}

export function registerSchedule(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('schedule')
    .argument('<symbols...>', 'BTCUSDT, btcusdt or BTC/USDT; several at once')
    .summary('keep series complete, hour by hour')
    .description(
      'Registers an hourly look at what the ledger lacks since --from: downtime heals by itself. Workers do the\n' +
        'work (cdvault worker). Two schedulers at once do no harm.',
    )
    .option('--from <time>', 'keep complete from here on (UTC)')
    .option('--last <length>', 'instead of --from: 12h, 30d, 6w')
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
            await app.queue.upsertTick(HOUR_MS);
            for (const { symbol } of series)
              print(`${symbol}: kept complete from ${isoMinute(startMs)} on`);
            return EXIT.ok;
          }),
        );
      },
    );
  program
    .command('unschedule')
    .argument('<symbols...>', 'as in schedule')
    .summary('stop keeping series complete; what is stored stays')
    .addOption(marketOption())
    .action(async (symbols: string[], options: { market: string }) => {
      const series = parseSeries(symbols, options.market);
      finish(
        await withApp({}, async ({ app, signal }) => {
          for (const one of series) await changeSchedule(app, one, undefined, signal);
          if (!(await hasSchedule(app))) await app.queue.removeTick();
          for (const { symbol } of series) print(`${symbol}: no longer scheduled`);
          return EXIT.ok;
        }),
      );
    });
}
