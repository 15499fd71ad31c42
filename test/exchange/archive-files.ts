import { createHash } from 'node:crypto';
import type { Trade, TradeSeries } from './trade-series.ts';
import { zipOf } from './zip-writer.ts';

export type ArchiveMarket = 'spot' | 'um' | 'cm';

export const ARCHIVE_FOLDERS: Readonly<Record<ArchiveMarket, string>> = {
  spot: 'data/spot',
  um: 'data/futures/um',
  cm: 'data/futures/cm',
};

const COLUMNS =
  'agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker';

/** Spot files carry microseconds from this day on. */
const MICROSECONDS_FROM_MS = Date.UTC(2025, 0, 1);
/** Futures files have a header from this day on. */
const HEADER_FROM_MS = Date.UTC(2022, 7, 11);

/** Ways in which a file can be wrong although the database is right. */
export type ArchiveFault =
  /** 404 */
  | 'absent'
  /** 403 with XML, as for a denied listing */
  | 'denied'
  /** 500 for every request */
  | 'serverError'
  /** rows from 09:29:10 on are left out, and the checksum is that of the cut file */
  | 'cutDay'
  /** the checksum of another version */
  | 'staleChecksum'
  | 'noChecksum'
  | 'badCrc'
  | 'otherName'
  | 'twoFiles'
  /** every second row first, the others after them */
  | 'interleaved'
  /** a block of rows appears twice */
  | 'doubledBlock'
  | 'missingRow'
  | 'mixedUnits'
  /** a header where there should be none */
  | 'header'
  /** no header where there should be one */
  | 'noHeader'
  | 'crlf'
  | 'zeroQuantities'
  /** begins with the last row of the day before */
  | 'borderTwice'
  /** a month without the rows after its first fifth */
  | 'shortMonth'
  /** one row has another quantity than in the database */
  | 'otherContent'
  /** the connection ends in the middle of the file, once */
  | 'cutDownload'
  /** replaced by another version with the same rows between the requests for the zip file and its checksum, once */
  | 'replacedMeanwhile';

export interface ArchiveFile {
  readonly zip: Buffer;
  readonly checksum: string;
}

export interface FilePlan {
  readonly market: ArchiveMarket;
  /** `BTCUSDT-aggTrades-2024-01-01` */
  readonly stem: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly trades: TradeSeries;
  readonly fault: ArchiveFault | undefined;
  /** Each version has the same rows in another zip file. */
  readonly version: number;
}

/** One day or month of a symbol in the exact form of the exchange's files. */
export function archiveFile(plan: FilePlan): ArchiveFile {
  const { market, stem, fault, version } = plan;
  const lines = spoiled(linesOf(plan), plan);
  const content = Buffer.from(
    lines.map((line) => `${line}${fault === 'crlf' ? '\r' : ''}\n`).join(''),
  );
  const name = fault === 'otherName' ? 'BTCUSDT-trades.csv' : `${stem}.csv`;
  const zip = zipOf(
    { name, content, stamp: version, ...(fault === 'badCrc' ? { crc: 1 } : {}) },
    ...(fault === 'twoFiles' ? [{ name: 'second.csv', content: Buffer.alloc(0) }] : []),
  );
  const sha256 = createHash('sha256')
    .update(fault === 'staleChecksum' ? 'the file before' : zip)
    .digest('hex');
  return { zip, checksum: `${sha256}  ${stem}.zip${market === 'spot' ? '' : '\n'}` };
}

function linesOf({ market, startMs, endMs, trades, fault }: FilePlan): string[] {
  const first = trades.indexAtTime(startMs * 1000);
  const end = trades.indexAtTime(endMs * 1000);
  const lines: string[] = [];
  const from = fault === 'borderTwice' ? Math.max(0, first - 1) : first;
  for (let index = from; index < end; index += 1)
    lines.push(
      market === 'spot' ? spotLine(trades.at(index), startMs) : futuresLine(trades.at(index)),
    );
  return lines;
}

function spotLine({ a, p, q, f, l, timeUs, m }: Trade, startMs: number): string {
  const time = startMs >= MICROSECONDS_FROM_MS ? timeUs : Math.floor(timeUs / 1000);
  return `${a},${p},${q},${f},${l},${time},${m ? 'True' : 'False'},True`;
}

function futuresLine({ a, p, q, f, l, timeUs, m }: Trade): string {
  return `${a},${shortDecimal(p)},${shortDecimal(q)},${f},${l},${Math.floor(timeUs / 1000)},${m}`;
}

/** `542.00000000` → `542.0` */
function shortDecimal(text: string): string {
  return text.replace(/0+$/, '').replace(/\.$/, '.0');
}

function headerOf({ market, startMs, fault }: FilePlan): string[] {
  if (fault === 'noHeader') return [];
  const isDue = market !== 'spot' && startMs >= HEADER_FROM_MS;
  if (!isDue && fault !== 'header') return [];
  return [market === 'spot' ? `${COLUMNS},is_best_match` : COLUMNS];
}

function spoiled(lines: readonly string[], plan: FilePlan): readonly string[] {
  const middle = Math.floor(lines.length / 2);
  const quarter = Math.floor(lines.length / 4);
  const row = lines[middle] ?? '';
  const spoil: Partial<Record<ArchiveFault, () => readonly string[]>> = {
    cutDay: () =>
      lines.slice(
        0,
        plan.trades.indexAtTime((plan.startMs + 34_150_000) * 1000) -
          plan.trades.indexAtTime(plan.startMs * 1000),
      ),
    shortMonth: () => lines.slice(0, Math.floor(lines.length / 5)),
    interleaved: () => [
      ...lines.filter((_, index) => index % 2 === 0),
      ...lines.filter((_, index) => index % 2 === 1),
    ],
    doubledBlock: () => lines.toSpliced(middle, 0, ...lines.slice(middle - 10, middle)),
    missingRow: () => lines.toSpliced(middle, 1),
    mixedUnits: () => lines.with(middle, row.replace(/,(\d{13}),/, ',$1000,')),
    zeroQuantities: () =>
      lines.map((line, index) => (index % 3 === 1 ? withQuantity(line, '0.00000000') : line)),
    otherContent: () => lines.with(quarter, withQuantity(lines[quarter] ?? '', '123.45600000')),
  };
  const rows = plan.fault === undefined ? lines : (spoil[plan.fault]?.() ?? lines);
  return [...headerOf(plan), ...rows];
}

function withQuantity(line: string, quantity: string): string {
  return line.split(',').with(2, quantity).join(',');
}
