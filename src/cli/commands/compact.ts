import { statfsSync } from 'node:fs';
import type { Command } from 'commander';
import { Option } from 'commander';
import { compactBars, type CompactBarsDeps, restoreBars } from '../../app/compact/compact-bars.ts';
import {
  compactSeries,
  type CompactTradesDeps,
  restoreSeries,
} from '../../app/compact/compact-trades.ts';
import { whileHolding } from '../../app/leases.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { marketName, type Series } from '../../domain/market.ts';
import type { App } from '../compose.ts';
import { jsonOption } from '../input/options.ts';
import { parseLength } from '../input/times.ts';
import { CompactTotals, isChanged, MonthLines, partitionLine } from '../print/compact-report.ts';
import { assertStored, parseMarket, parseSeries, print, say, withApp } from '../session.ts';

interface CompactOptions {
  readonly market?: string;
  readonly bars?: boolean;
  readonly olderThan: string;
  readonly dryRun?: boolean;
  readonly undo?: boolean;
  readonly json?: boolean;
}

export function registerCompact(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('compact')
    .argument('[symbols...]', 'BTCUSDT, btcusdt or BTC/USDT (default: all stored series)')
    .summary('store settled trades, or bars, as Parquet inside QuestDB, in a fraction of the space')
    .description(
      'Converts days or months of trades (the partitions of a series) to Parquet inside QuestDB. They ' +
        'stay queryable by the same SQL. A partition is converted when it is settled: it is not the newest, ' +
        'its hours are proven or gaps, its bars are up to date, and none of it was fetched ' +
        'lately. Counts, ids and exact sums of every hour are compared before and after; if they ' +
        'differ, the partition is converted back. Rows written into it later stay correct, and the ' +
        'next compact converts it again.\n\n' +
        'With --bars it converts the bars of all series instead of trades, to about a fifth. All series share ' +
        'the tables of bars, so a query of one series then decodes the rows of all: at 200 series it takes ' +
        'two to ten times as long. Only partitions that are settled for every series are converted. Every row is ' +
        'compared before and after.',
    )
    .addOption(new Option('--market <name>', 'spot (default), um or cm; without symbols: all'))
    .option('--bars', 'convert the bars of all series instead of trades; takes no symbols')
    .option('--older-than <length>', 'leave out what was fetched more recently: 12h, 7d', '7d')
    .option('--dry-run', 'print what would be converted, and change nothing')
    .option('--undo', 'convert back to QuestDB’s own format')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit codes:\n' +
        '  0    done; skipped partitions are counted with the reason\n' +
        '  7    too little disk, or QuestDB has suspended a table\n' +
        '  11   rows were not the same after a conversion\n' +
        '  130  interrupted between two partitions; run the same command again\n',
    )
    .action(async (symbols: string[], options: CompactOptions) => {
      assertNoSeries(symbols, options);
      const asked = symbols.length === 0 ? undefined : parseSeries(symbols, marketOf(options));
      if (options.market !== undefined) parseMarket(options.market);
      const olderThanMs = parseLength('--older-than', options.olderThan);
      finish(
        await withApp({ drains: true }, async ({ app, signal }) => {
          for (const one of asked ?? []) await assertStored(app, one);
          const series = asked ?? (await storedSeries(app, options));
          const beforeMs = app.clock.nowMs() - olderThanMs;
          const onWait = () => say('waiting until another compact has ended');
          const work = async () => run(app, series, { ...options, beforeMs }, signal);
          if (options.dryRun === true) await work();
          else await whileHolding({ ...app, onWait }, 'compact', work, signal);
          return EXIT.ok;
        }),
      );
    });
}

function assertNoSeries(symbols: readonly string[], { bars, market }: CompactOptions): void {
  if (bars !== true || (symbols.length === 0 && market === undefined)) return;
  throw new CdvaultError(
    'USAGE',
    '--bars takes no symbols and no --market: all series have their bars in the same partitions, which can only be converted whole',
    {
      advice: 'Run compact --bars for the bars of all series, and compact with symbols for trades.',
    },
  );
}

function marketOf({ market = 'spot' }: CompactOptions): string {
  return market;
}

async function storedSeries(app: App, { market }: CompactOptions): Promise<readonly Series[]> {
  const all = await app.catalogue.all();
  return market === undefined ? all : all.filter((one) => marketName(one.market) === market);
}

async function run(
  app: App,
  series: readonly Series[],
  options: CompactOptions & { readonly beforeMs: number },
  signal: AbortSignal,
): Promise<void> {
  const { storeDir } = app;
  const { json = false, dryRun: isDryRun = false } = options;
  if (storeDir === undefined && !json && !isDryRun)
    say('free disk space is not checked: the folder of QuestDB is not known');
  const work = { ...options, isDryRun, deps: { ...app, freeBytes: () => freeBytes(storeDir) } };
  const totals = new CompactTotals(options.bars === true ? 'bar' : 'trade', isDryRun);
  if (options.bars === true) await convertBars(work, totals, signal);
  else for (const one of series) await convertTrades(work, one, totals, signal);
  if (json) print(JSON.stringify({ type: 'summary', ...totals.facts() }));
  else for (const line of totals.lines()) print(line);
}

interface Work extends CompactOptions {
  readonly deps: CompactTradesDeps & CompactBarsDeps;
  readonly isDryRun: boolean;
  readonly beforeMs: number;
}

async function convertTrades(
  { deps, undo, json, ...options }: Work,
  { market, symbol }: Series,
  totals: CompactTotals,
  signal: AbortSignal,
): Promise<void> {
  const convert = undo === true ? restoreSeries : compactSeries;
  for await (const step of convert(deps, { market, symbol }, options, signal)) {
    totals.add(step);
    if (json === true) print(JSON.stringify({ type: 'partition', market, symbol, ...step }));
    else if (isChanged(step)) say(partitionLine(symbol, step));
  }
}

async function convertBars(
  { deps, undo, json, ...options }: Work,
  totals: CompactTotals,
  signal: AbortSignal,
): Promise<void> {
  const months = new MonthLines();
  const convert = undo === true ? restoreBars : compactBars;
  try {
    for await (const step of convert(deps, options, signal)) {
      totals.add(step);
      if (json === true) print(JSON.stringify({ type: 'partition', ...step }));
      else if (isChanged(step)) for (const line of months.add(step.table, step)) say(line);
    }
  } finally {
    // Also what was done before it failed or was interrupted.
    for (const line of months.end()) say(line);
  }
}

function freeBytes(storeDir: string | undefined): number | undefined {
  if (storeDir === undefined) return undefined;
  const { bavail, bsize } = statfsSync(storeDir);
  return bavail * bsize;
}
