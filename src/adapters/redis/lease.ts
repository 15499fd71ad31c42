/**
 * States of a lease and what may follow each:
 *
 *   trying   -> held      Redis set all its keys for us
 *            -> refused   another owner has one of the keys; none was set, and the caller gets no lease
 *            -> released  no answer in time, or aborted; keys that Redis sets late are deleted again
 *   held     -> held      a refresh or assertHeld extended the time to live of all keys
 *            -> lost      one of the keys is not ours any more, or no extension was confirmed in time;
 *                         `signal` is aborted with LEASE_LOST
 *            -> released  release()
 *   lost, refused and released are final.
 */

import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
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

// Each script gets the keys of a lease, its owner and its time to live.

/** A key that is ours already was set by the same command: the client repeats it when it reconnects. */
const ACQUIRE = `
for i = 1, #KEYS do
  local owner = redis.call('get', KEYS[i])
  if owner and owner ~= ARGV[1] then return 0 end
end
for i = 1, #KEYS do redis.call('set', KEYS[i], ARGV[1], 'PX', ARGV[2]) end
return 1`;

/**
 * Returns how many keys are lost, and the first of them. If one is lost, the others are neither extended
 * nor deleted: their owner may rely on them until it learns of the loss.
 */
const EXTEND = `
local lost, first = 0, 0
for i = #KEYS, 1, -1 do
  if redis.call('get', KEYS[i]) ~= ARGV[1] then lost, first = lost + 1, i end
end
if lost == 0 then
  for i = 1, #KEYS do redis.call('pexpire', KEYS[i], ARGV[2]) end
end
return {lost, first}`;

const RELEASE = `
for i = 1, #KEYS do
  if redis.call('get', KEYS[i]) == ARGV[1] then redis.call('del', KEYS[i]) end
end
return 1`;

export function createLeases(deps: LeaseDeps): Leases {
  return {
    async tryAcquire(names, signal) {
      const lease = new RedisLease(deps, [names].flat());
      return (await lease.tryAcquire(signal)) ? lease : undefined;
    },
  };
}

/**
 * Local time comes from the monotonic clock and is read before the command is sent, so that the keys in
 * Redis never expire before the lease does here.
 */
class RedisLease implements Lease {
  readonly #deps: LeaseDeps;
  readonly #names: readonly string[];
  readonly #firstName: string;
  readonly #owner = randomUUID();
  readonly #ttlMs: number;
  readonly #answerMs: number;
  readonly #lost = new AbortController();
  #refresher: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #released = false;

  constructor(deps: LeaseDeps, names: readonly string[]) {
    const [firstName] = names;
    if (firstName === undefined) throw new CdvaultError('INTERNAL', 'a lease needs a name');
    this.#deps = deps;
    this.#names = names;
    this.#firstName = firstName;
    this.#ttlMs = deps.ttlMs ?? DEFAULT_TTL_MS;
    // An answer that takes longer than half of the lease's time is of no use to its owner.
    this.#answerMs = Math.min(5_000, this.#ttlMs / 2);
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  async tryAcquire(signal: AbortSignal | undefined): Promise<boolean> {
    signal?.throwIfAborted();
    const sentAtMs = performance.now();
    const trying = this.#run(ACQUIRE);
    try {
      const reply = await redisCall(`give the lease ${this.#title}`, () => trying, {
        answerMs: this.#answerMs,
        signal,
      });
      if (reply !== 1) return false;
    } catch (error) {
      this.#giveBackLater(trying);
      throw error;
    }
    this.#heldSince(sentAtMs);
    const refreshMs = this.#deps.refreshMs ?? this.#ttlMs / 4;
    this.#refresher = setInterval(() => void this.#refresh(), refreshMs).unref();
    return true;
  }

  /** Redis may still set the keys, which would then block their names until they expire. */
  #giveBackLater(trying: Promise<unknown>): void {
    this.#released = true;
    void trying.then(
      (reply) => (reply === 1 ? this.release() : undefined),
      // Not executed, or executed without an answer: nothing refreshes the keys, so they expire.
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
    this.#throwUnlessHeld();
    const sentAtMs = performance.now();
    await this.#extend();
    this.#throwUnlessHeld();
    const remainingMs = sentAtMs + this.#ttlMs - performance.now();
    if (remainingMs < minimumRemainingMs) {
      throw new CdvaultError(
        'REDIS_UNREACHABLE',
        `Redis extended the lease ${this.#title} too slowly to be of use`,
      );
    }
  }

  async release(): Promise<void> {
    this.#released = true;
    this.#stopTimers();
    try {
      // Also when it is lost: names that are still ours would block others until they expire.
      await redisCall(`release the lease ${this.#title}`, () => this.#run(RELEASE), {
        answerMs: this.#answerMs,
      });
    } catch (error) {
      this.#deps.log.warn(
        { lease: this.#title, ttlMs: this.#ttlMs, error },
        'A lease could not be released; it will expire',
      );
    }
  }

