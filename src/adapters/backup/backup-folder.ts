import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { CdvaultError } from '../../domain/errors.ts';
import type { NewBackup } from '../../ports/backup.ts';
import { isOfSystem, makeFolder } from '../system/folders.ts';
import { DATA_NAME, LIST_NAME, MANIFEST_NAME, manifestText, readList } from './backup-files.ts';
import { copyFile } from './copied-file.ts';

const UNFINISHED = '.unfinished';

/** What a checkpoint needs besides the tables; QuestDB writes it when the checkpoint is created. */
const CHECKPOINT = '.checkpoint';
const PARTS = ['db', CHECKPOINT] as const;

/**
 * What QuestDB may delete at any time: files of what is written and not yet applied, and versions of a partition or of
 * a column (`2024-04.57/`, `status.d.12`) that a later one has replaced. It keeps those that the checkpoint needs.
 */
const MAY_VANISH = /\/wal\d+\/|\.\d+\/|\.\d+$/;

/**
 * Begins a backup in a folder of its own below `out`, whose name is its time.
 * @param root QuestDB's root folder, on this machine
 * @throws CdvaultError BACKUP_UNWRITABLE
 */
export async function openBackup(out: string, root: string, nowMs: number): Promise<NewBackup> {
  const place = path.resolve(out);
  return writing(async () => {
    if (!existsSync(path.join(root, 'db')))
      throw new CdvaultError('BACKUP_UNWRITABLE', `${root} is not the root folder of a QuestDB`);
    makeFolder(place, 0o700);
    const names = await readdir(place);
    const left = names.filter((name) => name.endsWith(UNFINISHED));
    for (const name of left) await rm(path.join(place, name), { recursive: true });
    const earlier = names
      .filter((name) => existsSync(path.join(place, name, MANIFEST_NAME)))
      .toSorted()
      .at(-1);
    const name = new Date(nowMs)
      .toISOString()
      .replaceAll(':', '')
      .replace(/\.\d+Z$/, 'Z');
    const target = path.join(place, name);
    makeFolder(`${target}${UNFINISHED}`, 0o700);
    const before = earlier === undefined ? undefined : path.join(place, earlier);
    return newBackup(root, target, before, left.length > 0);
  });
}

function newBackup(
  root: string,
  target: string,
  earlier: string | undefined,
  followsInterrupted: boolean,
): NewBackup {
  const part = `${target}${UNFINISHED}`;
  return {
    followsInterrupted,
    copy: async (signal, onFile) =>
      writing(async () => {
        if (!existsSync(path.join(root, CHECKPOINT)))
          throw new CdvaultError(
            'BACKUP_UNWRITABLE',
            `${root} is not the root folder of this QuestDB: its checkpoint is not there`,
          );
        const known = earlier === undefined ? undefined : (await readList(earlier))?.sums;
        const lines: string[] = [];
        const sums = { files: 0, bytes: 0, linkedBytes: 0 };
        for await (const file of filesOf(root)) {
          signal.throwIfAborted();
          const name = `${DATA_NAME}/${file}`;
          const sha256 = known?.get(name);
          const before =
            earlier === undefined || sha256 === undefined
              ? undefined
              : { file: path.join(earlier, name), sha256 };
          const copied = await unlessVanished(file, async () =>
            copyFile(path.join(root, file), path.join(part, name), before, signal),
          );
          if (copied === undefined) continue;
          lines.push(`${copied.sha256}  ${name}\n`);
          sums.files += 1;
          sums.bytes += copied.bytes;
          if (copied.isLinked) sums.linkedBytes += copied.bytes;
          onFile(copied.bytes);
        }
        const list = lines.join('');
        await writeSynced(path.join(part, LIST_NAME), list);
        return { ...sums, listSha256: createHash('sha256').update(list).digest('hex') };
      }),
    publish: async (manifest) =>
      writing(async () => {
        await writeSynced(path.join(part, MANIFEST_NAME), manifestText(manifest));
        await rename(part, target);
        return target;
      }),
    discard: async () => writing(async () => rm(part, { recursive: true, force: true })),
  };
}

async function* filesOf(root: string): AsyncGenerator<string> {
  const due: string[] = [...PARTS];
  for (let folder = due.pop(); folder !== undefined; folder = due.pop()) {
    const inside = folder;
    const entries = await unlessVanished(`${inside}/`, async () =>
      readdir(path.join(root, inside), { withFileTypes: true }),
    );
    for (const entry of entries ?? []) {
      const name = `${inside}/${entry.name}`;
      if (entry.isDirectory()) due.push(name);
      else if (entry.isFile()) yield name;
      else if (entry.isSymbolicLink()) {
        // A partition that is kept on another disk.
        const isFolder = (await stat(path.join(root, name))).isDirectory();
        if (isFolder) due.push(name);
        else yield name;
      }
    }
  }
}

async function unlessVanished<T>(file: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isOfSystem(error) && error.code === 'ENOENT' && MAY_VANISH.test(`/${file}`))
      return undefined;
    throw error;
  }
}

async function writeSynced(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const handle = await open(file, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    throw new CdvaultError('BACKUP_UNWRITABLE', error.message, { cause: error });
  }
}
