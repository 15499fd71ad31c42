import { createHash } from 'node:crypto';
import { type Dispatcher, RetryAgent } from 'undici';
import { CdvaultError } from '../../domain/errors.ts';
import { MINUTE_MS } from '../../domain/time/hour.ts';
import { outboundAgent, type Proxies } from '../system/proxies.ts';
import { limitedText } from '../system/limited-text.ts';
import { DownloadFile } from './downloads.ts';

/** Longest wait for headers, and between two pieces of a body; a day's file has about 12 MB. */
const IDLE_MS = 15_000;
/** 7.5 s in total: after that the queue retries the job. */
const RETRY = { maxRetries: 4, minTimeout: 500, maxTimeout: 20_000 };

/** For a whole answer, however slowly it comes: a monthly file of 1 GB, or the text of a listing or checksum. */
const FILE_MS = 60 * MINUTE_MS;
const TEXT_MS = MINUTE_MS;
/** The largest monthly file has about 1 GB, a full page of a listing 0.4 MB. */
const MOST_FILE_BYTES = 8 * 2 ** 30;
const MOST_TEXT_BYTES = 4 * 2 ** 20;

/** The file host serves no listings: they are requested from the S3 bucket that it serves. */
const FILES_HOST = 'data.binance.vision';
const LISTING_URL = 'https://s3-ap-northeast-1.amazonaws.com/data.binance.vision';

/** A file as the host describes it. */
export interface FileHead {
  readonly etag: string | undefined;
  readonly bytes: number;
}

export interface Download extends FileHead {
  readonly sha256: string;
}

/** The exchange's bucket over HTTP: downloads files by key and lists keys. */
export class ArchiveHost {
  readonly #agent: RetryAgent;
  readonly #base: string;
  readonly #listing: string;

  constructor(baseUrl: string, proxies: Proxies) {
    this.#agent = new RetryAgent(outboundAgent(proxies, {}), RETRY);
    this.#base = baseUrl.replace(/\/$/, '');
    this.#listing = new URL(baseUrl).hostname === FILES_HOST ? LISTING_URL : this.#base;
  }

  urlOf(key: string): string {
    return `${this.#base}/${key.split('/').map(encodeURIComponent).join('/')}`;
  }

  /**
   * Interrupted downloads resume where they stopped, as long as the file's ETag is the same.
   * @returns undefined when there is no such file
   * @throws CdvaultError ARCHIVE_UNREACHABLE; FOLDER_UNUSABLE when the disk has too little room or fails
   */
  async download(key: string, file: string, signal: AbortSignal): Promise<Download | undefined> {
    const url = this.urlOf(key);
    const response = await this.#ask('GET', url, signal, FILE_MS);
    if (response === undefined) return undefined;
    const hash = createHash('sha256');
    let bytes = 0;
    const expected = Number(response.headers['content-length'] ?? 0);
    const saved = await DownloadFile.create(file, expected).catch(async (error: unknown) => {
      await response.body.dump({ limit: 0 });
      throw error;
    });
    try {
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        hash.update(chunk);
        bytes += chunk.length;
        if (bytes > MOST_FILE_BYTES) throw new Error(`it has more than ${MOST_FILE_BYTES} bytes`);
        await saved.add(chunk);
      }
    } catch (error) {
      throw unreachable('GET', url, error, signal);
    } finally {
      await saved.close();
    }
    return { sha256: hash.digest('hex'), bytes, etag: etagOf(response) };
  }

  /** @returns undefined when there is no such file */
  async text(key: string, signal: AbortSignal): Promise<string | undefined> {
    return this.#text(this.urlOf(key), signal);
  }

  /** @returns undefined when there is no such file */
  async head(key: string, signal: AbortSignal): Promise<FileHead | undefined> {
    const response = await this.#ask('HEAD', this.urlOf(key), signal, TEXT_MS);
    if (response === undefined) return undefined;
    await response.body.dump();
    return { etag: etagOf(response), bytes: Number(response.headers['content-length'] ?? 0) };
  }

  /**
   * One page of keys in ascending order, as XML.
   * @param marker the page starts after this key
   * @returns undefined when the listing is denied
   */
  async listPage(prefix: string, marker: string, signal: AbortSignal): Promise<string | undefined> {
    const query = new URLSearchParams({ prefix, marker, 'max-keys': '1000' });
    return this.#text(`${this.#listing}?${query.toString()}`, signal);
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  async #text(url: string, signal: AbortSignal): Promise<string | undefined> {
    const response = await this.#ask('GET', url, signal, TEXT_MS);
    if (response === undefined) return undefined;
    try {
      return await limitedText(response.body, MOST_TEXT_BYTES);
    } catch (error) {
      throw unreachable('GET', url, error, signal);
    }
  }

  async #ask(
    method: 'GET' | 'HEAD',
    url: string,
    signal: AbortSignal,
    deadlineMs: number,
  ): Promise<Dispatcher.ResponseData | undefined> {
    const { origin, pathname, search } = new URL(url);
    let response: Dispatcher.ResponseData;
    try {
      response = await this.#agent.request({
        origin,
        path: pathname + search,
        method,
        headersTimeout: IDLE_MS,
        bodyTimeout: IDLE_MS,
        signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
      });
    } catch (error) {
      throw unreachable(method, url, error, signal);
    }
    if (response.statusCode === 200) return response;
    await response.body.dump();
    // If the bucket denies listings, a missing key is 403.
    if (response.statusCode === 404 || response.statusCode === 403) return undefined;
    throw new CdvaultError('ARCHIVE_UNREACHABLE', `${method} ${url}: HTTP ${response.statusCode}`);
  }
}

/** Headers have the ETag in quotes, listings with or without. */
function etagOf({ headers }: Dispatcher.ResponseData): string | undefined {
  const { etag } = headers;
  return typeof etag === 'string' ? bareEtag(etag) : undefined;
}

export function bareEtag(etag: string): string {
  return etag.replaceAll('"', '');
}

function unreachable(method: string, url: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof CdvaultError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CdvaultError('ARCHIVE_UNREACHABLE', `${method} ${url}: ${message}`, { cause: error });
}
