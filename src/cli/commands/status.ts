import type { Command } from 'commander';
import { createLogUpdate } from 'log-update';
import { lookAtAll, type StatusFacts } from '../../app/status/look.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { seriesKey } from '../../domain/market.ts';
import type { App } from '../compose.ts';
import { print, withApp } from '../session.ts';
import { jsonOption } from '../input/options.ts';
import { statusScreen, stripCells } from '../print/status-screen.ts';

/** The looks cost the store a tenth of a second with twenty series of a year. */
const LOOK_EVERY_MS = 2_000;
/** It reads the size of every file. */
const SIZES_EVERY_MS = 60_000;
const PLAIN_COLUMNS = 80;

interface StatusOptions {
  readonly json?: true;
  readonly watch?: true;
}

export function registerStatus(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('status')
    .summary('show what is stored and proven, what runs, and what needs attention')
    .description(
      'Shows for each series which hours are proven, how far a scheduled one is behind, and its size; ' +
        'then queues, use of the exchange’s limit, schedule and store. Series that need attention come ' +
        'first. With --watch the screen refreshes until Ctrl-C.',
    )
    .option('--watch', 'refresh the screen every two seconds; on a terminal only')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nSigns: ━ proven, ~ open, · unknown (never fetched, between stored hours), × gap: the worst ' +
        'hour of each cell\n' +
        '\nExit codes:\n' +
        '  0  everything stored is proven\n' +
        '  3  something is not proven, or the hourly job of the schedule is missing\n' +
        '  7  a table is suspended\n',
    )
    .action(async (options: StatusOptions) => {
      finish(
        // Ctrl-C is how a screen that refreshes ends.
        await withApp({ drains: options.watch === true }, async ({ app, signal }) => {
          if (options.watch === true && options.json !== true && process.stdout.isTTY)
            return watch(app, signal);
          const columns = process.stdout.columns || PLAIN_COLUMNS;
          const facts = await lookAtAll(app, stripCells(columns), await sizes(app));
          if (options.json === true) print(JSON.stringify({ type: 'status', ...facts }));
          else {
            const colours = process.stdout.isTTY && process.stdout.hasColors();
            for (const line of statusScreen(facts, { columns, rows: undefined, colours }))
              print(line);
          }
          return exitCodeOf(facts);
        }),
      );
    });
}

async function watch(app: App, signal: AbortSignal): Promise<ExitCode> {
  const { stdout } = process;
  const live = createLogUpdate(stdout);
  let facts: StatusFacts | undefined;
  let bytes = new Map<string, number>();
  let sizedMs = -Infinity;
  while (!signal.aborted) {
    if (performance.now() - sizedMs > SIZES_EVERY_MS) {
      bytes = await sizes(app);
      sizedMs = performance.now();
    }
    facts = await lookAtAll(app, stripCells(stdout.columns), bytes);
    const { columns, rows } = stdout;
    const lines = statusScreen(facts, { columns, rows: rows - 1, colours: stdout.hasColors() });
    live(lines.join('\n'));
    await app.clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
  live.done();
  return facts === undefined ? EXIT.ok : exitCodeOf(facts);
}

async function sizes({ look }: App): Promise<Map<string, number>> {
  return new Map((await look.tradeBytes()).map((one) => [seriesKey(one), one.bytes]));
}

function exitCodeOf({ series, store, tickLost }: StatusFacts): ExitCode {
  if (store.suspended.length > 0) return EXIT.fatal;
  const isWhole = series.every(({ gap, open, unknown }) => gap + open + unknown === 0);
  return isWhole && !tickLost ? EXIT.ok : EXIT.gaps;
}
