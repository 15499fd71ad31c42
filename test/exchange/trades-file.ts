import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import yauzl from 'yauzl';
import { TradeColumns } from './trade-columns.ts';
import type { TradeSeries } from './trade-series.ts';

/** A little less than the shortest rows in real files, so that the guess of the row count is never too low. */
const BYTES_PER_ROW = 72;

interface CsvSource {
  readonly stream: Readable;
  readonly bytes: number;
}

/** Loads daily archive files (zip or csv) of one symbol, in the order given, as one series. */
export async function loadTradesFile(...paths: readonly string[]): Promise<TradeSeries> {
  let columns: TradeColumns | undefined;
  for (const path of paths) {
    const source = path.endsWith('.zip') ? await openOnlyEntry(path) : await openCsv(path);
    columns ??= new TradeColumns(Math.ceil((source.bytes * paths.length) / BYTES_PER_ROW));
    await addStream(columns, source.stream);
  }
  if (columns === undefined || columns.count === 0)
    throw new Error(`no trades in ${paths.join(', ')}`);
  columns.trim();
  return columns.toSeries();
}

async function openCsv(path: string): Promise<CsvSource> {
  return { stream: createReadStream(path), bytes: (await stat(path)).size };
}

async function addStream(columns: TradeColumns, stream: Readable): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  let atFileStart = true;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const used = columns.addLines(bytes, atFileStart);
    if (used > 0) atFileStart = false;
    rest = bytes.subarray(used);
  }
  if (rest.length > 0) columns.addLines(Buffer.concat([rest, Buffer.from('\n')]), atFileStart);
}

function openOnlyEntry(path: string): Promise<CsvSource> {
  return new Promise((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true }, (openError, archive) => {
      if (openError !== null) {
        reject(openError);
        return;
      }
      archive.on('error', reject);
      archive.on('entry', (entry: yauzl.Entry) => {
        archive.openReadStream(entry, (readError, stream) => {
          if (readError !== null) reject(readError);
          else resolve({ stream, bytes: entry.uncompressedSize });
        });
      });
      archive.on('end', () => reject(new Error(`${path} holds no file`)));
      archive.readEntry();
    });
  });
}
