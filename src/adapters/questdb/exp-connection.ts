import pLimit from 'p-limit';
import { Agent, type Dispatcher } from 'undici';
import { CdvaultError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { limitedText } from '../system/limited-text.ts';
import { basicAuth } from './basic-auth.ts';

/** On a machine with two cores the server makes two answers at a time and refuses a third. */
const ANSWERS_AT_ONCE = 2;
const TOO_MANY = 429;
/** Another process may have both places; an answer takes a second. */
const ASK_AGAIN_MS = 100;
const PLACE_DEADLINE_MS = 120_000;

/** A sort of a million rows takes the server a second before the first byte. */
const SILENCE_DEADLINE_MS = 60_000;

/** An error is a sentence; a web page of something else may be longer. */
const MOST_ERROR_BYTES = 1024 * 1024;

/** Reads whole answers from QuestDB's `/exp` while they are made. */
export class ExpConnection {
  readonly #agent = new Agent({
    connect: { timeout: SILENCE_DEADLINE_MS },
    headersTimeout: SILENCE_DEADLINE_MS,
    bodyTimeout: SILENCE_DEADLINE_MS,
  });
  readonly #limit = pLimit(ANSWERS_AT_ONCE);
  readonly #origin: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #clock: Clock;

  /** @param url http://user:password@host:port */
  constructor(url: string, clock: Clock) {
    this.#origin = new URL(url).origin;
    this.#clock = clock;
    this.#headers = basicAuth(url);
  }

  /**
   * The answer's bytes as they arrive; waits for a place first.
   * @param options parameters of /exp besides the query
   * @throws CdvaultError STORE_UNREACHABLE, STORE_REFUSED, or the signal's reason
   */
  async *read(
    query: string,
    options: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const release = await this.#place();
    try {
      const body = await this.#answer(query, options, signal);
      try {
        for await (const piece of body) yield piece as Uint8Array;
      } catch (error) {
        throw unreachable(error, signal);
      } finally {
        body.destroy();
      }
    } finally {
      release();
    }
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  /** @returns what gives the place back */
  async #place(): Promise<() => void> {
    return new Promise((resolve) => {
      void this.#limit(async () => {
        const { promise, resolve: release } = Promise.withResolvers<void>();
        resolve(release);
        await promise;
      });
    });
  }

  async #answer(
    query: string,
    options: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData['body']> {
    const path = `/exp?${new URLSearchParams({ query, ...options }).toString()}`;
    const giveUpMs = this.#clock.nowMs() + PLACE_DEADLINE_MS;
    for (;;) {
      const { statusCode, body } = await this.#agent
        .request({ origin: this.#origin, path, method: 'GET', headers: this.#headers, signal })
        .catch((error: unknown) => {
          throw unreachable(error, signal);
        });
      if (statusCode === 200) return body;
      const text = await limitedText(body, MOST_ERROR_BYTES).catch((error: unknown) => {
        throw unreachable(error, signal);
      });
      const mayPass = statusCode === TOO_MANY && this.#clock.nowMs() < giveUpMs;
      if (!mayPass)
        throw new CdvaultError(
          statusCode === TOO_MANY || statusCode >= 500 ? 'STORE_UNREACHABLE' : 'STORE_REFUSED',
          `QuestDB answered HTTP ${statusCode} to an export: ${text.slice(0, 400)}`,
        );
      await this.#clock.sleep(ASK_AGAIN_MS, signal);
    }
  }
}

function unreachable(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof CdvaultError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CdvaultError('STORE_UNREACHABLE', `reading from QuestDB: ${message}`, {
    cause: error,
  });
}
