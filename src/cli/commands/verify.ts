import type { Command } from 'commander';
import { verifyRange } from '../../app/verify/verify-range.ts';
import type { ExitCode } from '../../domain/exit-codes.ts';
import type { DayReport } from '../../domain/proof/finding.ts';
import { VERSION } from '../../version.ts';
import { assertStored, parseSeries, print, say, withApp } from '../session.ts';
import { describeRange, resolveRange } from '../input/times.ts';
import { assertWritable, writeOutput } from '../print/output-file.ts';
import { RangeProgress } from '../print/range-progress.ts';
import { verificationReport } from '../print/verification-report.ts';
import {
  dayLine,
  exitCodeOf,
  type SeriesReport,
  verificationText,
} from '../print/verification-text.ts';
import {
  archivesOption,
  jsonOption,
  klinesOption,
  type RangeOptions,
  withRange,
} from '../input/options.ts';

interface VerifyOptions extends RangeOptions {
  readonly klines: boolean;
  readonly archives: boolean;
  readonly report?: string;
}

export function registerVerify(program: Command, finish: (exitCode: ExitCode) => void): void {
  withRange(program.command('verify'))
    .argument('<symbols...>', 'one or more: BTCUSDT, btcusdt or BTC/USDT')
    .summary('check a stored range again, also against the exchange’s candles')
    .description(
      'Reads every stored trade of the range again. Compares ids, counts, sums and content hashes ' +
        'with the ledger, every bar and level with a second computation and, on spot, every minute ' +
        'with the exchange’s candles. Changes nothing.',
    )
    .addOption(klinesOption())
    .addOption(archivesOption())
    .option('--report <file>', 'write a Markdown report with all content hashes')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit codes:\n' +
        '  0   everything is proven\n' +
        '  3   something is not proven yet; run cdvault backfill or repair\n' +
        '  5   temporary outage of Redis or QuestDB\n' +
        '  11  stored data differs from the ledger or the candles; run cdvault repair\n\n' +
        'If the exchange’s candles or files cannot be read, verify says so, and the exit\n' +
        'code depends on the store alone.\n',
    )
    .action(async (symbols: string[], options: VerifyOptions) => {
      const series = parseSeries(symbols, options.market);
      const range = resolveRange(options, Date.now());
      if (options.report !== undefined) await assertWritable(options.report);
      finish(
        await withApp({}, async ({ app, signal }) => {
          if (options.json !== true) say(describeRange(range));
          for (const one of series) await assertStored(app, one);
          const reports: SeriesReport[] = [];
          for (const one of series) {
            const days: DayReport[] = [];
            const { rows } = await app.ledger.totals(one, range.hours);
            const progress = new RangeProgress(app.clock, rows);
            const { klines, archives } = options;
            const onHour = options.json === true ? () => undefined : progress.onHour;
            const asked = { series: one, range: range.hours };
            for await (const day of verifyRange(app, asked, { klines, archives, onHour }, signal)) {
              days.push(day);
              progress.clear();
              if (options.json === true) print(JSON.stringify({ type: 'day', ...one, ...day }));
              // A month of the busiest symbol takes minutes.
              else say(dayLine(one, day));
            }
            reports.push({ ...one, days });
          }
          const exitCode = exitCodeOf(reports);
          if (options.json === true) print(JSON.stringify({ type: 'summary', exitCode }));
          else print(verificationText(reports));
          if (options.report !== undefined) {
            const facts = { range: range.hours, nowMs: app.clock.nowMs(), version: VERSION };
            await writeOutput(options.report, verificationReport(reports, facts));
            say(`report: ${options.report}`);
          }
          return exitCode;
        }),
      );
    });
}
