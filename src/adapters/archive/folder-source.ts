import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { dailyStem, monthlyStem, monthOf } from '../../domain/archive/archive-name.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { daysOf } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import type { ArchiveDay, ArchiveSource, ListedFile } from '../../ports/archive-source.ts';
import { dailyKey, monthlyKey } from './archive-keys.ts';
import { compareChecksum, sha256Of } from './checksum-file.ts';
import { CsvRows } from './csv-rows.ts';
import { dayRows } from './day-rows.ts';
import { readRows } from './read-rows.ts';

/**
 * Files of the exchange in a local folder, zip or csv, directly in it or in the exchange's own tree. Nothing is
 * downloaded.
 */
export function createFolderSource(folder: string): ArchiveSource {
  const dailyFile = (series: Series, dayMs: number) =>
    firstThatExists(folder, dailyStem(series.symbol, dayMs), dailyKey(series, dayMs));
  const monthlyFile = (series: Series, monthMs: number) =>
    firstThatExists(folder, monthlyStem(series.symbol, monthMs), monthlyKey(series, monthMs));
  return {
    async withDay(series, dayMs, _signal, use) {
      // A worker may run on another machine than the command that named the folder.
      if (!existsSync(folder))
        throw new CdvaultError('USAGE', `--source dir: ${folder} is not a folder on this machine`);
      const daily = dailyFile(series, dayMs);
      if (daily !== undefined) return use(await describe(daily, dayMs));
      const monthly = monthlyFile(series, monthOf(dayMs).startMs);
      if (monthly === undefined) return undefined;
      return use(await describe(monthly, dayMs));
    },
    async list(series, range) {
      const days = new Map<number, ListedFile>();
      const months = new Map<number, ListedFile>();
      for (const dayMs of daysOf(range)) {
        const monthMs = monthOf(dayMs).startMs;
        const [daily, monthly] = [dailyFile(series, dayMs), monthlyFile(series, monthMs)];
        if (daily !== undefined) days.set(dayMs, listed(daily));
        if (monthly !== undefined && !months.has(monthMs)) months.set(monthMs, listed(monthly));
      }
      return { days, months };
    },
    async find() {
      return undefined;
    },
    // Later trades may exist even if the folder has none.
    async hasLater() {
      return undefined;
    },
  };
}

/** Looks in the folder itself, then in the exchange's tree; zip before csv. */
function firstThatExists(folder: string, stem: string, key: string): string | undefined {
  const tree = path.join(folder, path.dirname(key));
  const candidates = [folder, tree].flatMap((place) => [
    path.join(place, `${stem}.zip`),
    path.join(place, `${stem}.csv`),
  ]);
  return candidates.find((file) => existsSync(file));
}

function listed(file: string): ListedFile {
  return { name: path.basename(file), bytes: statSync(file).size, etag: undefined };
}

async function describe(file: string, dayMs: number): Promise<ArchiveDay> {
  const name = path.basename(file);
  const sha256 = await sha256Of(file);
  const isWrong = (await compareChecksum(file, sha256)) === 'differs';
  return {
    name,
    etag: undefined,
    sha256,
    bytes: statSync(file).size,
    ...dayRows(name, dayMs, () => {
      if (isWrong)
        throw new CdvaultError(
          'ARCHIVE_BAD_FILE',
          `${file}: its SHA-256 is ${sha256}, not the one in its .CHECKSUM`,
        );
      return readRows(file, new CsvRows(name));
    }),
  };
}
