import { createHash } from 'node:crypto';
import type { TradeSeries } from './trade-series.ts';
import { zipOf } from './zip-writer.ts';

const DAY_US = 86_400_000_000;

const HEADER =
  'agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker,is_best_match';

/** Spot files carry microseconds from this day on. */
const MICROSECONDS_FROM_US = Date.UTC(2025, 0, 1) * 1000;

/** Ways in which a day's file can be wrong, though the database is right. */
export type ArchiveFault =
  /** 404 */
  | 'absent'
  /** rows from 09:29:10 on are left out, and the checksum is that of the cut file */
  | 'cutDay'
  /** the checksum of another version */
  | 'staleChecksum'
  | 'badCrc'
  | 'otherName'
  | 'twoFiles'
  /** every second row first, the others after them */
  | 'interleaved'
  /** a block of rows stands twice */
  | 'doubledBlock'
  | 'missingRow'
  | 'mixedUnits'
  | 'header'
  | 'crlf'
  /** the connection ends in mid-file, once */
  | 'cutDownload';

export interface ArchiveFile {
  readonly zip: Buffer;
  readonly checksum: string;
  readonly etag: string;
}

/** One day of a symbol in the exact form of the exchange's spot files. */
export function archiveFile(
  symbol: string,
  day: string,
  trades: TradeSeries,
  fault?: ArchiveFault,
): ArchiveFile {
  const stem = `${symbol}-aggTrades-${day}`;
  const lines = spoiled(dayLines(day, trades), fault);
  const content = Buffer.from(
    lines.map((line) => `${line}${fault === 'crlf' ? '\r' : ''}\n`).join(''),
  );
  const name = fault === 'otherName' ? 'BTCUSDT-trades.csv' : `${stem}.csv`;
  const zip = zipOf(
    { name, content, ...(fault === 'badCrc' ? { crc: 1 } : {}) },
    ...(fault === 'twoFiles' ? [{ name: 'second.csv', content: Buffer.alloc(0) }] : []),
  );
  const sha256 = createHash('sha256')
    .update(fault === 'staleChecksum' ? 'the file before' : zip)
    .digest('hex');
  const etag = `"${createHash('md5').update(zip).digest('hex')}"`;
  return { zip, checksum: `${sha256}  ${stem}.zip`, etag };
}

function dayLines(day: string, trades: TradeSeries): string[] {
  const startUs = Date.parse(`${day}T00:00:00Z`) * 1000;
  const end = trades.indexAtTime(startUs + DAY_US);
  const lines: string[] = [];
  for (let index = trades.indexAtTime(startUs); index < end; index += 1) {
    const { a, p, q, f, l, timeUs, m } = trades.at(index);
    const time = startUs >= MICROSECONDS_FROM_US ? timeUs : Math.floor(timeUs / 1000);
    lines.push(`${a},${p},${q},${f},${l},${time},${m ? 'True' : 'False'},True`);
  }
  return lines;
}

function spoiled(lines: readonly string[], fault: ArchiveFault | undefined): readonly string[] {
  const middle = Math.floor(lines.length / 2);
  const spoil: Partial<Record<ArchiveFault, () => readonly string[]>> = {
    cutDay: () => lines.slice(0, Math.floor(lines.length * 0.395)),
    interleaved: () => [
      ...lines.filter((_, index) => index % 2 === 0),
      ...lines.filter((_, index) => index % 2 === 1),
    ],
    doubledBlock: () => lines.toSpliced(middle, 0, ...lines.slice(middle - 10, middle)),
    missingRow: () => lines.toSpliced(middle, 1),
    mixedUnits: () => lines.with(middle, (lines[middle] ?? '').replace(/,(\d{13}),/, ',$1000,')),
    header: () => [HEADER, ...lines],
  };
  return fault === undefined ? lines : (spoil[fault]?.() ?? lines);
}
