import { backoffMs } from '../../domain/plan/backoff.ts';
import type { BackoffPolicy } from '../../domain/plan/backoff.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/error-catalogue.ts';
import type { Market } from '../../domain/market.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { WeightGovernor } from '../../ports/weight-governor.ts';
import { usedWeight } from './decode-exchange-info.ts';
import { jsonCode, notJson, pauseOf, refusalOf } from './refusals.ts';
import type { Reply, Transport } from './transport.ts';

/** One request that was sent, for counts and times. */
export interface RequestInfo {
  readonly market: Market;
  /** Without its query. */
  readonly path: string;
  readonly weight: number;
  /** HTTP status; 0 when no complete reply came. */
  readonly status: number;
  readonly rows: number;
  /** Waiting for the weight governor. */
  readonly waitMs: number;
  /** From sending until the body is complete and decompressed. */
  readonly fetchMs: number;
  readonly decodeMs: number;
  /** True for every attempt after the first one. */
  readonly retry: boolean;
  /** What went wrong; undefined when the reply was good or the caller gave up. */
  readonly code: ErrorCode | undefined;
}

export interface RetryPolicy extends BackoffPolicy {
  /** Attempts after the first one. */
  readonly retries: number;
}

/**
 * About ten seconds in total: enough for a dropped connection or a restarting server. If the failure lasts
 * longer, the job goes back to the queue, which waits longer without occupying a worker.
 */
export const DEFAULT_RETRY: RetryPolicy = { retries: 4, firstMs: 500, maxMs: 8_000 };

/**
 * Errors after which the same request is repeated. Not a ban: the governor holds the next request until
 * its end.
 */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'EXCHANGE_UNREACHABLE',
  'EXCHANGE_UNAVAILABLE',
  'EXCHANGE_RATE_LIMITED',
  'EXCHANGE_BAD_BODY',
  'EXCHANGE_BAD_PAGE',
]);

export interface Question<T> {
  readonly market: Market;
  readonly path: string;
  readonly query: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly weight: number;
  /**
   * False for requests of the governor itself, sent before it can grant anything or with its own grant. They
   * are sent once: the request that waits for the governor is the one that is repeated.
   */
  readonly governed: boolean;
  /**
   * The answer for an error code of the exchange that counts as an answer here; undefined for other codes.
   */
  readonly fromCode?: (code: number) => T | undefined;
  /** Converts the parsed body to the answer; may throw EXCHANGE_BAD_BODY or EXCHANGE_BAD_PAGE. */
  readonly decode: (body: unknown, request: string) => T;
}

interface PatientClientDeps {
  readonly transports: Readonly<Record<Market, Transport>>;
  readonly governor: WeightGovernor;
  readonly clock: Clock;
  readonly log: Log;
  readonly retry: RetryPolicy;
  readonly random: () => number;
  readonly onRequest?: ((info: RequestInfo) => void) | undefined;
}

/**
 * Sends requests within the exchange's limits, reports the replies to the governor, and retries temporary
 * failures.
 */
export class PatientClient {
  readonly #deps: PatientClientDeps;

  constructor(deps: PatientClientDeps) {
    this.#deps = deps;
  }

  /** @throws CdvaultError EXCHANGE_* or UNKNOWN_SYMBOL; or the signal's reason */
  async ask<T>(question: Question<T>, signal: AbortSignal): Promise<T> {
    const { clock, log, random, retry } = this.#deps;
    const retries = question.governed ? retry.retries : 0;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#askOnce(question, attempt > 0, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof CdvaultError) || !PASSING.has(error.code) || attempt >= retries)
          throw error;
        log.debug({ code: error.code, attempt, error: error.message }, 'Repeating a request');
        // After a 429 the governor holds all requests until the time that the exchange gave.
        if (error.code === 'EXCHANGE_RATE_LIMITED') continue;
        await clock.sleep(backoffMs(retry, attempt, random()), signal);
      }
    }
  }

  async #askOnce<T>(question: Question<T>, isRetry: boolean, signal: AbortSignal): Promise<T> {
    const { governor, onRequest } = this.#deps;
    const { market, path, weight } = question;
    const record = {
      market,
      path,
      weight,
      status: 0,
      rows: 0,
      waitMs: 0,
      fetchMs: 0,
      decodeMs: 0,
      retry: isRetry,
    };
    let code: ErrorCode | undefined;
    const startedAtMs = performance.now();
    if (question.governed) await governor.acquire(market, weight, signal);
    const grantedAtMs = performance.now();
    let fetchedAtMs = grantedAtMs;
    try {
      const sentAtMs = this.#deps.clock.nowMs();
      const reply = await this.#fetch(question, signal);
      fetchedAtMs = performance.now();
      record.status = reply.status;
      await this.#tellGovernor(question, reply, sentAtMs);
      const answer = answerOf(question, reply, this.#deps.clock.nowMs());
      record.rows = Array.isArray(answer) ? answer.length : 0;
      return answer;
    } catch (error) {
      if (record.status === 0) fetchedAtMs = performance.now();
      if (error instanceof CdvaultError) code = error.code;
      throw error;
    } finally {
      record.waitMs = grantedAtMs - startedAtMs;
      record.fetchMs = fetchedAtMs - grantedAtMs;
      record.decodeMs = performance.now() - fetchedAtMs;
      onRequest?.({ ...record, code });
    }
  }

  async #fetch<T>(question: Question<T>, signal: AbortSignal): Promise<Reply> {
    const transport = this.#deps.transports[question.market];
    return await transport.get(question.path + question.query, question.headers ?? {}, signal);
  }

  /** The pause comes first: if Redis fails now, at least the store has the ban. */
  async #tellGovernor<T>({ market }: Question<T>, reply: Reply, sentAtMs: number): Promise<void> {
    const { clock, governor, random } = this.#deps;
    const pause = pauseOf(reply, clock.nowMs(), random());
    if (pause !== undefined) await governor.pause(market, pause.reason, pause.untilMs);
    const used = usedWeight(reply.headers);
    if (used !== undefined) await governor.observe(market, used, sentAtMs);
  }
}

/** @throws CdvaultError for every reply that is no answer to the question */
export function answerOf<T>(
  question: Pick<Question<T>, 'path' | 'query' | 'fromCode' | 'decode'>,
  reply: Reply,
  nowMs: number,
): T {
  const request = `GET ${question.path}${question.query}`;
  const code = jsonCode(reply.body);
  const fromCode = code === undefined ? undefined : question.fromCode?.(code);
  if (fromCode !== undefined) return fromCode;
  const refusal = refusalOf(reply, request, nowMs);
  if (refusal !== undefined) throw refusal;
  return question.decode(parseJson(reply, request), request);
}

function parseJson(reply: Reply, request: string): unknown {
  try {
    return JSON.parse(reply.body.toString('utf8'));
  } catch (error) {
    throw notJson(reply, request, error);
  }
}
