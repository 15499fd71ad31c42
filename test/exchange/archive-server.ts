import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { archiveFile, type ArchiveFault, type ArchiveFile } from './archive-files.ts';
import type { TradeSeries } from './trade-series.ts';

export interface ArchiveServer {
  readonly url: string;
  /** `GET /path`, with ` bytes=…` where a part was asked for. */
  readonly requests: readonly string[];
  /** @param day `2024-01-01`; undefined ends the fault */
  setFault(symbol: string, day: string, fault: ArchiveFault | undefined): void;
  close(): Promise<void>;
}

const DAILY =
  /^\/data\/spot\/daily\/aggTrades\/([^/]+)\/\1-aggTrades-(\d{4}-\d\d-\d\d)\.zip(\.CHECKSUM)?$/;

/** The exchange's archive host: daily spot files with checksum, ETag and ranges. */
export async function startArchiveServer(
  symbols: readonly { readonly symbol: string; readonly trades: TradeSeries }[],
): Promise<ArchiveServer> {
  const series = new Map(symbols.map(({ symbol, trades }) => [symbol, trades]));
  const faults = new Map<string, ArchiveFault>();
  const files = new Map<string, ArchiveFile>();
  const requests: string[] = [];

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const { pathname } = new URL(request.url ?? '/', 'http://archive');
    const { range } = request.headers;
    requests.push(`${request.method} ${pathname}${range === undefined ? '' : ` ${range}`}`);
    const [, symbol = '', day = '', checksum] = DAILY.exec(pathname) ?? [];
    const trades = series.get(symbol);
    const key = `${symbol} ${day}`;
    const fault = faults.get(key);
    const isPast = Date.parse(`${day}T00:00:00Z`) + 86_400_000 <= Date.now();
    if (trades === undefined || !isPast || fault === 'absent') {
      response.writeHead(404, { 'content-type': 'application/xml' });
      response.end('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code></Error>');
      return;
    }
    const file = files.get(`${key} ${fault}`) ?? archiveFile(symbol, day, trades, fault);
    files.set(`${key} ${fault}`, file);
    if (checksum !== undefined) response.end(file.checksum);
    else
      sendPart(
        request,
        response,
        file,
        fault === 'cutDownload' ? () => faults.delete(key) : undefined,
      );
  };

  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    setFault: (symbol, day, fault) => {
      if (fault === undefined) faults.delete(`${symbol} ${day}`);
      else faults.set(`${symbol} ${day}`, fault);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** @param onCut when given, the connection ends after half of the bytes */
function sendPart(
  request: IncomingMessage,
  response: ServerResponse,
  { zip, etag }: ArchiveFile,
  onCut: (() => void) | undefined,
): void {
  const [, from] = /^bytes=(\d+)-\d*$/.exec(request.headers.range ?? '') ?? [];
  const isSame = request.headers['if-match'] === undefined || request.headers['if-match'] === etag;
  const start = from !== undefined && isSame ? Number(from) : 0;
  const part = zip.subarray(start);
  response.writeHead(start > 0 ? 206 : 200, {
    'content-type': 'application/zip',
    'content-length': String(part.length),
    'accept-ranges': 'bytes',
    etag,
    ...(start > 0 ? { 'content-range': `bytes ${start}-${zip.length - 1}/${zip.length}` } : {}),
  });
  if (onCut === undefined || request.method === 'HEAD') {
    response.end(request.method === 'HEAD' ? undefined : part);
    return;
  }
  onCut();
  response.write(part.subarray(0, Math.floor(part.length / 2)), () => response.destroy());
}
