import { open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { CdvaultError } from '../../domain/errors.ts';
import type { ExportManifest, ExportRequest } from '../../domain/proof/export.ts';
import type { ExportFile, ExportFolder } from '../../ports/export-folder.ts';
import { isOfSystem, makeFolder } from '../system/folders.ts';
import { MANIFEST_NAME, manifestDocument, readManifest } from './manifest-file.ts';
import { BAR_COLUMNS, type ParquetColumn, TRADE_COLUMNS } from './parquet-columns.ts';
import { ParquetFile } from './parquet-file.ts';
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
  readonly #open = new Set<{ close(): Promise<void> }>();
  /** Final names of files, oldest day first, and their names until they are published. */
  readonly #unpublished = new Map<string, string>();

  constructor(place: string) {
    this.#place = place;
  }

  openTrades: ExportFolder['openTrades'] = (dayMs) => this.#create(dayMs, TRADE_COLUMNS);

  openBars: ExportFolder['openBars'] = (dayMs) => this.#create(dayMs, BAR_COLUMNS);

  async publish(manifest: ExportManifest): Promise<void> {
    const text = `${JSON.stringify(manifestDocument(manifest), undefined, 2)}\n`;
    await writing(this.#place, async () => {
      // The manifest is renamed last, so that it never lists a file that is not there.
      await writeSynced(this.#unfinished(MANIFEST_NAME, 'manifest'), text);
      for (const [file, unfinished] of this.#unpublished) {
        makeFolder(path.dirname(file));
        await rename(unfinished, file);
        this.#unpublished.delete(file);
      }
    });
  }

  async discard(): Promise<void> {
    for (const file of this.#open) await file.close();
    this.#open.clear();
    for (const unfinished of this.#unpublished.values()) await rm(unfinished, { force: true });
    this.#unpublished.clear();
  }

  async #create<Row>(
    dayMs: number,
    columns: readonly ParquetColumn<Row>[],
  ): Promise<ExportFile<Row>> {
    const name = dayPath(dayMs);
    const unfinished = this.#unfinished(name, path.dirname(name));
    const parquet = await writing(unfinished, () => ParquetFile.create(unfinished, columns));
    this.#open.add(parquet);
    return {
      add: (rows) => writing(unfinished, () => parquet.add(rows)),
      finish: async () => {
        const written = await writing(unfinished, () => parquet.finish());
        this.#open.delete(parquet);
        return { path: name, ...written };
      },
    };
  }

  /** Outside the folders of the days, so that a failed export leaves no empty one. */
  #unfinished(name: string, stem: string): string {
    const unfinished = path.join(this.#place, `${UNFINISHED.start}${stem}${UNFINISHED.end}`);
    this.#unpublished.set(path.join(this.#place, name), unfinished);
    return unfinished;
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