  #throwUnlessHeld(): void {
    this.#lost.signal.throwIfAborted();
    if (this.#released) throw this.#lostError('it was released');
  }

  /** When Redis does not answer, the lease stays held until its expiry timer fires. */
  async #refresh(): Promise<void> {
    try {
      await this.#extend();
    } catch (error) {
      if (this.#lost.signal.aborted || this.#released) return;
      this.#deps.log.warn(
        { lease: this.#title, error },
        'A lease could not be refreshed; trying again',
      );
    }
  }

  /** @throws CdvaultError LEASE_LOST, REDIS_UNREACHABLE, REDIS_REFUSED */
  async #extend(): Promise<void> {
    const sentAtMs = performance.now();
    const reply = await redisCall(`extend the lease ${this.#title}`, () => this.#run(EXTEND), {
      answerMs: this.#answerMs,
    });
    const [count = this.#names.length, at = 1] = Array.isArray(reply) ? reply.map(Number) : [];
    if (count > 0) {
      const name = this.#names[at - 1] ?? this.#firstName;
      throw this.#lose('it expired, and another process may own it', { name, count });
    }
    if (!this.#released && !this.#lost.signal.aborted) this.#heldSince(sentAtMs);
  }

  /** One command for all names. */
  async #run(script: string): Promise<unknown> {
    const keys = this.#names.map((name) => `${this.#deps.keyPrefix}:lease:${name}`);
    return this.#deps.redis.eval(script, keys.length, ...keys, this.#owner, this.#ttlMs);
  }

  #heldSince(sentAtMs: number): void {
    clearTimeout(this.#expiry);
    const remainingMs = Math.max(0, sentAtMs + this.#ttlMs - performance.now());
    this.#expiry = setTimeout(
      () => this.#lose('Redis did not confirm it in time'),
      remainingMs,
    ).unref();
  }

  #lose(why: string, lost?: Lost): CdvaultError {
    this.#stopTimers();
    const error = this.#lostError(why, lost);
    if (!this.#released) this.#lost.abort(error);
    return error;
  }

  #stopTimers(): void {
    clearInterval(this.#refresher);
    clearTimeout(this.#expiry);
  }

  #lostError(why: string, lost?: Lost): CdvaultError {
    const all = this.#names.length;
    const { name, count } = lost ?? { name: this.#firstName, count: all };
    const howMany = all > 1 ? ` (${count} of ${all} names are lost)` : '';
    return new CdvaultError('LEASE_LOST', `The lease ${name} is lost: ${why}${howMany}`);
  }

  get #title(): string {
    const more = this.#names.length - 1;
    return more > 0 ? `${this.#firstName} and ${more} more` : this.#firstName;
  }
}

/** The first of the names that another owner has, and how many there are. */
interface Lost {
  readonly name: string;
  readonly count: number;
}
