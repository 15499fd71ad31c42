import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { ArchiveReader } from '../../ports/archive-reader.ts';
import { compareChecksum, sha256Of } from './checksum-file.ts';
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
