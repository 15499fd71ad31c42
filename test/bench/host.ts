/**
 * The simulated exchange and its archive host in one process: `node test/bench/host.ts FOLDER`. FOLDER is
 * the result of prepareDayFiles(). Files are streamed from the disk unchanged.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { bracketedTrades } from '../exchange/bracketed-trades.ts';
import { startExchange } from '../exchange/exchange.ts';
import { loadTradesFile } from '../exchange/trades-file.ts';
import { dayFile, FIRST_DAY_MS, SYMBOL, tenDays } from './day-files.ts';

const folder = path.resolve(process.argv[2] ?? '.');

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://archive');
  const file = path.join(folder, path.normalize(decodeURIComponent(pathname)));
  if (!existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404).end();
    return;
  }
  const { size, mtimeMs } = statSync(file);
  const etag = `"${createHash('md5').update(`${file} ${size} ${mtimeMs}`).digest('hex')}"`;
  response.writeHead(200, { 'content-length': String(size), etag });
  if (request.method === 'HEAD') response.end();
  else if (file.endsWith('.CHECKSUM')) response.end(readFileSync(file));
  else await pipeline(createReadStream(file), response);
}

const firstDay = await loadTradesFile(dayFile(folder, 0));
const trades = bracketedTrades(tenDays(firstDay), FIRST_DAY_MS * 1000);
const exchange = await startExchange({
  symbols: [{ symbol: SYMBOL, trades }],
  enforceWeight: false,
});
const archive = createServer((request, response) => {
  // A client that disconnects in the middle of a file must not end the host.
  serve(request, response).catch(() => response.destroy());
});
await new Promise<void>((resolve) => archive.listen(0, '127.0.0.1', resolve));
const { port } = archive.address() as AddressInfo;
console.log(JSON.stringify({ exchange: exchange.url, archive: `http://127.0.0.1:${port}` }));
