import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { CdvaultError } from '../../domain/errors.ts';
import { marketName, MARKET_NAMES } from '../../domain/market.ts';
import type { BackupManifest } from '../../ports/backup.ts';

export const MANIFEST_NAME = 'manifest.json';
/** In the format of sha256sum, so that `sha256sum -c SHA256SUMS` checks a backup without cdvault. */
export const LIST_NAME = 'SHA256SUMS';
/** Below it are the files of QuestDB’s root. */
export const DATA_NAME = 'questdb';

const FORMAT = 'cdvault-backup-v1';

const schema = z.object({
  format: z.literal(FORMAT),
  version: z.string(),
  questdb: z.string(),
  migrations: z.array(z.string()),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  files: z.number().int(),
  bytes: z.number().int(),
  listSha256: z.string(),
  series: z.array(
    z.object({
      market: z.enum(['spot', 'um', 'cm']),
      symbol: z.string(),
      provenHours: z.number().int(),
      trades: z.number().int(),
    }),
  ),
});

export function manifestText({ startedAtMs, finishedAtMs, series, ...facts }: BackupManifest) {
  const document: z.infer<typeof schema> = {
    format: FORMAT,
    ...facts,
    migrations: [...facts.migrations],
    startedAt: new Date(startedAtMs).toISOString(),
    finishedAt: new Date(finishedAtMs).toISOString(),
    series: series.map((one) => ({ ...one, market: marketName(one.market) })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** @throws CdvaultError BACKUP_BROKEN */
export async function readManifest(folder: string): Promise<BackupManifest> {
  const file = path.join(folder, MANIFEST_NAME);
  try {
    const {
      format: _,
      startedAt,
      finishedAt,
      series,
      ...facts
    } = schema.parse(JSON.parse(await readFile(file, 'utf8')));
    return {
      ...facts,
      startedAtMs: Date.parse(startedAt),
      finishedAtMs: Date.parse(finishedAt),
      series: series.map((one) => ({ ...one, market: MARKET_NAMES[one.market] })),
    };
  } catch (error) {
    throw new CdvaultError('BACKUP_BROKEN', `${file} is not the manifest of a backup`, {
      cause: error,
    });
  }
}

/** SHA-256 of each file of a backup, by its path in it; undefined when the list can't be read, or leads out of it. */
export async function readList(
  folder: string,
): Promise<{ readonly sums: ReadonlyMap<string, string>; readonly sha256: string } | undefined> {
  const text = await readFile(path.join(folder, LIST_NAME), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split('\n').filter(Boolean);
  const sums = new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
  if (![...sums.keys()].every(isInData)) return undefined;
  return { sums, sha256: createHash('sha256').update(text).digest('hex') };
}

/** A restore writes to these paths: another one would be a file of the user. */
function isInData(name: string): boolean {
  const [first, ...rest] = name.split('/');
  const isPlain = rest.every((part) => part !== '' && part !== '.' && part !== '..');
  return first === DATA_NAME && rest.length > 0 && isPlain && !name.includes('\\');
}
