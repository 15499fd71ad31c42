import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { assertDisk, describePlan, planAll, totalsOf } from '../plan-report.ts';
import { assertKnown, parseSeries, print, say, withApp } from '../session.ts';
import { describeRange, resolveRange } from '../times.ts';
import {
  jsonOption,
  type RangeOptions,
  weightShareOf,
  weightShareOption,
  withRange,
} from './options.ts';

interface PlanOptions extends RangeOptions {
  readonly weightShare?: string;
}

export function registerPlan(program: Command, finish: (exitCode: ExitCode) => void): void {
  withRange(program.command('plan'))
    .argument('<symbols...>', 'BTCUSDT, btcusdt or BTC/USDT; several at once')
    .summary('what a backfill would cost, without doing it')
    .description(
      'Says what a range lacks and what fetching it costs: hours, rows, requests,\n' +
        'weight, time, disk. Two small requests a symbol count the rows of the range:\n' +
        'exact when all of it is due, else its share by time.',
    )
    .addOption(weightShareOption())
    .addOption(jsonOption())
    .action(async (symbols: string[], options: PlanOptions) => {
      const series = parseSeries(symbols, options.market);
      const range = resolveRange(options, Date.now());
      finish(
        await withApp({ overrides: weightShareOf(options) }, async ({ app, signal }) => {
          await assertKnown(app, series, signal);
          const plans = await planAll(app, series, range.hours, signal);
          const totals = await totalsOf(app, plans);
          if (options.json === true)
            print(JSON.stringify({ type: 'plan', range: range.hours, series: plans, ...totals }));
          else {
            say(describeRange(range));
            print(describePlan(plans, totals));
          }
          assertDisk(totals.bytes, app);
          return EXIT.ok;
        }),
      );
    });
}
