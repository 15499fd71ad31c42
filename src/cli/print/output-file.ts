import { existsSync } from 'node:fs';
import { open, rm, writeFile } from 'node:fs/promises';
import { isOfSystem } from '../../adapters/system/folders.ts';
import { CdvaultError } from '../../domain/errors.ts';

/**
 * Checks that a file can be written, before the work whose result it will hold. Permissions alone do
 * not show that, so the file is opened, and deleted if it did not exist.
 * @throws CdvaultError EXPORT_UNWRITABLE
 */
export async function assertWritable(file: string): Promise<void> {
  await writing(file, async () => {
    const isNew = !existsSync(file);
    await (await open(file, 'a')).close();
    if (isNew) await rm(file);
  });
}

/** @throws CdvaultError EXPORT_UNWRITABLE */
export async function writeOutput(file: string, content: string | Uint8Array): Promise<void> {
  await writing(file, () => writeFile(file, content));
}

async function writing(file: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    throw new CdvaultError('EXPORT_UNWRITABLE', `${file}: ${error.message}`, { cause: error });
  }
}
