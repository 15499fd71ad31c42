import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

/**
 * cdvault records a migration by its name alone, since a released migration is never edited. A migration in
 * development is edited, and a store that is kept between test runs would keep its first text.
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

/** Records the texts of the migrations that a store has. */
export async function noteMigrations(record: string, folder = MIGRATIONS): Promise<void> {
  await mkdir(path.dirname(record), { recursive: true });
  await writeFile(record, JSON.stringify(await hashesIn(folder), undefined, 2));
}

/**
 * Migrations that a store has with another text, or that were deleted; undefined when nothing is recorded.
 * New migrations are not among them: they can be applied.
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
