import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import yauzl from 'yauzl';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';

const NEXT_TO_PROJECT = '../../../shared/data/BTCUSDT-aggTrades-2024-01-01.zip';

/** The exchange's own archive of BTCUSDT, 2024-01-01. It is not part of the project. */
export const REAL_DAY_PATH =
  process.env['CDVAULT_REAL_DAY'] ?? fileURLToPath(new URL(NEXT_TO_PROJECT, import.meta.url));

export function realDayIsHere(): boolean {
  return existsSync(REAL_DAY_PATH);
}

/** Its trades in file order. */
export async function* realDayTrades(): AsyncGenerator<AggTrade> {
  const csv = await openCsv(REAL_DAY_PATH);
  csv.setEncoding('latin1');
  let rest = '';
  for await (const chunk of csv as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield tradeOf(line);
  }
  if (rest !== '') yield tradeOf(rest);
}

function tradeOf(line: string): AggTrade {
  const [aggId, price, qty, firstId, lastId, timeMs, isBuyerMaker] = line.split(',');
  if (price === undefined || qty === undefined) throw new Error(`not a trade: ${line}`);
  return {
    aggId: Number(aggId),
    price,
    qty,
    firstId: Number(firstId),
    lastId: Number(lastId),
    timeUs: Number(timeMs) * 1000,
    isBuyerMaker: isBuyerMaker === 'True',
  };
}

/** The only file inside the archive. */
function openCsv(path: string): Promise<Readable> {
  return new Promise((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true }, (openError, zip) => {
      if (openError !== null) return reject(openError);
      zip.on('error', reject);
      zip.on('entry', (entry: yauzl.Entry) => {
        zip.openReadStream(entry, (error, stream) =>
          error === null ? resolve(stream) : reject(error),
        );
      });
      return zip.readEntry();
    });
  });
}
