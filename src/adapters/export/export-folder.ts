import { createHash } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { CdvaultError } from '../../domain/errors.ts';
import type { ExportManifest, ExportRequest } from '../../domain/proof/export.ts';
import type { ExportFolder } from '../../ports/export-folder.ts';
import type { ExactBar } from '../../ports/bar-store.ts';
import { isOfSystem, makeFolder } from '../system/folders.ts';
import { MANIFEST_NAME, manifestDocument, readManifest } from './manifest-file.ts';
import { differingBars } from './exported-bars.ts';
import { exportedTrades } from './exported-trades.ts';
import { dayPath, seriesFolder } from './series-folder.ts';

/**
 * Programs that read all files of a folder skip names that begin with `_`, so they see no unfinished file.
 */
const UNFINISHED = { start: '_', end: '.unfinished' };

/**
 * Opens the folder of a series' export below `folder`. It may hold an earlier export if the new one covers
 * its whole range: each of the earlier files is then overwritten.
 * @throws CdvaultError USAGE, EXPORT_UNWRITABLE
 */
export async function openExportFolder(
  folder: string,
  request: ExportRequest,
): Promise<ExportFolder> {
  const place = path.resolve(folder, seriesFolder(request, request));
  await writing(place, async () => makeFolder(place));
  await assertHolds(place, request);
  await writing(place, () => sweep(place));
  return new SeriesFolder(place);
}

async function assertHolds(place: string, { range }: ExportRequest): Promise<void> {
  const old = await readManifest(path.join(place, MANIFEST_NAME));
  if (old === undefined) return;
  if (Date.parse(old.from) >= range.startMs && Date.parse(old.to) <= range.endMs) return;
  throw new CdvaultError('USAGE', `${place} holds an export of ${old.from} to ${old.to}`, {
    advice: 'Give a range that contains it, or another --out.',
  });
}

/** Deletes the files that a killed export has left. */
async function sweep(place: string): Promise<void> {
  for (const name of await readdir(place))
    if (name.endsWith(UNFINISHED.end)) await rm(path.join(place, name));
}

class SeriesFolder implements ExportFolder {
  readonly #place: string;
  /** Final names of files, oldest day first, and their names until they are published. */
  readonly #unpublished = new Map<string, string>();

  constructor(place: string) {
    this.#place = place;
  }

  async write(dayMs: number, pieces: AsyncIterable<Uint8Array>) {
    const file = this.#dayFile(dayMs);
    this.#unpublished.set(path.join(this.#place, dayPath(dayMs)), file);
    const hash = createHash('sha256');
    const handle = await writing(file, () => open(file, 'w'));
    try {
      let bytes = 0;
      for await (const piece of pieces) {
        hash.update(piece);
        bytes += piece.length;
        await writing(file, () => handle.appendFile(piece));
      }
      await writing(file, () => handle.sync());
      return { path: dayPath(dayMs), bytes, sha256: hash.digest('hex') };
    } finally {
      await handle.close();
    }
  }

  async *trades(dayMs: number) {
    const file = this.#dayFile(dayMs);
    try {
      yield* exportedTrades(file);
    } catch (error) {
      throw unreadable(file, error);
    }
  }

  async differingBars(dayMs: number, bars: readonly ExactBar[]) {
    const file = this.#dayFile(dayMs);
    return differingBars(file, bars).catch((error: unknown) => {
      throw unreadable(file, error);
    });
  }

  async publish(manifest: ExportManifest): Promise<void> {
    const text = `${JSON.stringify(manifestDocument(manifest), undefined, 2)}\n`;
    await writing(this.#place, async () => {
      // The manifest is renamed last, so that it never lists a file that is not there.
      const unfinished = this.#unfinished('manifest');
      this.#unpublished.set(path.join(this.#place, MANIFEST_NAME), unfinished);
      await writeSynced(unfinished, text);
      for (const [file, from] of this.#unpublished) {
        makeFolder(path.dirname(file));
        await rename(from, file);
        this.#unpublished.delete(file);
      }
    });
  }

  async discard(): Promise<void> {
    for (const unfinished of this.#unpublished.values()) await rm(unfinished, { force: true });
    this.#unpublished.clear();
  }

  #dayFile(dayMs: number): string {
    return this.#unfinished(path.dirname(dayPath(dayMs)));
  }

  /** Outside the folders of the days, so that a failed export leaves no empty one. */
  #unfinished(stem: string): string {
    return path.join(this.#place, `${UNFINISHED.start}${stem}${UNFINISHED.end}`);
  }
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await handle.appendFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @throws CdvaultError EXPORT_UNWRITABLE with the system's reason */
async function writing<T>(file: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    throw new CdvaultError('EXPORT_UNWRITABLE', `${file}: ${error.message}`, { cause: error });
  }
}

/** A file that has just been written and can't be read: the disk, or an answer that is no Parquet file. */
function unreadable(file: string, error: unknown): CdvaultError {
  if (error instanceof CdvaultError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new CdvaultError('EXPORT_UNWRITABLE', `${file} can't be read back: ${why}`, {
    cause: error,
  });
}
