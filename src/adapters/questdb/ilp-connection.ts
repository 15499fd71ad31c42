import { Readable } from 'node:stream';
import { Agent } from 'undici';
import { CdvaultError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { basicAuth } from './basic-auth.ts';
import { writePatiently } from './patient-write.ts';

/**
 * A batch of 10,000 rows takes about 50 ms; a server that needs this long for a batch, for the next piece of
 * a stream, or for the answer to it counts as unreachable.
 */
const WRITE_DEADLINE_MS = 30_000;

/** Success has no content, and an error is a sentence. */
const MOST_ANSWER_BYTES = 1024 * 1024;

/** The status of success. A request is one transaction: all of its rows are stored, or none. */
const NO_CONTENT = 204;

interface Request {
  readonly body: Buffer | Readable;
  readonly rows: () => number;
  /** Aborts a request that takes too long. */
  readonly patience: AbortSignal;
}

/** Writes rows by QuestDB's line protocol (ILP) over HTTP. */
export class IlpConnection {
  readonly #agent: Agent;
  readonly #origin: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #clock: Clock;
  readonly #log: Log;

  /** @param url http://user:password@host:port */
  constructor(url: string, clock: Clock, log: Log) {
    this.#origin = new URL(url).origin;
    this.#clock = clock;
    this.#log = log;
    this.#agent = new Agent({
      connect: { timeout: WRITE_DEADLINE_MS },
      bodyTimeout: WRITE_DEADLINE_MS,
      maxResponseSize: MOST_ANSWER_BYTES,
    });
    this.#headers = {
      'content-type': 'text/plain; charset=utf-8',
      ...basicAuth(url),
    };
  }

  /**
   * Writes in one request and one transaction; repeats it when that may help.
   * @throws CdvaultError STORE_UNREACHABLE, STORE_REFUSED, or the signal's reason
   */
  async write(body: Buffer, rows: number, signal: AbortSignal): Promise<void> {
    const deps = { clock: this.#clock, log: this.#log };
    await writePatiently(
      deps,
      () => rows,
      signal,
      () => {
        const patience = AbortSignal.timeout(WRITE_DEADLINE_MS);
        return this.#post({ body, rows: () => rows, patience }, signal);
      },
    );
  }

  /**
   * Writes the rows of a stream in one request and one transaction, once. The server takes the pieces as
   * fast as it can.
   * @param rows number of rows so far, for errors
   * @throws CdvaultError STORE_UNREACHABLE, STORE_REFUSED, or the signal's reason: nothing is stored
   */
  async stream(
    pieces: AsyncIterable<Buffer>,
    rows: () => number,
    signal: AbortSignal,
  ): Promise<void> {
    const stalled = new AbortController();
    const error = new Error(`no progress for ${WRITE_DEADLINE_MS / 1000} s`);
    let timer = setTimeout(() => undefined, 0);
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => stalled.abort(error), WRITE_DEADLINE_MS);
    };
    let failure: { readonly error: unknown } | undefined;
    async function* body() {
      try {
        for await (const piece of pieces) {
          wait();
          yield piece;
          clearTimeout(timer);
        }
        wait();
      } catch (error) {
        failure = { error };
        throw error;
      }
    }
    try {
      const request = { body: Readable.from(body()), rows, patience: stalled.signal };
      await this.#post(request, signal);
    } catch (error) {
      // What the pieces failed with is no failure of the server.
      throw failure === undefined ? error : failure.error;
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  async #post(request: Request, signal: AbortSignal): Promise<void> {
    const { statusCode, text } = await this.#answer(request, signal);
    if (statusCode === NO_CONTENT) return;
    // A suspended table accepts rows as well: waitApplied reports that.
    throw new CdvaultError(
      statusCode >= 400 && statusCode < 500 ? 'STORE_REFUSED' : 'STORE_UNREACHABLE',
      `QuestDB answered HTTP ${statusCode} to ${request.rows()} rows: ${text.slice(0, 400)}`,
    );
  }

  async #answer(
    { body, rows, patience }: Request,
    signal: AbortSignal,
  ): Promise<{ statusCode: number; text: string }> {
    try {
      const { statusCode, body: answer } = await this.#agent.request({
        origin: this.#origin,
        path: '/write',
        method: 'POST',
        headers: this.#headers,
        body,
        // `patience` has the deadline: a stream may pause on this side.
        headersTimeout: 0,
        signal: AbortSignal.any([signal, patience]),
      });
      return { statusCode, text: await answer.text() };
    } catch (error) {
      signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      throw new CdvaultError('STORE_UNREACHABLE', `writing ${rows()} rows to QuestDB: ${message}`, {
        cause: error,
      });
    }
  }
}
