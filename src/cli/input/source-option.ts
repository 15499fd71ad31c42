import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { Option } from 'commander';
import { monthOf } from '../../domain/archive/archive-name.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { daysOf, isoDay, type TimeRange } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import { type SourceChoice, sourceFolder } from '../../domain/plan/source-choice.ts';
import type { ArchiveListing } from '../../ports/archive-source.ts';
import { counted, dayRanges } from '../print/format.ts';

export function sourceOption(): Option {
  return new Option(
    '--source <which>',
    'where trades come from: auto (archive files for older days, REST for the rest), rest, ' +
      'archive (archive files only), dir:PATH (only files in a folder: archive files or those ' +
      'of cdvault export)',
  )
    .default('auto')
    .argParser(parseSource);
}

/** @throws CdvaultError USAGE */
function parseSource(text: string): SourceChoice {
  if (text === 'auto' || text === 'rest' || text === 'archive') return text;
  const folder = sourceFolder(text as SourceChoice);
  if (folder === undefined || folder === '')
    throw usage(`unknown --source ${text}: use auto, rest, archive or dir:PATH`);
  return `dir:${path.resolve(folder)}`;
}

/**
 * Checks the folder of `--source dir:` before any work starts.
 * @returns one line to print for each series with days that have no file
 * @throws CdvaultError USAGE when the folder does not exist or has no file of the range
 */
export async function lookAtFolder(
  source: SourceChoice,
  series: readonly Series[],
  range: TimeRange,
): Promise<string[]> {
  const folder = sourceFolder(source);
  if (folder === undefined) return [];
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw usage(`--source dir: ${folder} is not a folder`, 'Name the folder that has the files.');
  const { openFolder } = await import('./open-folder.ts');
  const archive = openFolder(folder);
  const lines: string[] = [];
  for (const one of series) {
    const listing = await archive.list(one, range, new AbortController().signal);
    const absent = daysWithout(listing, range);
    if (absent.length === [...daysOf(range)].length)
      throw usage(`${folder} has no file of ${one.symbol} in this range`, namesOf(one, range));
    if (absent.length > 0)
      lines.push(
        `${one.symbol}: no file for ${counted(absent.length, 'day')}: ${dayRanges(absent)}`,
      );
  }
  return lines;
}

/** @returns the UTC midnights (epoch ms) of the days that no listed file covers */
export function daysWithout(listing: ArchiveListing | undefined, range: TimeRange): number[] {
  if (listing === undefined) return [];
  const { days, months } = listing;
  return [...daysOf(range)].filter(
    (dayMs) => !days.has(dayMs) && !months.has(monthOf(dayMs).startMs),
  );
}

function namesOf({ symbol }: Series, { startMs }: TimeRange): string {
  const day = isoDay(startMs);
  return `Expected names: ${symbol}-aggTrades-${day}.zip or .csv, or ${symbol}-aggTrades-${day.slice(0, 7)}.zip.`;
}

function usage(
  message: string,
  advice = 'Run the command with --help to see its options.',
): CdvaultError {
  return new CdvaultError('USAGE', message, { advice });
}
