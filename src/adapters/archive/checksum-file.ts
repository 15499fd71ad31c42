import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ArchiveFacts } from '../../ports/archive-reader.ts';

/** `<64 hex>  <name>`, with or without a line feed, one space or two. */
const CHECKSUM = /^([0-9a-f]{64}) [ *]?(\S+)\s*$/i;

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

/** Whether the text of the exchange's .CHECKSUM has that file name and that SHA-256. */
export function isChecksumOf(text: string, fileName: string, sha256: string): boolean {
  const [, hex, name] = CHECKSUM.exec(text) ?? [];
  return hex?.toLowerCase() === sha256 && name === fileName;
}
