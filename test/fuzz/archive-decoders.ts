/** What comes from the host of the exchange's files, or from a folder: listings, checksums, zip files, CSV. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32, inflateRawSync } from 'node:zlib';
import { isChecksumOf } from '../../src/adapters/archive/checksum-file.ts';
import { CsvRows } from '../../src/adapters/archive/csv-rows.ts';
import { listFolder } from '../../src/adapters/archive/listing.ts';
import { readRows } from '../../src/adapters/archive/read-rows.ts';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import type { ListedFile } from '../../src/ports/archive-source.ts';
import { listingXml } from '../exchange/archive-listing.ts';
import { zipOf } from '../exchange/zip-writer.ts';
import { assert, assertSame, type Decoder } from './decoder.ts';
import { below, mutated, pick, type Random } from './mutations.ts';

const STEM = 'BTCUSDT-aggTrades-2024-01-01';

function csvOf(rows: number, { columns = 8, usInUnit = 1_000, header = '', end = '\n' }): Buffer {
  const lines = Array.from({ length: rows }, (_, at) => {
    const time = (Date.UTC(2024, 0, 1) * 1_000 + at * 1_001_000) / usInUnit;
    const ids = at === 3 ? '0,0,-1,-1' : `42000.${at},0.0${at}1,${200 + at},${201 + at}`;
    const row = `${1_000 + at},${ids},${Math.floor(time)},${at % 2 === 0 ? 'True' : 'false'}`;
    return columns === 8 ? `${row},True` : row;
  });
  return Buffer.from(header + lines.map((line) => line + end).join(''));
}

const HEADER =
  'agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n';
const CSV_SAMPLES = [
  csvOf(8, {}),
  csvOf(6, { usInUnit: 1 }),
  csvOf(6, { columns: 7, header: HEADER }),
  csvOf(4, { end: '\r\n', header: '\uFEFF' }),
  csvOf(3, {}).subarray(0, -1),
];

const INTEGER = /^-?(0|[1-9][0-9]*)$/;
const DECIMAL = /^[0-9]{1,20}([.][0-9]{1,8})?$/;

/** The rows of a CSV text by splitting it; undefined when any line is none. */
function rowsIn(bytes: Buffer): AggTrade[] | undefined {
  const text = bytes.toString('latin1').replace(/^\u00EF\u00BB\u00BF/, '');
  const lines = text.split('\n').map((line) => (line === '\r' ? '' : line));
  const filled = lines.filter((line) => line !== '');
  if (filled[0] !== undefined && /^"?agg_trade_id"?(,|\r?$)/.test(filled[0])) filled.shift();
  const rows = filled.map(rowIn);
  const columns = new Set(filled.map((line) => Math.min(line.split(',').length, 9)));
  const units = new Set(rows.map((row) => row?.unit));
  if (rows.includes(undefined) || columns.size > 1 || units.size > 1) return undefined;
  return rows.flatMap((row) => (row === undefined ? [] : [row.trade]));
}

function rowIn(line: string): { trade: AggTrade; unit: string } | undefined {
  if (line.length > 1_000) return undefined;
  const fields = line.split(',');
  const [id = '', price = '', qty = '', first = '', last = '', time = '', maker = ''] = fields;
  // Carriage returns may be at the end of a line; an eighth column has no meaning.
  const side = fields.length === 7 ? maker.replace(/\r*$/, '') : maker;
  if (fields.length < 7 || fields.length > 8 || !/^([Tt]rue|[Ff]alse)$/.test(side))
    return undefined;
  if (!DECIMAL.test(price) || !DECIMAL.test(qty)) return undefined;
  const integers = [id, first, last, time];
  if (!integers.every((text) => INTEGER.test(text) && Math.abs(Number(text)) < 2 ** 53))
    return undefined;
  const [aggId = 0, firstId = 0, lastId = 0, at = 0] = integers.map(Number);
  if (aggId < 0 || at < 0 || integers.includes('-0')) return undefined;
  const unit = at >= 1e14 ? 'us' : 'ms';
  const timeUs = unit === 'us' ? at : at * 1_000;
  const isBuyerMaker = side.toLowerCase() === 'true';
  return { trade: { aggId, price, qty, firstId, lastId, timeUs, isBuyerMaker }, unit };
}

/** All rows, read in pieces of a random size. */
function readCsv(bytes: Buffer, random: Random): AggTrade[] {
  const rows = new CsvRows(`${STEM}.csv`);
  const piece = 1 + below(random, random() < 0.5 ? 64 : bytes.length + 1);
  const trades: AggTrade[] = [];
  for (let at = 0; at < bytes.length; at += piece) {
    const block = rows.push(bytes.subarray(at, at + piece));
    trades.push(...block.trades(0, block.rows));
  }
  const last = rows.end();
  return [...trades, ...last.trades(0, last.rows)];
}

const csv: Decoder = {
  name: 'CSV of an archive file',
  samples: CSV_SAMPLES,
  codes: ['ARCHIVE_BAD_ROW'],
  decode: readCsv,
  check: (bytes, value) => assertSame(value, rowsIn(bytes)),
};

