import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ARCHIVE_FOLDERS,
  archiveFile,
  type ArchiveFault,
  type ArchiveFile,
  type ArchiveMarket,
  type FilePlan,
} from './archive-files.ts';
import { errorXml, type ListedKey, listingXml } from './archive-listing.ts';
import type { TradeSeries } from './trade-series.ts';

export interface ArchivedSymbol {
  readonly symbol: string;
  readonly trades: TradeSeries;
  /** Default: spot. */
  readonly market?: ArchiveMarket;
}

export interface ArchiveServer {
  readonly url: string;
  /** `GET /path`, with ` bytes=…` where a part was asked for; listings as `LIST prefix`. */
  readonly requests: readonly string[];
  /** @param date `2024-01-01` or `2024-01`; undefined ends the fault */
  setFault(symbol: string, date: string, fault: ArchiveFault | undefined): void;
  /** A new version of the file: the same rows (except for the fault) with another ETag and checksum. */
  replace(symbol: string, date: string, fault?: ArchiveFault): void;
  /** Whether the bucket allows listings. */
  setListing(isAllowed: boolean): void;
  /** Each answer waits this long. */
  setLatency(latencyMs: number): void;
  /** The most requests that waited for an answer at a time. */
  readonly mostAtOnce: () => number;
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;
const KEY =
  /^(data\/spot|data\/futures\/um|data\/futures\/cm)\/(daily|monthly)\/aggTrades\/([^/]+)\/(\3-aggTrades-(\d{4}-\d\d(?:-\d\d)?))\.zip(\.CHECKSUM)?$/;
/** Approximate size of a zipped row, for listings. */
const BYTES_PER_ROW = 14;

/** The exchange's archive host: daily and monthly files with checksum, ETag, ranges and listings. */
export async function startArchiveServer(
  symbols: readonly ArchivedSymbol[],
): Promise<ArchiveServer> {
  const bucket = new Bucket(symbols);
  const latency = new Latency();
  const server = createServer((request, response) => {
    void latency.pass().then(() => bucket.handle(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: bucket.requests,
    setFault: (symbol, date, fault) => bucket.setFault(symbol, date, fault),
    replace: (symbol, date, fault) => bucket.replace(symbol, date, fault),
    setListing: (isAllowed) => void (bucket.isListed = isAllowed),
    setLatency: (latencyMs) => void (latency.ms = latencyMs),
    mostAtOnce: () => latency.most,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

class Latency {
  ms = 0;
  most = 0;
  #waiting = 0;

  async pass(): Promise<void> {
    this.#waiting += 1;
    this.most = Math.max(this.most, this.#waiting);
    if (this.ms > 0) await delay(this.ms, undefined, { ref: false });
    this.#waiting -= 1;
  }
}

class Bucket {
  readonly requests: string[] = [];
  isListed = true;
  readonly #symbols: readonly ArchivedSymbol[];
  readonly #faults = new Map<string, ArchiveFault>();
  readonly #versions = new Map<string, number>();
  readonly #files = new Map<string, ArchiveFile>();
  /** Keys by prefix, kept until a file changes: a listing of three years takes several requests. */
  readonly #listings = new Map<string, readonly ListedKey[]>();

  constructor(symbols: readonly ArchivedSymbol[]) {
    this.#symbols = symbols;
  }

  setFault(symbol: string, date: string, fault: ArchiveFault | undefined): void {
    this.#listings.clear();
    if (fault === undefined) this.#faults.delete(`${symbol} ${date}`);
    else this.#faults.set(`${symbol} ${date}`, fault);
  }

  replace(symbol: string, date: string, fault: ArchiveFault | undefined): void {
    this.#versions.set(`${symbol} ${date}`, (this.#versions.get(`${symbol} ${date}`) ?? 0) + 1);
    this.setFault(symbol, date, fault);
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://archive');
    if (searchParams.has('prefix')) {
      this.requests.push(`LIST ${searchParams.get('prefix')}`);
      if (this.isListed)
        send(response, 200, listingXml(searchParams, this.#keys(searchParams.get('prefix') ?? '')));
      else send(response, 403, errorXml('AccessDenied'));
      return;
    }
    const { range } = request.headers;
    this.requests.push(`${request.method} ${pathname}${range === undefined ? '' : ` ${range}`}`);
    const plan = this.#planOf(decodeURIComponent(pathname.slice(1)));
    if (plan === undefined || plan.fault === 'absent') {
      send(response, 404, errorXml('NoSuchKey'));
      return;
    }
    if (plan.fault === 'denied') {
      send(response, 403, errorXml('AccessDenied'));
      return;
    }
    if (plan.fault === 'serverError') {
      send(response, 500, errorXml('InternalError'));
      return;
    }
    this.#serve(request, response, plan, pathname.endsWith('.CHECKSUM'));
  }

  #serve(
    request: IncomingMessage,
    response: ServerResponse,
    plan: FilePlan & { readonly id: string },
    isChecksum: boolean,
  ): void {
    const file = this.#file(plan);
    if (isChecksum) {
      if (plan.fault === 'noChecksum') send(response, 404, errorXml('NoSuchKey'));
      else response.end(file.checksum);
      return;
    }
    const once = plan.fault === 'cutDownload' || plan.fault === 'replacedMeanwhile';
    if (once) this.#listings.clear();
    if (once && request.method === 'GET') this.#faults.delete(plan.id);
    if (plan.fault === 'replacedMeanwhile')
      this.#versions.set(plan.id, (this.#versions.get(plan.id) ?? 0) + 1);
    const { zip } = file;
    sendPart(request, response, { zip, etag: etagOf(plan), isCut: plan.fault === 'cutDownload' });
  }

  #file(plan: FilePlan): ArchiveFile {
    const key = `${plan.market} ${plan.stem} ${plan.version} ${plan.fault}`;
    const file = this.#files.get(key) ?? archiveFile(plan);
    this.#files.set(key, file);
    return file;
  }

  #planOf(key: string): (FilePlan & { readonly id: string }) | undefined {
    const [, folder, period, symbol = '', stem = '', date = ''] = KEY.exec(key) ?? [];
    const found = this.#symbols.find(
      (one) => one.symbol === symbol && ARCHIVE_FOLDERS[one.market ?? 'spot'] === folder,
    );
    const isMonth = date.length === 7;
    if (found === undefined || isMonth !== (period === 'monthly')) return undefined;
    const startMs = Date.parse(`${isMonth ? `${date}-01` : date}T00:00:00Z`);
    const endMs = isMonth ? nextMonth(startMs) : startMs + DAY_MS;
    const { trades, market = 'spot' } = found;
    if (Number.isNaN(startMs) || endMs > Date.now() || !touches(trades, startMs, endMs))
      return undefined;
    const id = `${symbol} ${date}`;
    const version = this.#versions.get(id) ?? 0;
    return { id, market, stem, startMs, endMs, trades, fault: this.#faults.get(id), version };
  }

  #keys(prefix: string): readonly ListedKey[] {
    const known = this.#listings.get(prefix) ?? this.#allKeys(prefix);
    this.#listings.set(prefix, known);
    return known;
  }

  #allKeys(prefix: string): ListedKey[] {
    return this.#symbols.flatMap(({ symbol, trades, market = 'spot' }) => {
      const folder = ARCHIVE_FOLDERS[market];
      return (['daily', 'monthly'] as const).flatMap((period) => {
        const path = `${folder}/${period}/aggTrades/${symbol}/`;
        if (!path.startsWith(prefix) || trades.count === 0) return [];
        return datesOf(trades, period).flatMap((date) =>
          this.#listed(`${path}${symbol}-aggTrades-${date}.zip`),
        );
      });
    });
  }

  #listed(key: string): ListedKey[] {
    const plan = this.#planOf(key);
    if (plan === undefined || plan.fault === 'absent' || plan.fault === 'denied') return [];
    const { trades, startMs, endMs } = plan;
    const rows = trades.indexAtTime(endMs * 1000) - trades.indexAtTime(startMs * 1000);
    return [
      { key, bytes: rows * BYTES_PER_ROW + 150, etag: etagOf(plan) },
      { key: `${key}.CHECKSUM`, bytes: 98, etag: `"${'0'.repeat(32)}"` },
    ];
  }
}

/** A symbol has files from the day of its first trade to that of its last. */
function touches(trades: TradeSeries, startMs: number, endMs: number): boolean {
  if (trades.count === 0) return false;
  const [firstMs, lastMs] = [0, trades.count - 1].map((index) => trades.at(index).timeUs / 1000);
  return (firstMs ?? 0) < endMs && (lastMs ?? 0) >= startMs;
}

/** Made of the version, not of the bytes, so that a listing need not build every file. */
function etagOf({ market, stem, version, fault }: FilePlan): string {
  const isOnce = fault === 'cutDownload' || fault === 'replacedMeanwhile';
  const named = `${market} ${stem} ${version} ${isOnce ? undefined : fault}`;
  return `"${createHash('md5').update(named).digest('hex')}"`;
}

function datesOf(trades: TradeSeries, period: 'daily' | 'monthly'): string[] {
  const firstMs = Math.floor(trades.at(0).timeUs / 1000 / DAY_MS) * DAY_MS;
  const lastMs = trades.at(trades.count - 1).timeUs / 1000;
  const dates = new Set<string>();
  for (let dayMs = firstMs; dayMs <= lastMs; dayMs += DAY_MS)
    dates.add(new Date(dayMs).toISOString().slice(0, period === 'daily' ? 10 : 7));
  return [...dates];
}

function nextMonth(startMs: number): number {
  const at = new Date(startMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1);
}

function send(response: ServerResponse, status: number, xml: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(xml);
}

interface Download {
  readonly zip: Buffer;
  readonly etag: string;
  /** The connection ends after half of the bytes. */
  readonly isCut: boolean;
}

function sendPart(
  request: IncomingMessage,
  response: ServerResponse,
  { zip, etag, isCut }: Download,
): void {
  const match = request.headers['if-match'];
  if (match !== undefined && match !== etag) {
    send(response, 412, errorXml('AccessDenied'));
    return;
  }
  const [, from] = /^bytes=(\d+)-\d*$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(from ?? 0);
  const part = zip.subarray(start);
  response.writeHead(start > 0 ? 206 : 200, {
    'content-type': 'application/zip',
    'content-length': String(part.length),
    'accept-ranges': 'bytes',
    'last-modified': 'Thu, 02 Jan 2025 01:07:00 GMT',
    etag,
    ...(start > 0 ? { 'content-range': `bytes ${start}-${zip.length - 1}/${zip.length}` } : {}),
  });
  if (request.method === 'HEAD') response.end();
  else if (isCut)
    response.write(part.subarray(0, Math.floor(part.length / 2)), () => response.destroy());
  else response.end(part);
}
