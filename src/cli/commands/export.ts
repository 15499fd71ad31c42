import path from 'node:path';
import { type Command, Option } from 'commander';
import { exportRange } from '../../app/export/export-range.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { seriesFolder } from '../../adapters/export/series-folder.ts';
import { manifestDocument } from '../../adapters/export/manifest-file.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import type {
  ExportedData,
  ExportedFile,
  ExportManifest,
  ExportRequest,
} from '../../domain/proof/export.ts';
import { isoDay } from '../../domain/time/hour.ts';
import { type Interval, INTERVALS } from '../../domain/time/interval.ts';
import { assertStored, parseSeries, print, say, withApp } from '../session.ts';
import { describeRange, resolveRange } from '../input/times.ts';
import { type RangeOptions, withRange } from '../input/options.ts';
import { RangeProgress } from '../print/range-progress.ts';
import { formatInteger } from '../print/format.ts';

interface ExportOptions extends RangeOptions {
  readonly what: 'trades' | 'bars';
  readonly interval?: Interval;
  readonly double?: boolean;
  readonly out: string;
}

export function registerExport(program: Command, finish: (exitCode: ExitCode) => void): void {
  withRange(program.command('export'))
    .argument('<symbol>', 'BTCUSDT, btcusdt or BTC/USDT')
    .requiredOption('--out <folder>', 'destination folder; it can hold many series')
    .summary('export a proven range as daily Parquet files with a manifest')
    .description(
      'Exports the trades or bars of a range whose hours are all proven, exact to the last digit, ' +
        'with a manifest of ids, sums and hashes. Every file is read back and compared with the ledger; ' +
        'a range that is not proven is rejected. The files appear only when the whole export is ' +
        'complete. See docs/export.md for the format.',
    )
    .addOption(
      new Option('--what <what>', 'data to export').choices(['trades', 'bars']).default('trades'),
    )
    .addOption(new Option('--interval <interval>', 'bar length (default: 1m)').choices(INTERVALS))
    .option('--double', 'write bars with plain numbers, rounded once, in place of decimals')
    .option('--json', 'print the manifest as one JSON object')
    .addHelpText(
      'after',
      '\nExit codes:\n' +
        '  0   exported\n' +
        '  3   something is not proven; the message names it\n' +
        '  7   the folder cannot be written\n' +
        '  11  stored data differs from what was proven; run cdvault verify\n',
    )
    .action(async (symbol: string, options: ExportOptions) => {
      const [series] = parseSeries([symbol], options.market);
      if (series === undefined) throw new CdvaultError('USAGE', 'no symbol given');
      const range = resolveRange(options, Date.now());
      const request: ExportRequest = { ...series, ...dataOf(options), range: range.hours };
      finish(
        await withApp({}, async ({ app, signal }) => {
          await assertStored(app, series);
          say(describeRange(range));
          const folder = await app.exportFolder(options.out, request);
          const totals = await app.ledger.totals(series, range.hours);
          const progress = new RangeProgress(app.clock, totals.rows);
          const onDay = ({ dayMs, rows }: ExportedFile) => {
            progress.clear();
            say(`${series.symbol} ${isoDay(dayMs)}: ${formatInteger(rows)} ${options.what}`);
          };
          const target = { folder, onDay, onHour: progress.onHour };
          const manifest = await exportRange(app, request, target, signal);
          if (options.json === true) print(JSON.stringify(manifestDocument(manifest)));
          else print(manifestText(manifest, options.out));
          return EXIT.ok;
        }),
      );
    });
}

/** @throws CdvaultError USAGE */
function dataOf({ what, interval, double }: ExportOptions): ExportedData {
  if (what === 'bars') return { what, interval: interval ?? '1m', isDouble: double === true };
  if (interval === undefined && double === undefined) return { what };
  const option = interval === undefined ? '--double' : '--interval';
  throw new CdvaultError('USAGE', `${option} applies to bars only`, {
    advice: `Add --what bars, or omit ${option}.`,
  });
}

const PROVEN = {
  trades: 'ids, counts, content hashes, neighbours; files read back',
  bars: 'built from proven hours; counts, volumes, levels; files read back',
};

function manifestText(manifest: ExportManifest, out: string): string {
  const { files, fingerprint } = manifest;
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return [
    `${manifest.what.padEnd(8)}${formatInteger(rows)}`,
    `files   ${formatInteger(files.length)}, ${formatInteger(bytes)} bytes`,
    `proven  ${PROVEN[manifest.what]}`,
    `root    ${fingerprint.root}`,
    `folder  ${path.join(out, seriesFolder(manifest, manifest))}`,
  ].join('\n');
}
