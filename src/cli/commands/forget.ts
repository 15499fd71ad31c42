import type { Command } from 'commander';
import { forgetSeries } from '../../app/keep/forget-series.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { marketName, type Series } from '../../domain/market.ts';
import type { StoredSize } from '../../ports/forgetting.ts';
import type { App } from '../compose.ts';
import { confirm } from '../input/confirm.ts';
import { jsonOption } from '../input/options.ts';
import { counted, formatBytes } from '../print/format.ts';
import { parseSeries, print, say, withApp } from '../session.ts';

interface ForgetOptions {
  readonly market: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function registerForget(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('forget')
    .argument('<symbol>', 'BTCUSDT, btcusdt or BTC/USDT')
    .summary('drop all that is stored of a symbol')
    .description(
      'Drops all that is stored of a symbol on a market: its trades, bars and levels, its ledger, gaps and ' +
        'record of files, its schedule and its queued jobs. Nothing of it can be asked for any more. A later ' +
        'backfill begins as for a new symbol. Refused while a worker is at the symbol.',
    )
    .option('--market <name>', 'spot, um or cm', 'spot')
    .option('--dry-run', 'print what would be dropped, and change nothing')
    .option('--yes', 'do not ask for a confirmation')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit codes:\n' +
        '  0    dropped\n' +
        '  2    invalid usage, nothing of the symbol is stored, or not confirmed\n' +
        '  5    a worker is at the symbol; nothing was changed\n' +
        '  130  interrupted; run the same command again, which drops what is left\n',
    )
    .action(async (symbol: string, options: ForgetOptions) => {
      const [series] = parseSeries([symbol], options.market);
      if (series === undefined) throw new CdvaultError('USAGE', 'no symbol');
      finish(
        await withApp({ drains: true }, async ({ app, signal }) => {
          const size = await app.forgetting.size(series);
          if (size === undefined)
            throw new CdvaultError(
              'UNKNOWN_SYMBOL',
              `no data of ${series.symbol} (${marketName(series.market)}) is stored`,
              { advice: 'Run cdvault status to list stored series.' },
            );
          await sayRule(app, series);
          if (options.dryRun === true) {
            tell(series, size, options);
            return EXIT.ok;
          }
          say(lineOf(series, size, 'would drop'));
          await confirm('All that is stored of this symbol will be dropped.', options, signal);
          const onWait = () => say('waiting until compact, prune or a backup has ended');
          await forgetSeries({ ...app, onWait }, series, signal);
          tell(series, size, options);
          return EXIT.ok;
        }),
      );
    });
}

/** A rule schedules what it covers, also what was forgotten. */
async function sayRule({ catalogue }: App, { market, symbol }: Series): Promise<void> {
  const quote = (await catalogue.all()).find(
    (one) => one.market === market && one.symbol === symbol,
  )?.scheduledBy;
  if (quote !== undefined)
    say(`the hourly job will schedule ${symbol} again: schedule --all --quote ${quote} covers it`);
}

function tell(series: Series, size: StoredSize, { dryRun = false, json }: ForgetOptions): void {
  if (json !== true) {
    print(lineOf(series, size, dryRun ? 'would drop' : 'dropped'));
    return;
  }
  const { range, days, rows, bytes, isBegun } = size;
  const facts = { ...series, ...range, days, rows, bytes, isBegun };
  print(JSON.stringify({ type: 'forget', forgotten: !dryRun, ...facts }));
}

function lineOf({ market, symbol }: Series, size: StoredSize, verb: string): string {
  const what = `${verb}  ${symbol} (${marketName(market)}): `;
  if (size.isBegun) return `${what}what an interrupted forget has left, ${formatBytes(size.bytes)}`;
  const parts = [counted(size.days, 'day'), counted(size.rows, 'trade'), formatBytes(size.bytes)];
  return `${what}${parts.join(', ')} of trades, with bars, ledger and schedule`;
}
