import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

/**
 * cdvault records a migration by its name alone: one that has been released is never edited. One that is
 * still being written is, and a store that stays from run to run would keep its first text.
 */

const MIGRATIONS = path.resolve(import.meta.dirname, '..', '..', 'migrations');

/** Name of a migration, and the SHA-256 of its text. */
const hashes = z.record(z.string(), z.string());

async function hashesIn(folder: string): Promise<z.infer<typeof hashes>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql'));
  const pairs = names.map(async (name) => {
    const text = await readFile(path.join(folder, name));
    return [name, createHash('sha256').update(text).digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}

/** Notes with which texts a store was migrated. */
export async function noteMigrations(record: string, folder = MIGRATIONS): Promise<void> {
  await mkdir(path.dirname(record), { recursive: true });
  await writeFile(record, JSON.stringify(await hashesIn(folder), undefined, 2));
}

/**
 * Migrations that a store has in another text, or that are gone; undefined when it is not known which it
 * has. New ones are no reason to begin anew: they are applied.
 */
export async function changedMigrations(
  record: string,
  folder = MIGRATIONS,
): Promise<readonly string[] | undefined> {
  const noted = await readFile(record, 'utf8').catch(() => undefined);
  if (noted === undefined) return undefined;
  const now = await hashesIn(folder);
  return Object.entries(hashes.parse(JSON.parse(noted)))
    .filter(([name, hash]) => now[name] !== hash)
    .map(([name]) => name);
}
