import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { nativeTimeUnit } from '../../domain/trade/agg-trade.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { floorTo, DAY_MS, isoDay } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import type { TradeBlock } from '../../domain/trade/trade-block.ts';
import type { ArchiveDay, ArchiveSource } from '../../ports/archive-source.ts';
import { MANIFEST_NAME, type ManifestDocument, readManifest } from './manifest-file.ts';
import { readTrades, tradeColumns } from './parquet-trades.ts';
import { readApart } from './read-apart.ts';
import { seriesFolder } from './series-folder.ts';

/** Whether `cdvault export` has written trades to a folder. */
export function holdsExports(folder: string): boolean {
  return existsSync(path.join(folder, 'trades'));
}

/**
 * Days of exported trades, treated like the exchange's files: their ids must prove them. Only the trades
 * before and after the range are taken from the manifest without proof.
 */
export function createExportSource(folder: string): ArchiveSource {
  const placeOf = (series: Series) => path.join(folder, seriesFolder(series, { what: 'trades' }));
  const manifestOf = async (series: Series) => {
    const file = path.join(placeOf(series), MANIFEST_NAME);
    const manifest = await readManifest(file);
    if (manifest === undefined) return undefined;
    if (manifest.market === series.market && manifest.symbol === series.symbol) return manifest;
    throw badFile(`${file} is the manifest of ${manifest.symbol} (${manifest.market})`);
  };
  return {
    async withDay(series, dayMs, _signal, use) {
      const place = placeOf(series);
      const manifest = await manifestOf(series);
      const listed = manifest?.files.find(({ day }) => day === isoDay(dayMs));
      if (manifest === undefined || listed === undefined) return undefined;
      return use(exportedDay(place, manifest, listed, dayMs));
    },
    async list(series) {
      const manifest = await manifestOf(series);
      const days = (manifest?.files ?? []).map(
        ({ day, path: name, bytes }) =>
          [Date.parse(day), { name, bytes, etag: undefined }] as const,
      );
      return { days: new Map(days), months: new Map() };
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

function exportedDay(
  place: string,
  manifest: ManifestDocument,
  { path: name, bytes, sha256 }: ManifestDocument['files'][number],
  dayMs: number,
): ArchiveDay {
  const [startMs, endMs] = [Date.parse(manifest.from), Date.parse(manifest.to)];
  const isFirst = floorTo(startMs, DAY_MS) === dayMs;
  const isLast = floorTo(endMs - 1, DAY_MS) === dayMs;
  return {
    name,
    etag: undefined,
    sha256,
    bytes,
    ...(isFirst && manifest.before !== null ? { before: manifest.before } : {}),
    ...(isLast && manifest.after !== null ? { after: manifest.after } : {}),
    foreign: () => [],
    rows: () => rowsOf(path.join(place, name), sha256, nativeTimeUnit(manifest.market, dayMs)),
  };
}

async function* rowsOf(
  file: string,
  sha256: string,
  unit: 'ms' | 'us',
): AsyncGenerator<TradeBlock> {
  try {
    const hash = createHash('sha256');
    await pipeline(createReadStream(file), hash);
    const found = hash.digest('hex');
    if (found !== sha256)
      throw badFile(`${file}: its SHA-256 is ${found}, its manifest says ${sha256}`);
    yield* readTrades(readApart(tradeColumns(file)), unit);
  } catch (error) {
    if (error instanceof CdvaultError) throw error;
    throw badFile(`${file}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function badFile(message: string, cause?: unknown): CdvaultError {
  return new CdvaultError('ARCHIVE_BAD_FILE', message, { cause });
}
