import type { Command } from 'commander';
import { isSilence, silenceText } from '../../app/witness.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import type { SourceChoice } from '../../domain/plan/source-choice.ts';
import { assertDisk, describePlan, planAll, totalsOf } from '../print/plan-report.ts';
import { assertKnown, parseSeries, print, say, withApp } from '../session.ts';
import { lookAtFolder, sourceOption } from '../input/source-option.ts';
import { describeRange, resolveRange } from '../input/times.ts';
import {
  jsonOption,
  type RangeOptions,
  weightShareOf,
  weightShareOption,
  withRange,
} from '../input/options.ts';

interface PlanOptions extends RangeOptions {
  readonly source: SourceChoice;
  readonly weightShare?: string;
}

export function registerPlan(program: Command, finish: (exitCode: ExitCode) => void): void {
  withRange(program.command('plan'))
    .argument('<symbols...>', 'BTCUSDT, btcusdt or BTC/USDT; several at once')
    .summary('what a backfill would cost, without doing it')
    .description(
      'Says what a range lacks, where it would come from and what that costs: hours by\n' +
        'the exchange’s files and by REST, rows, requests, weight, time, download, disk.\n' +
        'On spot two small requests a symbol count the rows of the range: exact when all\n' +
        'of it is due, else its share by time. On futures the sizes of the files tell.\n' +
        'Where the exchange can’t be asked, that is said, and the plan is rougher.',
    )
    .addOption(weightShareOption())
    .addOption(sourceOption())
    .addOption(jsonOption())
    .action(async (symbols: string[], options: PlanOptions) => {
      const series = parseSeries(symbols, options.market);
      const range = resolveRange(options, Date.now());
      const { source } = options;
      const remarks = await lookAtFolder(source, series, range.hours);
      finish(
        await withApp({ overrides: weightShareOf(options) }, async ({ app, signal }) => {
          const silence = await silenceOf(assertKnown(app, series, signal, source));
          const asking = { signal, isRough: true, silence };
          const plans = await planAll(app, series, { range: range.hours, choice: source }, asking);
          const totals = await totalsOf(app, plans);
          if (options.json === true)
            print(JSON.stringify({ type: 'plan', range: range.hours, series: plans, ...totals }));
          else {
            say(describeRange(range));
            for (const remark of remarks) say(remark);
            print(describePlan(plans, totals));
          }
          assertDisk(totals.bytes, app);
          return EXIT.ok;
        }),
      );
    });
}

/** That nobody answers is one of the things that a plan says; that a symbol is unknown is an error. */
async function silenceOf(asked: Promise<void>): Promise<string | undefined> {
  try {
    await asked;
    return undefined;
  } catch (error) {
    if (isSilence(error) && error.code !== 'UNKNOWN_SYMBOL') return silenceText(error);
    throw error;
  }
}
