import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openBackup } from '../../../src/adapters/backup/backup-folder.ts';

const NEVER = new AbortController().signal;

let folder: string;
let root: string;
let table: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cdvault-backup-'));
  root = path.join(folder, 'questdb');
  table = path.join(root, 'db/slices~7');
  await mkdir(path.join(root, '.checkpoint/db'), { recursive: true });
});

afterEach(async () => rm(folder, { recursive: true }));

async function put(inside: string, files: readonly string[]): Promise<void> {
  await mkdir(path.join(table, inside), { recursive: true });
  for (const file of files) await writeFile(path.join(table, inside, file), file);
}

/** Copies while QuestDB deletes all of a folder's files as soon as so many files are copied. */
async function copyWithout(inside: string, afterFiles: number): Promise<number> {
  const backup = await openBackup(path.join(folder, 'out'), root, 0);
  let copied = 0;
  const { files } = await backup.copy(NEVER, () => {
    copied += 1;
    if (copied === afterFiles) rmSync(path.join(table, inside), { recursive: true });
  });
  return files;
}

describe('a copy, while QuestDB deletes', () => {
  test.each(['2024-04.57', 'wal3'])('%s, goes on without it', async (inside) => {
    await put('', ['_txn']);
    await put(inside, ['ts.d']);
    // The files of a folder come before the folders in it.
    expect(await copyWithout(inside, 1)).toBe(1);
  });

  test('a version of a column, goes on without it', async () => {
    await put('2024-03', ['one.d.12', 'two.d.12']);
    expect(await copyWithout('2024-03', 1)).toBe(1);
  });

  test('a column that has no version, fails', async () => {
    await put('2024-03', ['one.d', 'two.d']);
    const copy = copyWithout('2024-03', 1);
    await expect(copy).rejects.toMatchObject({ code: 'BACKUP_UNWRITABLE' });
  });
});
