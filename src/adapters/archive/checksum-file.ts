import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ArchiveFacts } from '../../ports/archive-reader.ts';
import { isChecksumOf } from './checksum.ts';

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Compares the file's SHA-256 with the .CHECKSUM file beside it. */
export async function compareChecksum(
  file: string,
  sha256: string,
): Promise<ArchiveFacts['checksum']> {
  const text = await readFile(`${file}.CHECKSUM`, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return 'absent';
  return isChecksumOf(text, path.basename(file), sha256) ? 'equal' : 'differs';
}
