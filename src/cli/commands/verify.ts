import type { Command } from 'commander';
import { verifyRange } from '../../app/verify/verify-range.ts';
import type { ExitCode } from '../../domain/exit-codes.ts';
import type { DayReport } from '../../domain/proof/finding.ts';
import { VERSION } from '../../version.ts';
import { assertStored, parseSeries, print, say, withApp } from '../session.ts';
import { describeRange, resolveRange } from '../input/times.ts';
import { assertWritable, writeOutput } from '../print/output-file.ts';
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
    .argument('<symbols...>', 'BTCUSDT, btcusdt or BTC/USDT; several at once')
    .summary('prove a stored range again, from the store and the exchange’s candles')
    .description(
      'Reads every stored trade of the range again and compares ids, counts, sums and\n' +
        'content hashes with the ledger, every bar and level with a second computation,\n' +
        'and, on spot, every minute with the exchange’s own candles. Changes nothing.',
    )
    .addOption(klinesOption())
    .addOption(archivesOption())
    .option('--report <file>', 'write the proof with all hashes as Markdown')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit codes: 0 proven, 3 something is not proven yet, 11 something proven is not\n' +
        'what is stored (cdvault repair), 5 an outage. When the exchange can’t be asked for\n' +
        'its candles or files, that is said and the exit code is the store’s own verdict.\n',
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
            const asked = { series: one, range: range.hours };
            for await (const day of verifyRange(app, asked, options, signal)) {
              days.push(day);
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
