import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CdvaultError } from '../../domain/errors.ts';
import type { BackupManifest } from '../../ports/backup.ts';
import { isOfSystem, makeFolder } from '../system/folders.ts';
import { DATA_NAME, MANIFEST_NAME, readList, readManifest } from './backup-files.ts';
import { hashFile } from './copied-file.ts';

/** It is there from before the first file is copied until the restored store is whole. */
const MARK = 'restore-unfinished';
/** QuestDB takes its tables back to the checkpoint when it finds this file at its start. */
const TRIGGER = '_restore';
/** What a home has once services were started in it. */
const OF_SERVICES = ['services.json', 'questdb', 'redis'];

/** Whether a restore into this home was begun and not ended. */
export function isRestoreUnfinished(homeDir: string): boolean {
  return existsSync(path.join(homeDir, MARK));
}

export async function endRestore(homeDir: string): Promise<void> {
  await rm(path.join(homeDir, MARK), { force: true });
}

/**
 * Finds a backup and checks that its list of files is whole.
 * @param from the folder of one backup, or of several: then the newest is taken
 * @throws CdvaultError BACKUP_BROKEN
 */
export async function findBackup(
  from: string,
): Promise<{ readonly folder: string; readonly manifest: BackupManifest }> {
  const place = path.resolve(from);
  const inside = await readdir(place).catch((): string[] => []);
  const newest = inside
    .filter((name) => existsSync(path.join(place, name, MANIFEST_NAME)))
    .toSorted()
    .at(-1);
  const folder =
    newest === undefined || inside.includes(MANIFEST_NAME) ? place : path.join(place, newest);
  const manifest = await readManifest(folder);
  const list = await readList(folder);
  if (list?.sha256 === manifest.listSha256) return { folder, manifest };
  throw new CdvaultError(
    'BACKUP_BROKEN',
    `the list of files of ${folder} is not that of its manifest`,
  );
}

/** @throws CdvaultError USAGE when the home has services of its own that no restore has left */
export function assertEmptyHome(homeDir: string): void {
  if (isRestoreUnfinished(homeDir)) return;
  const found = OF_SERVICES.filter((name) => existsSync(path.join(homeDir, name)));
  if (found.length === 0) return;
  throw new CdvaultError('USAGE', `${homeDir} is not empty: it has ${found.join(', ')}`, {
    advice: 'Set CDVAULT_HOME to an empty folder, or to one that does not exist.',
  });
}

/**
 * Copies a backup into a home, so that QuestDB restores it at its next start. Each file is compared with its
 * SHA-256. The services of the home must not run.
 * @throws CdvaultError BACKUP_BROKEN, FOLDER_UNUSABLE
 */
export async function copyIntoHome(
  folder: string,
  homeDir: string,
  signal: AbortSignal,
  onFile: (bytes: number) => void,
): Promise<void> {
  try {
    makeFolder(homeDir, 0o700);
    await writeFile(path.join(homeDir, MARK), `${folder}\n`);
    for (const name of OF_SERVICES)
      await rm(path.join(homeDir, name), { recursive: true, force: true });
    const list = await readList(folder);
    for (const [name, sha256] of list?.sums ?? []) {
      signal.throwIfAborted();
      const to = path.join(homeDir, DATA_NAME, path.relative(DATA_NAME, name));
      await mkdir(path.dirname(to), { recursive: true, mode: 0o700 });
      onFile(await copyChecked(path.join(folder, name), to, sha256, signal));
    }
    await writeFile(path.join(homeDir, DATA_NAME, TRIGGER), '');
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    throw new CdvaultError('FOLDER_UNUSABLE', error.message, { cause: error });
  }
}

async function copyChecked(
  from: string,
  to: string,
  sha256: string,
  signal: AbortSignal,
): Promise<number> {
  if (!existsSync(from)) throw new CdvaultError('BACKUP_BROKEN', `${from} is missing`);
  const copied = await hashFile(from, to, signal);
  if (copied.sha256 !== sha256)
    throw new CdvaultError('BACKUP_BROKEN', `${from} differs from its SHA-256`);
  const { atime, mtime } = await stat(from);
  await utimes(to, atime, mtime);
  return copied.bytes;
}
