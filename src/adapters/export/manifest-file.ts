/** The manifest file of an export; docs/export.md describes its format. */

import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { CdvaultError } from '../../domain/errors.ts';
import { EXPORT_FORMAT, type ExportManifest } from '../../domain/proof/export.ts';
import { FINGERPRINT_FORMAT, fingerprintHour } from '../../domain/proof/fingerprint.ts';
import type { Neighbour } from '../../domain/proof/ledger.ts';
import { MARKETS, tradesContracts } from '../../domain/market.ts';
import { dayPath } from './series-folder.ts';

/** Readers of Parquet folders (Arrow, pandas, Spark, Dask) skip names that begin with `_`. */
export const MANIFEST_NAME = '_manifest.json';

/** Names of the checks that the verdict is based on; docs/export.md says what each means. */
const CHECKED = {
  trades: ['ids', 'counts', 'content_hashes', 'neighbours', 'file_read_back'],
  bars: ['hours_proven', 'bars_current', 'counts', 'volumes', 'levels', 'file_read_back'],
};
/** Checks that `verify` makes and an export does not. */
const NOT_CHECKED = {
  trades: ['candles', 'archive_files'],
  bars: ['content_hashes', 'bars_computed_again', 'candles', 'archive_files'],
};

/** Ten years of hours take 10 MB. */
const MOST_BYTES = 64 * 2 ** 20;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();
const id = z.number().int();
const hour = z.iso.datetime({ precision: 0 });
const neighbour = z.object({ id, timeUs: count }).nullable();

const manifestSchema = z.object({
  type: z.literal('export'),
  format: z.literal(EXPORT_FORMAT),
  what: z.enum(['trades', 'bars']),
  interval: z.string().nullable(),
  numbers: z.enum(['decimal', 'double']),
  market: z.enum(MARKETS),
  symbol: z.string().min(1),
  unit: z.enum(['base', 'contracts']),
  from: hour,
  to: hour,
  rows: count,
  files: z.array(
    z
      .object({
        day: z.iso.date(),
        path: z.string(),
        rows: count,
        bytes: count,
        sha256: hash,
        firstId: id.nullable(),
        lastId: id.nullable(),
        buyVolume: z.string(),
        sellVolume: z.string(),
      })
      // Another path could lead out of the folder.
      .refine(({ day, path }) => path === dayPath(Date.parse(day))),
  ),
  before: neighbour,
  after: neighbour,
  fingerprint: z.object({ format: z.literal(FINGERPRINT_FORMAT), root: hash }),
  hours: z.array(z.object({ hour, rows: count, contentHash: hash })),
  verification: z.object({
    verdict: z.literal('proven'),
    checked: z.array(z.string()),
    notChecked: z.array(z.string()),
  }),
  codeVersion: z.string(),
  createdAt: z.iso.datetime(),
});

export type ManifestDocument = z.infer<typeof manifestSchema>;

export function manifestDocument(manifest: ExportManifest): ManifestDocument {
  const { what, market, symbol, range, files, fingerprint } = manifest;
  return {
    type: 'export',
    format: EXPORT_FORMAT,
    what,
    interval: manifest.what === 'bars' ? manifest.interval : null,
    numbers: manifest.what === 'bars' && manifest.isDouble ? 'double' : 'decimal',
    market,
    symbol,
    unit: tradesContracts(market) ? 'contracts' : 'base',
    from: fingerprintHour(range.startMs),
    to: fingerprintHour(range.endMs),
    rows: files.reduce((sum, { rows }) => sum + rows, 0),
    files: files.map(
      ({ dayMs, path, rows, bytes, sha256, firstId, lastId, buyVolume, sellVolume }) => ({
        day: new Date(dayMs).toISOString().slice(0, 10),
        path,
        rows,
        bytes,
        sha256,
        firstId: firstId ?? null,
        lastId: lastId ?? null,
        buyVolume,
        sellVolume,
      }),
    ),
    before: orNull(manifest.before),
    after: orNull(manifest.after),
    fingerprint: { format: FINGERPRINT_FORMAT, root: fingerprint.root },
    hours: fingerprint.leaves.map(({ hourMs, rows, contentHash }) => ({
      hour: fingerprintHour(hourMs),
      rows,
      contentHash,
    })),
    verification: {
      verdict: 'proven',
      checked: CHECKED[what],
      notChecked: NOT_CHECKED[what],
    },
    codeVersion: manifest.codeVersion,
    createdAt: new Date(manifest.createdAtMs).toISOString(),
  };
}

function orNull(neighbour: Neighbour | undefined): Neighbour | null {
  return neighbour === undefined ? null : { id: neighbour.id, timeUs: neighbour.timeUs };
}

/**
 * @returns undefined when there is no such file
 * @throws CdvaultError USAGE when it is not a manifest of this format
 */
export async function readManifest(file: string): Promise<ManifestDocument | undefined> {
  const size = await sizeOf(file);
  if (size === undefined) return undefined;
  try {
    if (size > MOST_BYTES) throw new RangeError(`it has ${size} bytes`);
    return manifestSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    throw new CdvaultError('USAGE', `${file} is not a manifest that this version can read`, {
      advice: 'Use another folder, or move that file away.',
      cause: error,
    });
  }
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
