import { statfsSync } from 'node:fs';
import type { Command } from 'commander';
import { Option } from 'commander';
import {
  type CompactStep,
  compactSeries,
  restoreSeries,
} from '../../app/compact/compact-series.ts';
import type { Reason } from '../../app/compact/settled.ts';
import { whileHolding } from '../../app/leases.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { marketName, type Series } from '../../domain/market.ts';
import type { App } from '../compose.ts';
import { jsonOption } from '../input/options.ts';
import { parseLength } from '../input/times.ts';
import { counted, formatBytes, formatInteger } from '../print/format.ts';
import { assertStored, parseMarket, parseSeries, print, say, withApp } from '../session.ts';

interface CompactOptions {
  readonly market?: string;
  readonly olderThan: string;
  readonly dryRun?: boolean;
  readonly undo?: boolean;
  readonly json?: boolean;
}

export function registerCompact(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('compact')
    .argument('[symbols...]', 'BTCUSDT, btcusdt or BTC/USDT (default: all stored series)')
    .summary('store settled trades as Parquet inside QuestDB, in about a tenth of the space')
    .description(
      'Converts days or months of trades (the partitions of a series) to Parquet inside QuestDB. They ' +
        'stay queryable by the same SQL. A partition is converted when it is settled: it is not the newest, ' +
        'its hours are proven or gaps, its bars are up to date, and none of it was fetched ' +
        'lately. Counts, ids and exact sums of every hour are compared before and after; if they ' +
        'differ, the partition is converted back. Rows written into it later stay correct, and the ' +
        'next compact converts it again.',
    )
    .addOption(new Option('--market <name>', 'spot (default), um or cm; without symbols: all'))
    .option('--older-than <length>', 'leave out what was fetched more recently: 12h, 7d', '7d')
    .option('--dry-run', 'print what would be converted, and change nothing')
    .option('--undo', 'convert back to QuestDB’s own format')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit codes:\n' +
        '  0    done; skipped partitions are counted with the reason\n' +
        '  7    too little disk, or QuestDB has suspended a table\n' +
        '  11   trades were not the same after a conversion\n' +
        '  130  interrupted between two partitions; run the same command again\n',
    )
    .action(async (symbols: string[], options: CompactOptions) => {
      const asked = symbols.length === 0 ? undefined : parseSeries(symbols, marketOf(options));
      if (options.market !== undefined) parseMarket(options.market);
      const olderThanMs = parseLength('--older-than', options.olderThan);
      finish(
        await withApp({ drains: true }, async ({ app, signal }) => {
          for (const one of asked ?? []) await assertStored(app, one);
          const series = asked ?? (await storedSeries(app, options));
          const beforeMs = app.clock.nowMs() - olderThanMs;
          const work = async () => run(app, series, { ...options, beforeMs }, signal);
          if (options.dryRun === true) await work();
          else await whileHolding(app, 'compact', work, signal);
          return EXIT.ok;
        }),
      );
    });
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
  const { json = false, dryRun: isDryRun = false, undo = false, beforeMs } = options;
  if (storeDir === undefined && !json && !isDryRun)
    say('free disk space is not checked: the folder of QuestDB is not known');
  const deps = { ...app, freeBytes: () => freeBytes(storeDir) };
  const totals = new Totals();
  for (const { market, symbol } of series) {
    const one = { market, symbol };
    const steps = undo
      ? restoreSeries(deps, one, { isDryRun }, signal)
      : compactSeries(deps, one, { isDryRun, beforeMs }, signal);
    for await (const step of steps) {
      totals.add(step);
      if (json) print(JSON.stringify({ type: 'partition', ...one, ...step }));
      else if (step.state === 'converted' || step.state === 'due') say(stepLine(symbol, step));
    }
  }
  if (json) print(JSON.stringify({ type: 'summary', ...totals.facts() }));
  else for (const line of totals.lines(isDryRun)) print(line);
}

function freeBytes(storeDir: string | undefined): number | undefined {
  if (storeDir === undefined) return undefined;
  const { bavail, bsize } = statfsSync(storeDir);
  return bavail * bsize;
}

function stepLine(symbol: string, step: CompactStep): string {
  const { name, rows, bytes } = step.partition;
  const before = `${symbol} ${name}: ${counted(rows, 'trade')}, ${formatBytes(bytes)}`;
  if (step.state !== 'converted') return `${before}, would be converted`;
  return `${before} -> ${formatBytes(step.bytesAfter)}, ${perTrade(step.bytesAfter, rows)}`;
}

function perTrade(bytes: number, rows: number): string {
  return `${rows === 0 ? '0' : (bytes / rows).toFixed(1)} bytes a trade`;
}

class Totals {
  #converted = 0;
  #due = 0;
  #done = 0;
  #rows = 0;
  #bytesBefore = 0;
  #bytesAfter = 0;
  readonly #skipped = new Map<Reason, number>();

  add(step: CompactStep): void {
    if (step.state === 'skipped')
      this.#skipped.set(step.why, (this.#skipped.get(step.why) ?? 0) + 1);
    else if (step.state === 'done') this.#done += 1;
    else {
      this.#rows += step.partition.rows;
      this.#bytesBefore += step.partition.bytes;
      if (step.state === 'due') this.#due += 1;
      else {
        this.#converted += 1;
        this.#bytesAfter += step.bytesAfter;
      }
    }
  }

  facts() {
    return {
      converted: this.#converted,
      due: this.#due,
      done: this.#done,
      skipped: Object.fromEntries(this.#skipped),
      rows: this.#rows,
      bytesBefore: this.#bytesBefore,
      bytesAfter: this.#bytesAfter,
    };
  }

  lines(isDryRun: boolean): string[] {
    const { converted, due, done, rows, bytesBefore, bytesAfter } = this.facts();
    const before = `${counted(isDryRun ? due : converted, 'partition')}, ${counted(rows, 'trade')}, ${formatBytes(bytesBefore)}`;
    return [
      isDryRun
        ? `would convert  ${before}`
        : `converted  ${before} -> ${formatBytes(bytesAfter)}, ${perTrade(bytesAfter, rows)}`,
      `unchanged  ${counted(done, 'partition')} in that format already`,
      ...[...this.#skipped].map(
        ([why, count]) => `skipped    ${formatInteger(count)}: ${WHY[why]}`,
      ),
    ];
  }
}

const WHY: Readonly<Record<Reason, string>> = {
  newest: 'the newest partition of its series',
  recent: 'fetched more recently than --older-than',
  unproven: 'with trades of hours that are open or not in the ledger; run cdvault backfill',
  bars_due: 'bars are not up to date; run cdvault backfill',
  differs: 'trades differ from the ledger; run cdvault verify',
};
