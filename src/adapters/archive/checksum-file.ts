import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ArchiveFacts } from '../../ports/archive-reader.ts';

/** `<64 hex>  <name>`, with or without a line feed, one space or two. */
const CHECKSUM = /^([0-9a-f]{64}) [ *]?(\S+)\s*$/i;

/** A line of some 110 bytes: what is longer is none. */
const MOST_CHECKSUM_BYTES = 1_000;

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
  const text = await startOf(`${file}.CHECKSUM`);
  if (text === undefined) return 'absent';
  return isChecksumOf(text, path.basename(file), sha256) ? 'equal' : 'differs';
}

/** As much of a file as counts; undefined when there is none. */
async function startOf(file: string): Promise<string | undefined> {
  try {
    const pieces = createReadStream(file, { encoding: 'utf8', end: MOST_CHECKSUM_BYTES });
    return (await pieces.toArray()).join('');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether the text of the exchange's .CHECKSUM has that file name and that SHA-256. */
export function isChecksumOf(text: string, fileName: string, sha256: string): boolean {
  if (text.length > MOST_CHECKSUM_BYTES) return false;
  const [, hex, name] = CHECKSUM.exec(text) ?? [];
  return hex?.toLowerCase() === sha256 && name === fileName;
}
