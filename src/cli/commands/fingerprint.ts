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
import { fingerprintDocument, readFingerprint } from '../print/fingerprint-file.ts';
import { formatInteger } from '../print/progress-text.ts';
import { assertStored, parseSeries, print, say, withApp } from '../session.ts';
import { describeRange, resolveRange } from '../input/times.ts';
import { type RangeOptions, withRange } from '../input/options.ts';

interface FingerprintOptions extends RangeOptions {
  readonly compare?: string;
}

export function registerFingerprint(program: Command, finish: (exitCode: ExitCode) => void): void {
  withRange(program.command('fingerprint'))
    .argument('<symbol>', 'BTCUSDT, btcusdt or BTC/USDT')
    .summary('one hash over the stored trades of a proven range')
    .description(
      'Hashes the stored trades hour by hour, compares each with what was proven, and\n' +
        'prints one root over all: who has the same root has the same trades. Two\n' +
        'people compare roots, or files of --json, without sharing the trades.\n' +
        'Exit code 3 when an hour is not proven, 11 when something differs.',
    )
    .option('--compare <file>', 'say which hours differ from what another’s --json printed')
    .option('--json', 'one JSON object for machines: the root and each hour’s leaf')
    .action(async (symbol: string, options: FingerprintOptions) => {
      const [series] = parseSeries([symbol], options.market);
      if (series === undefined) throw new CdvaultError('USAGE', 'no symbol given');
      const range = resolveRange(options, Date.now());
      const theirs =
        options.compare === undefined
          ? undefined
          : readFingerprint(options.compare, series, range.hours);
      finish(
        await withApp({}, async ({ app }) => {
          await assertStored(app, series);
          say(describeRange(range));
          const ours = await fingerprintRange(app, series, range.hours);
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

/** 0 in an hour that is in the other fingerprint only. */
function rowsAt({ leaves }: Fingerprint, hourMs: number): number {
  return leaves.find((leaf) => leaf.hourMs === hourMs)?.rows ?? 0;
}

function words(rows: number, theirRows: number): string {
  return rows === theirRows
    ? `${formatInteger(rows)} rows in both, not the same`
    : `${formatInteger(rows)} rows here, ${formatInteger(theirRows)} there`;
}