const folder = mkdtempSync(path.join(tmpdir(), 'cdvault-fuzz-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const zipFile = path.join(folder, `${STEM}.zip`);

/** The only file of a zip, by its directory; undefined when it is not what its directory says. */
function onlyFileIn(zip: Buffer): Buffer | undefined {
  for (let end = zip.length - 22; end >= 0; end -= 1) {
    if (zip.readUInt32LE(end) !== 0x06054b50) continue;
    const at = zip.readUInt32LE(end + 16);
    if (at + 46 > zip.length || zip.readUInt32LE(at) !== 0x02014b50) continue;
    const [method, crc] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 16)];
    const [packedBytes, bytes] = [zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 24)];
    const start = zip.readUInt32LE(at + 42);
    if (start + 30 > zip.length) continue;
    const dataAt = start + 30 + zip.readUInt16LE(start + 26) + zip.readUInt16LE(start + 28);
    const packed = zip.subarray(dataAt, dataAt + packedBytes);
    const data = method === 8 ? inflated(packed) : packed;
    if (data?.length === bytes && crc32(data) === crc) return data;
  }
  return undefined;
}

function inflated(packed: Buffer): Buffer | undefined {
  try {
    return inflateRawSync(packed);
  } catch {
    return undefined;
  }
}

const ZIP_SAMPLES = CSV_SAMPLES.map((content) => zipOf({ name: `${STEM}.csv`, content }));
const BOMB = Buffer.alloc(3_000_000, '0');

/** Damaged zips, and sound ones with damaged content, lying sizes, several files or a bomb. */
function makeZip(samples: readonly Buffer[], random: Random): Buffer {
  if (random() < 0.6) return mutated(samples, random);
  const content = random() < 0.01 ? BOMB : mutated(CSV_SAMPLES, random);
  const name = pick(random, [`${STEM}.csv`, `${STEM}.csv`, `../${STEM}.csv`, '', 'x'.repeat(500)]);
  const lies =
    random() < 0.5 ? {} : { bytes: below(random, 2) * 0xffffffff, crc: below(random, 2) };
  const entry = { name, content, ...lies };
  return random() < 0.1 ? zipOf(entry, entry) : zipOf(entry);
}

const zip: Decoder = {
  name: 'zip of an archive file',
  samples: ZIP_SAMPLES,
  codes: ['ARCHIVE_BAD_FILE', 'ARCHIVE_BAD_ROW'],
  make: makeZip,
  async decode(bytes) {
    writeFileSync(zipFile, bytes);
    const trades: AggTrade[] = [];
    for await (const block of readRows(zipFile, new CsvRows(`${STEM}.csv`)))
      trades.push(...block.trades(0, block.rows));
    return trades;
  },
  check(bytes, value) {
    const content = onlyFileIn(bytes);
    assertSame(value, content === undefined ? undefined : rowsIn(content));
  },
};

const FOLDER = 'data/spot/daily/aggTrades/BTCUSDT/';
const RANGE = { startMs: Date.UTC(2024, 0, 2), endMs: Date.UTC(2024, 0, 20) };

function listingOf(days: number): Buffer {
  const keys = Array.from({ length: days }, (_, day) => ({
    key: `${FOLDER}BTCUSDT-aggTrades-2024-01-${String(day + 2).padStart(2, '0')}.zip`,
    bytes: 1_000 + day,
    etag: `"${'0123456789abcdef'.repeat(2)}"`,
  }));
  const sums = keys.map((each) => ({ ...each, key: `${each.key}.CHECKSUM` }));
  return Buffer.from(listingXml(new URLSearchParams({ prefix: FOLDER }), [...keys, ...sums]));
}

const listing: Decoder = {
  name: 'listing of archive files',
  samples: [listingOf(0), listingOf(3), listingOf(12)],
  codes: ['ARCHIVE_UNREACHABLE'],
  // The same page to every question: a host that ignores the marker.
  decode: async (bytes) =>
    listFolder(FOLDER, 'BTCUSDT-aggTrades-2024-01-02', RANGE, async () => bytes.toString('utf8')),
  check(_, files: ReadonlyMap<number, ListedFile>) {
    for (const [startMs, { name, bytes, etag }] of files) {
      const day = new Date(startMs).toISOString().slice(0, 10);
      assert(name === `BTCUSDT-aggTrades-${day}.zip`, `${name} of ${day}`);
      assert(startMs >= RANGE.startMs && startMs < RANGE.endMs, `${day} was not asked for`);
      assert(Number.isSafeInteger(bytes) && bytes >= 0, `${name} has ${bytes} bytes`);
      assert(etag?.includes('"') === false, `${name} has the ETag ${etag}`);
    }
  },
};

const SHA256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

const checksum: Decoder = {
  name: '.CHECKSUM',
  samples: [`${SHA256}  ${STEM}.zip\n`, `${SHA256.toUpperCase()} *${STEM}.zip`].map((text) =>
    Buffer.from(text),
  ),
  codes: [],
  decode: (bytes) => isChecksumOf(bytes.toString('utf8'), `${STEM}.zip`, SHA256),
  check(bytes, isRight) {
    const [hex, name = '', ...more] = bytes.toString('utf8').trimEnd().split(/\s+/);
    const names = [`${STEM}.zip`, `*${STEM}.zip`];
    const isSame = hex?.toLowerCase() === SHA256 && names.includes(name) && more.length === 0;
    assert(isRight === false || isSame, 'it is no checksum of the file');
  },
};

export const archiveDecoders: readonly Decoder[] = [csv, zip, listing, checksum];
