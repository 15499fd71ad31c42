/**
 * States of a lease and what may follow each:
 *
 *   trying   -> held      Redis set the key for us
 *            -> refused   another owner has the key; the caller gets no lease
 *            -> released  no answer in time, or aborted; a key that Redis sets late is deleted again
 *   held     -> held      a refresh or assertHeld extended the time to live
 *            -> lost      the key is not ours any more, or no extension was confirmed in time;
 *                         `signal` is aborted with LEASE_LOST
 *            -> released  release()
 *   lost, refused and released are final.
 */

import type { Redis } from 'ioredis';
import { Mutex } from 'redis-semaphore';
import { CdvaultError } from '../../domain/errors.ts';
import type { Lease, Leases } from '../../ports/lease.ts';
import type { Log } from '../../ports/log.ts';
import { redisCall } from './redis-call.ts';

interface LeaseDeps {
  readonly redis: Redis;
  /** Separates installations that share a Redis. */
  readonly keyPrefix: string;
  readonly log: Log;
  /** How long the lease of a dead owner lasts; default 20 s. */
  readonly ttlMs?: number;
  /** Default: a quarter of `ttlMs`, so that three refreshes may fail before the lease expires. */
  readonly refreshMs?: number;
}

const DEFAULT_TTL_MS = 20_000;

export function createLeases(deps: LeaseDeps): Leases {
  return {
    async tryAcquire(name, signal) {
      const lease = new RedisLease(deps, name);
      return (await lease.tryAcquire(signal)) ? lease : undefined;
    },
  };
}

/**
 * Local time comes from the monotonic clock and is read before the command is sent, so that the key in
 * Redis never expires before the lease does here.
 */
class RedisLease implements Lease {
  readonly #name: string;
  readonly #log: Log;
  readonly #ttlMs: number;
  readonly #answerMs: number;
  readonly #mutex: AnsweringMutex;
  readonly #lost = new AbortController();
  #expiry: NodeJS.Timeout | undefined;
  #released = false;

  constructor(deps: LeaseDeps, name: string) {
    this.#name = name;
    this.#log = deps.log;
    this.#ttlMs = deps.ttlMs ?? DEFAULT_TTL_MS;
    // An answer that takes longer than half of the lease's time is of no use to its owner.
    this.#answerMs = Math.min(5_000, this.#ttlMs / 2);
    this.#mutex = new AnsweringMutex(deps.redis, `${deps.keyPrefix}:lease:${name}`, {
      lockTimeout: this.#ttlMs,
      acquireTimeout: this.#ttlMs,
      acquireAttemptsLimit: 1,
      retryInterval: 1,
      refreshInterval: deps.refreshMs ?? this.#ttlMs / 4,
      onLockLost: () => this.#lose('it expired, and a refresh found that it is not ours any more'),
    });
    this.#mutex.onAutoRefresh = () => this.#autoRefresh();
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  async tryAcquire(signal: AbortSignal | undefined): Promise<boolean> {
    signal?.throwIfAborted();
    const sentAtMs = performance.now();
    const trying = this.#mutex.tryAcquire();
    try {
      const what = `give the lease ${this.#name}`;
      const acquired = await redisCall(what, () => trying, { answerMs: this.#answerMs, signal });
      if (acquired) this.#heldSince(sentAtMs);
      return acquired;
    } catch (error) {
      this.#giveBackLater(trying);
      throw error;
    }
  }

  /** Redis may still set the key: the library would then refresh a lease that nobody holds. */
  #giveBackLater(trying: Promise<boolean>): void {
    this.#released = true;
    void trying.then(
      (acquired) => (acquired ? this.release() : undefined),
      // Not executed, or executed without an answer: nothing refreshes the key, so it expires.
      () => undefined,
    );
  }

  async assertHeld(minimumRemainingMs: number): Promise<void> {
    if (minimumRemainingMs > this.#ttlMs) {
      throw new CdvaultError(
        'INTERNAL',
        `a lease of ${this.#ttlMs} ms can't be held for ${minimumRemainingMs} ms more`,
      );
    }
    this.#lost.signal.throwIfAborted();
    if (this.#released) throw this.#lostError('it was released');
    const sentAtMs = performance.now();
    if (!(await this.#extend())) {
      this.#lose('it expired, and another process may own it');
      throw this.#lost.signal.reason;
    }
    const remainingMs = sentAtMs + this.#ttlMs - performance.now();
    if (remainingMs < minimumRemainingMs) {
      throw new CdvaultError(
        'REDIS_UNREACHABLE',
        `Redis extended the lease ${this.#name} too slowly to be of use`,
      );
    }
  }

  async release(): Promise<void> {
    this.#released = true;
    clearTimeout(this.#expiry);
    this.#mutex.stopRefresh();
    if (this.#lost.signal.aborted) return;
    try {
      await redisCall(`release the lease ${this.#name}`, () => this.#mutex.release(), {
        answerMs: this.#answerMs,
      });
    } catch (error) {
      this.#log.warn(
        { lease: this.#name, ttlMs: this.#ttlMs, error },
        'A lease could not be released; it will expire',
      );
    }
  }

  /** Also true when Redis does not answer: the lease stays held until its expiry timer fires. */
  async #autoRefresh(): Promise<boolean> {
    try {
      return await this.#extend();
    } catch (error) {
      this.#log.warn({ lease: this.#name, error }, 'A lease could not be refreshed; trying again');
      return true;
    }
  }

  async #extend(): Promise<boolean> {
    const sentAtMs = performance.now();
    const ours = await redisCall(`extend the lease ${this.#name}`, () => this.#mutex.refreshNow(), {
      answerMs: this.#answerMs,
    });
    if (ours && !this.#released) this.#heldSince(sentAtMs);
    return ours;
  }

  #heldSince(sentAtMs: number): void {
    clearTimeout(this.#expiry);
    const remainingMs = Math.max(0, sentAtMs + this.#ttlMs - performance.now());
    this.#expiry = setTimeout(
      () => this.#lose('Redis did not confirm it in time'),
      remainingMs,
    ).unref();
  }

  #lose(why: string): void {
    clearTimeout(this.#expiry);
    this.#mutex.stopRefresh();
    if (!this.#released) this.#lost.abort(this.#lostError(why));
  }

  #lostError(why: string): CdvaultError {
    return new CdvaultError('LEASE_LOST', `The lease ${this.#name} is lost: ${why}`);
  }
}

/**
 * The library's refresh timer lets a failed command escape as an unhandled rejection, which ends the
 * process. This class lets the lease handle the failure.
 */
class AnsweringMutex extends Mutex {
  onAutoRefresh: () => Promise<boolean> = () => this.refreshNow();

  /** One command: extends the time to live if the key still holds our identifier. */
  refreshNow(): Promise<boolean> {
    return super._refresh();
  }

  protected override _refresh(): Promise<boolean> {
    return this.onAutoRefresh();
  }
}
