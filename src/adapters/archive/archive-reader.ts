import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ArchiveFacts, ArchiveReader } from '../../ports/archive-reader.ts';
import { isChecksumOf } from './checksum.ts';
import { CsvRows } from './csv-rows.ts';
import { readRows } from './read-rows.ts';

export function createArchiveReader(): ArchiveReader {
  return {
    async read(file, onRows) {
      const rows = new CsvRows(path.basename(file));
      const [sha256] = await Promise.all([sha256Of(file), readAll(file, rows, onRows)]);
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

async function readAll(
  file: string,
  rows: CsvRows,
  onRows: Parameters<ArchiveReader['read']>[1],
): Promise<void> {
  for await (const some of readRows(file, rows)) onRows(some);
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function compareChecksum(file: string, sha256: string): Promise<ArchiveFacts['checksum']> {
  const text = await readFile(`${file}.CHECKSUM`, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return 'absent';
  return isChecksumOf(text, path.basename(file), sha256) ? 'equal' : 'differs';
}
