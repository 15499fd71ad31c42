import type { Command } from 'commander';
import { firstCovered } from '../../app/jobs/follow-rules.ts';
import { isSilence, silenceText } from '../../app/witness.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import type { SourceChoice } from '../../domain/plan/source-choice.ts';
import { assertDisk, describePlan, planAll, totalsOf } from '../print/plan-report.ts';
import { assertKnown, parseSeries, print, say, withApp } from '../session.ts';
import { lookAtFolder, sourceOption } from '../input/source-option.ts';
import { type RuleOptions, ruleOf, withRule } from '../input/rule-options.ts';
import { describeRange, resolveRange } from '../input/times.ts';
import {
  jsonOption,
  type RangeOptions,
  weightShareOf,
  weightShareOption,
  withRange,
} from '../input/options.ts';

interface PlanOptions extends RangeOptions, RuleOptions {
  readonly source: SourceChoice;
  readonly weightShare?: string;
}

export function registerPlan(program: Command, finish: (exitCode: ExitCode) => void): void {
  withRule(withRange(program.command('plan')))
    .argument('[symbols...]', 'one or more: BTCUSDT, btcusdt or BTC/USDT')
    .summary('estimate requests, time, download and disk of a backfill')
    .description(
      'Shows which hours of a range are not stored yet, which source they would come from, and the ' +
        'cost: rows, requests, weight, time, download and disk. On spot, two small requests per ' +
        'symbol count the rows of the range; the count is exact if the whole range is due, ' +
        'otherwise proportional to time. On futures, rows are estimated from file sizes. If the ' +
        'exchange cannot be reached, plan says so and gives a rougher estimate. --all and --quote ' +
        'estimate what schedule --all would fetch now.',
    )
    .addOption(weightShareOption())
    .addOption(sourceOption())
    .addOption(jsonOption())
    .action(async (symbols: string[], options: PlanOptions) => {
      const rule = ruleOf(symbols, options);
      const named = rule === undefined ? parseSeries(symbols, options.market) : [];
      const range = resolveRange(options, Date.now());
      const { source } = options;
      const remarks = await lookAtFolder(source, named, range.hours);
      finish(
        await withApp({ overrides: weightShareOf(options) }, async ({ app, signal }) => {
          const series = rule === undefined ? named : await firstCovered(app, rule, signal);
          const silence = await silenceOf(assertKnown(app, named, signal, source));
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

/** @returns why the exchange did not answer, which the plan reports; an unknown symbol is an error */
async function silenceOf(asked: Promise<void>): Promise<string | undefined> {
  try {
    await asked;
    return undefined;
  } catch (error) {
    if (isSilence(error) && error.code !== 'UNKNOWN_SYMBOL') return silenceText(error);
    throw error;
  }
}
