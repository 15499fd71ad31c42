import { createReadStream } from 'node:fs';
import path from 'node:path';
import { CdvaultError } from '../../domain/errors.ts';
import type { TradeBlock } from '../../domain/trade/trade-block.ts';
import type { CsvRows } from './csv-rows.ts';
import { openOnlyEntry } from './zip-entry.ts';

/**
 * Streams the rows of a zip or csv file.
 * @param rows parses the file and detects its format
 * @param place name of the file in errors
 * @throws CdvaultError ARCHIVE_BAD_FILE, ARCHIVE_BAD_ROW
 */
export async function* readRows(
  file: string,
  rows: CsvRows,
  place = file,
): AsyncGenerator<TradeBlock> {
  const { name, ext } = path.parse(file);
  const stream =
    ext === '.zip' ? await openOnlyEntry(file, `${name}.csv`, place) : createReadStream(file);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) yield rows.push(chunk);
    yield rows.end();
  } catch (error) {
    if (error instanceof CdvaultError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CdvaultError('ARCHIVE_BAD_FILE', `${place}: ${reason}`, { cause: error });
  }
}
