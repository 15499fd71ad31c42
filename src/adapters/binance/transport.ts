import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { CdvaultError } from '../../domain/errors.ts';
import { outboundAgent, type Proxies } from '../system/proxies.ts';

export interface Timeouts {
  readonly connectMs: number;
  /** Until the reply's headers. */
  readonly headersMs: number;
  /** Between two pieces of the body. */
  readonly bodyIdleMs: number;
  /** For the whole request. */
  readonly totalMs: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 5_000,
  // The exchange itself gives up after 10 s and reports that (-1007); waiting for that answer is better.
  headersMs: 15_000,
  bodyIdleMs: 10_000,
  totalMs: 30_000,
};

/** A page has 110 KB of JSON; the exchange's largest public reply, all symbols, about 20 MB. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

export interface Reply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

const decompress = promisify(gunzip);

/** GET requests to one host over kept-alive connections; all failures are CdvaultErrors. */
export class Transport {
  readonly #agent: Dispatcher;
  readonly #origin: string;
  readonly #basePath: string;
  readonly #timeouts: Timeouts;

  /** @throws CdvaultError SERVICES_CONFIG when `baseUrl` is not http(s) */
  constructor(baseUrl: string, timeouts: Timeouts, proxies: Proxies) {
    const url = checkedUrl(baseUrl);
    this.#basePath = url.pathname.replace(/\/$/, '');
    this.#origin = url.origin;
    this.#timeouts = timeouts;
    // As many connections as simultaneous requests: a request that waited here for a free connection would be
    // sent later than the moment for which its weight was granted.
    this.#agent = outboundAgent(proxies, {
      connectTimeout: timeouts.connectMs,
      keepAliveTimeout: 10_000,
      maxResponseSize: MAX_BODY_BYTES,
      allowH2: false,
    });
  }

  /**
   * @param path with its query
   * @throws CdvaultError EXCHANGE_UNREACHABLE for every failure before the reply is complete, or the signal's
   *   reason when the caller aborts
   */
  async get(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Reply> {
    signal.throwIfAborted();
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const deadline = setTimeout(() => {
      stop.abort(
        new CdvaultError(
          'EXCHANGE_UNREACHABLE',
          `GET ${path}: no complete answer in ${this.#timeouts.totalMs} ms`,
        ),
      );
    }, this.#timeouts.totalMs);
    try {
      return await this.#exchange(path, headers, stop.signal);
    } catch (error) {
      stop.signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      throw new CdvaultError('EXCHANGE_UNREACHABLE', `GET ${path}: ${message}`, { cause: error });
    } finally {
      clearTimeout(deadline);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #exchange(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Reply> {
    const response = await this.#agent.request({
      origin: this.#origin,
      method: 'GET',
      path: this.#basePath + path,
      headers: {
        accept: 'application/json',
        'accept-encoding': 'gzip',
        'user-agent': 'cdvault',
        ...headers,
      },
      headersTimeout: this.#timeouts.headersMs,
      bodyTimeout: this.#timeouts.bodyIdleMs,
      signal,
    });
    const raw = Buffer.from(await response.body.arrayBuffer());
    const replyHeaders = flatten(response.headers);
    const isGzip = replyHeaders.get('content-encoding') === 'gzip';
    const body = isGzip ? await decompress(raw, { maxOutputLength: MAX_BODY_BYTES }) : raw;
    return { status: response.statusCode, headers: replyHeaders, body };
  }
}

function checkedUrl(baseUrl: string): URL {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new CdvaultError(
    'SERVICES_CONFIG',
    `${JSON.stringify(baseUrl)} is not an http:// or https:// URL`,
  );
}

function flatten(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): ReadonlyMap<string, string> {
  const flat = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) flat.set(name.toLowerCase(), first);
  }
  return flat;
}
