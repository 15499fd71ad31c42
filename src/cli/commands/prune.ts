import type { Command } from 'commander';
import { Option } from 'commander';
import { pruneSeries, type PruneStep } from '../../app/keep/prune-trades.ts';
import { whileHolding } from '../../app/leases.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { marketName, type Series } from '../../domain/market.ts';
import { DAY_MS } from '../../domain/time/hour.ts';
import type { App } from '../compose.ts';
import { confirm } from '../input/confirm.ts';
import { jsonOption } from '../input/options.ts';
import { parseLength } from '../input/times.ts';
import { PruneTotals, stepLine } from '../print/prune-report.ts';
import { assertStored, parseMarket, parseSeries, print, say, withApp } from '../session.ts';

interface PruneOptions {
  readonly market?: string;
  readonly olderThan: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function registerPrune(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('prune')
    .argument('[symbols...]', 'BTCUSDT, btcusdt or BTC/USDT (default: all stored series)')
    .summary('drop old trades whose hours are proven and whose bars are built')
    .description(
      'Drops the raw trades of whole partitions (days, or months of a quiet series) in which every hour is ' +
        'proven and the bars are up to date. Bars, levels, the ledger and the hash of each hour stay. The ' +
        'days are recorded: no other command fetches them again by accident. What needs trades (footprints, ' +
        'fingerprints, exports of trades, bars of other tiers) is refused for these days. repair --pruned ' +
        'fetches them again and proves them, where the exchange still has them.',
    )
    .addOption(new Option('--market <name>', 'spot (default), um or cm; without symbols: all'))
    .requiredOption('--older-than <length>', 'prune what is older than this: 400d, 60w')
    .option('--dry-run', 'print what would be dropped, and change nothing')
    .option('--yes', 'do not ask for a confirmation')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit codes:\n' +
        '  0    done; partitions that keep their trades are counted with the reason\n' +
        '  2    invalid usage, or not confirmed\n' +
        '  130  interrupted between two partitions; run the same command again\n',
    )
    .action(async (symbols: string[], options: PruneOptions) => {
      const { market } = options;
      const asked = symbols.length === 0 ? undefined : parseSeries(symbols, market ?? 'spot');
      if (market !== undefined) parseMarket(market);
      // No hour of the last day can be old.
      const olderThanMs = Math.max(DAY_MS, parseLength('--older-than', options.olderThan));
      finish(
        await withApp({ drains: true }, async ({ app, signal }) => {
          for (const one of asked ?? []) await assertStored(app, one);
          const series = asked ?? (await storedSeries(app, market));
          const beforeMs = app.clock.nowMs() - olderThanMs;
          await prune(app, series, { ...options, beforeMs }, signal);
          return EXIT.ok;
        }),
      );
    });
}

async function storedSeries(app: App, market: string | undefined): Promise<readonly Series[]> {
  const all = await app.catalogue.all();
  return all
    .filter((one) => market === undefined || marketName(one.market) === market)
    .map((one) => ({ market: one.market, symbol: one.symbol }));
}

async function prune(
  app: App,
  series: readonly Series[],
  options: PruneOptions & { readonly beforeMs: number },
  signal: AbortSignal,
): Promise<void> {
  const { beforeMs } = options;
  const due = new PruneTotals(true);
  for (const one of series)
    for await (const step of pruneSeries(app, one, { isDryRun: true, beforeMs }, signal)) {
      due.add(one, step);
      if (options.dryRun === true) show(one, step, options);
    }
  if (options.dryRun === true || due.isEmpty) {
    end(due, options);
    return;
  }
  for (const line of due.lines()) say(line);
  await confirm('The raw trades of these days will be dropped.', options, signal);
  const done = new PruneTotals(false);
  // Not while compact converts the same partitions.
  const onWait = () => say('waiting until compact, a backup or another prune has ended');
  const work = async () => {
    for (const one of series)
      for await (const step of pruneSeries(app, one, { isDryRun: false, beforeMs }, signal)) {
        done.add(one, step);
        show(one, step, options);
      }
  };
  await whileHolding({ ...app, onWait }, 'compact', work, signal);
  end(done, options);
}

function show(series: Series, step: PruneStep, { json }: Pick<PruneOptions, 'json'>): void {
  if (json === true) print(JSON.stringify({ type: 'partition', ...series, ...step }));
  else if (step.state !== 'kept') say(stepLine(series, step));
}

function end(totals: PruneTotals, { json }: Pick<PruneOptions, 'json'>): void {
  if (json === true) print(JSON.stringify({ type: 'summary', ...totals.facts() }));
  else for (const line of totals.lines()) print(line);
}
