import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Agent, type Dispatcher, RetryAgent } from 'undici';
import { CdvaultError } from '../../domain/errors.ts';
import { isoDay } from '../../domain/hour.ts';
import type { Series } from '../../domain/market.ts';
import type { ArchiveDay, ArchiveSource } from '../../ports/archive-source.ts';
import { isChecksumOf } from './checksum.ts';
import { CsvRows } from './csv-rows.ts';
import { readRows } from './read-rows.ts';

/** Between two pieces of a body; a day is some 12 MB. */
const IDLE_MS = 15_000;
const RETRY = { maxRetries: 5, minTimeout: 500, maxTimeout: 20_000 };

/** A file and its checksum are replaced one after the other: both are asked for again before judging. */
const TRIES = 2;

export function createArchiveSource(baseUrl: string): ArchiveSource & { close(): Promise<void> } {
  const agent = new RetryAgent(new Agent({ headersTimeout: IDLE_MS, bodyTimeout: IDLE_MS }), RETRY);
  const base = baseUrl.replace(/\/$/, '');
  return {
    async withDay(series, dayMs, signal, use) {
      const folder = await mkdtemp(path.join(tmpdir(), 'cdvault-archive-'));
      try {
        const day = await download(agent, base, series, dayMs, folder, signal);
        return day === undefined ? undefined : await use(day);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    close: () => agent.close(),
  };
}

async function download(
  agent: RetryAgent,
  base: string,
  series: Series,
  dayMs: number,
  folder: string,
  signal: AbortSignal,
): Promise<ArchiveDay | undefined> {
  const name = `${series.symbol}-aggTrades-${isoDay(dayMs)}.zip`;
  const url = `${base}/data/spot/daily/aggTrades/${encodeURIComponent(series.symbol)}/${encodeURIComponent(name)}`;
  const file = path.join(folder, name);
  for (let attempt = 1; ; attempt += 1) {
    const saved = await save(agent, url, file, signal);
    if (saved === undefined) return undefined;
    const checksum = await textOf(agent, `${url}.CHECKSUM`, signal);
    if (checksum !== undefined && isChecksumOf(checksum, name, saved.sha256))
      return { ...saved, rows: () => readRows(file, new CsvRows(name)) };
    if (attempt === TRIES)
      throw new CdvaultError(
        'ARCHIVE_BAD_FILE',
        `${url}: its SHA-256 is ${saved.sha256}, its .CHECKSUM ${checksum === undefined ? 'is absent' : `says ${JSON.stringify(checksum.slice(0, 120))}`}`,
      );
  }
}

/** Interrupted downloads go on where they stopped, as long as the file is still the same (ETag). */
async function save(
  agent: RetryAgent,
  url: string,
  file: string,
  signal: AbortSignal,
): Promise<{ sha256: string; bytes: number } | undefined> {
  const response = await get(agent, url, signal);
  if (response === undefined) return undefined;
  const hash = createHash('sha256');
  let bytes = 0;
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  try {
    await pipeline(response.body, tap, createWriteStream(file), { signal });
  } catch (error) {
    throw unreachable(url, error, signal);
  }
  return { sha256: hash.digest('hex'), bytes };
}

async function textOf(
  agent: RetryAgent,
  url: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const response = await get(agent, url, signal);
  if (response === undefined) return undefined;
  try {
    return await response.body.text();
  } catch (error) {
    throw unreachable(url, error, signal);
  }
}

/** @returns undefined when there is no such file */
async function get(
  agent: RetryAgent,
  url: string,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData | undefined> {
  const { origin, pathname } = new URL(url);
  let response: Dispatcher.ResponseData;
  try {
    response = await agent.request({ origin, path: pathname, method: 'GET', signal });
  } catch (error) {
    throw unreachable(url, error, signal);
  }
  if (response.statusCode === 200) return response;
  await response.body.dump();
  // Where the listing is denied a missing key is 403.
  if (response.statusCode === 404 || response.statusCode === 403) return undefined;
  throw new CdvaultError('EXCHANGE_UNAVAILABLE', `GET ${url}: HTTP ${response.statusCode}`);
}

function unreachable(url: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const message = error instanceof Error ? error.message : String(error);
  return new CdvaultError('EXCHANGE_UNREACHABLE', `GET ${url}: ${message}`, { cause: error });
}
