import type { Command } from 'commander';
import { fingerprintRange } from '../../app/verify/fingerprint-range.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import {
  differingHours,
  type Fingerprint,
  fingerprintHour,
} from '../../domain/proof/fingerprint.ts';
import { marketName } from '../../domain/market.ts';
import { RangeProgress } from '../print/range-progress.ts';
import { fingerprintDocument, readFingerprint } from '../print/fingerprint-file.ts';
import { assertStored, parseSeries, print, say, withApp } from '../session.ts';
import { describeRange, resolveRange } from '../input/times.ts';
import { type RangeOptions, withRange } from '../input/options.ts';
import { formatInteger } from '../print/format.ts';

interface FingerprintOptions extends RangeOptions {
  readonly compare?: string;
}

export function registerFingerprint(program: Command, finish: (exitCode: ExitCode) => void): void {
  withRange(program.command('fingerprint'))
    .argument('<symbol>', 'BTCUSDT, btcusdt or BTC/USDT')
    .summary('hash the stored trades of a proven range')
    .description(
      'Hashes the stored trades hour by hour, compares each hour with what was proven, and prints ' +
        'one root hash. Stores with the same root hold the same trades, so you can compare stores ' +
        'by their roots or --json files, without exchanging trades.',
    )
    .option('--compare <file>', 'list the hours that differ from a file written with --json')
    .option('--json', 'print one JSON object: the root and the leaf of each hour')
    .addHelpText(
      'after',
      '\nExit codes:\n' +
        '  0   done; with --compare, the fingerprints are identical\n' +
        '  3   an hour is not proven\n' +
        '  11  stored trades differ from what was proven, or from --compare\n',
    )
    .action(async (symbol: string, options: FingerprintOptions) => {
      const [series] = parseSeries([symbol], options.market);
      if (series === undefined) throw new CdvaultError('USAGE', 'no symbol given');
      const range = resolveRange(options, Date.now());
      const theirs =
        options.compare === undefined
          ? undefined
          : readFingerprint(options.compare, series, range.hours);
      finish(
        await withApp({}, async ({ app, signal }) => {
          await assertStored(app, series);
          say(describeRange(range));
          const { rows } = await app.ledger.totals(series, range.hours);
          const progress = new RangeProgress(app.clock, rows);
          const { onHour } = progress;
          const ours = await fingerprintRange({ ...app, onHour }, series, range.hours, signal);
          progress.clear();
          if (theirs === undefined) return report(ours, options);
          return reportComparison(ours, theirs, options);
        }),
      );
    });
}

function report(ours: Fingerprint, { json }: FingerprintOptions): ExitCode {
  const facts = fingerprintDocument(ours);
  if (json === true) {
    print(JSON.stringify(facts));
    return EXIT.ok;
  }
  print(`root    ${facts.root}`);
  print(`symbol  ${facts.symbol} (${marketName(facts.market)})`);
  print(`range   ${facts.from} to ${facts.to}`);
  print(`hours   ${formatInteger(facts.hours)}`);
  print(`rows    ${formatInteger(facts.rows)}`);
  print(`format  ${facts.format}`);
  return EXIT.ok;
}

function reportComparison(
  ours: Fingerprint,
  theirs: Fingerprint,
  { json }: FingerprintOptions,
): ExitCode {
  const hours = differingHours(ours, theirs);
  const differs = hours.map((hourMs) => ({
    hour: fingerprintHour(hourMs),
    rows: rowsAt(ours, hourMs),
    theirRows: rowsAt(theirs, hourMs),
  }));
  const identical = ours.root === theirs.root;
  if (json === true) {
    const roots = { root: ours.root, theirRoot: theirs.root };
    print(JSON.stringify({ type: 'comparison', identical, ...roots, differs }));
  } else if (identical) {
    print('identical');
  } else {
    print(
      `different in ${formatInteger(hours.length)} of ${formatInteger(ours.leaves.length)} hours`,
    );
    for (const { hour, rows, theirRows } of differs) print(`  ${hour}  ${words(rows, theirRows)}`);
  }
  return identical ? EXIT.ok : EXIT.mismatch;
}

/** 0 for an hour that only the other fingerprint has. */
function rowsAt({ leaves }: Fingerprint, hourMs: number): number {
  return leaves.find((leaf) => leaf.hourMs === hourMs)?.rows ?? 0;
}

function words(rows: number, theirRows: number): string {
  return rows === theirRows
    ? `${formatInteger(rows)} rows in both, with different content`
    : `${formatInteger(rows)} rows here, ${formatInteger(theirRows)} there`;
}
