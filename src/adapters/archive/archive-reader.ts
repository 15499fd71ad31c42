import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CdvaultError } from '../../domain/errors.ts';
import type { ArchiveFacts, ArchiveReader } from '../../ports/archive-reader.ts';
import { CsvRows } from './csv-rows.ts';
import { openOnlyEntry } from './zip-entry.ts';

export function createArchiveReader(): ArchiveReader {
  return {
    async read(file, onRows) {
      const rows = new CsvRows(path.basename(file));
      const [sha256] = await Promise.all([sha256Of(file), readRows(file, rows, onRows)]);
      const { format } = rows;
      return {
        bytes: (await stat(file)).size,
        sha256,
        checksum: await compareChecksum(file, sha256),
        format:
          format === undefined
            ? undefined
            : `${format.columns} columns, ${format.unit}${format.hasHeader ? ', header' : ''}`,
      };
    },
  };
}

async function readRows(
  file: string,
  rows: CsvRows,
  onRows: Parameters<ArchiveReader['read']>[1],
): Promise<void> {
  const { name, ext } = path.parse(file);
  const stream = ext === '.zip' ? await openOnlyEntry(file, `${name}.csv`) : createReadStream(file);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) onRows(rows.push(chunk));
    onRows(rows.end());
  } catch (error) {
    if (error instanceof CdvaultError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CdvaultError('ARCHIVE_BAD_FILE', `${file}: ${reason}`, { cause: error });
  }
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** `<64 hex>  <name>`, with or without a line feed, one space or two. */
const CHECKSUM = /^([0-9a-f]{64}) [ *]?(\S+)\s*$/i;

async function compareChecksum(file: string, sha256: string): Promise<ArchiveFacts['checksum']> {
  const text = await readFile(`${file}.CHECKSUM`, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return 'absent';
  const [, hex, name] = CHECKSUM.exec(text) ?? [];
  return hex?.toLowerCase() === sha256 && name === path.basename(file) ? 'equal' : 'differs';
}
