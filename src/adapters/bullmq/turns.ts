import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { type Series, seriesKey } from '../../domain/market.ts';
import { redisCall } from '../redis/redis-call.ts';
import { PRIORITY } from './catalogue.ts';

/** The greatest priority that BullMQ takes. Turns after it are worked in the order of their coming. */
const LAST_TURN = 2 ** 21 - 1;

/** A run that has queued nothing for so long starts again at the head of the queue. */
const LIFE_MS = 86_400_000;

/**
 * KEYS: series of the run, their last turns. ARGV: series, queue, turn at the head of the queue or '', the
 * least turn, number of turns, time to live.
 */
const TAKE = `
redis.call('zadd', KEYS[1], 'NX', redis.call('zcard', KEYS[1]), ARGV[1])
local step = redis.call('zcard', KEYS[1])
local field = ARGV[2] .. ' ' .. ARGV[1]
local head = math.max(tonumber(ARGV[4]), tonumber(ARGV[3]) or 0)
local last = ARGV[3] ~= '' and redis.call('hget', KEYS[2], field)
local first = last and math.max(head, last + step) or head + redis.call('zrank', KEYS[1], ARGV[1])
redis.call('hset', KEYS[2], field, first + step * (ARGV[5] - 1))
redis.call('pexpire', KEYS[1], ARGV[6])
redis.call('pexpire', KEYS[2], ARGV[6])
return {first, step}`;

/**
 * Turns of the days that runs queue, which are their priorities: start-time fair queuing, with the turn at the
 * head of the queue as its clock. A run that comes later starts at the head. The days of a series are as many
 * turns apart as its run has series, and series of a run begin one turn apart, so that each run gets the same
 * part of the work, however many series it has, and each series the same part of its run's.
 */
export class Turns {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /** Makes the series of a run known, so that the first ones do not take the turns of the others. */
  async open(runId: string, series: readonly Series[]): Promise<void> {
    const [members] = this.#keys(runId);
    await redisCall('open a run', () =>
      this.#redis
        .multi()
        .zadd(members, 'NX', ...series.flatMap((one, index) => [index, seriesKey(one)]))
        .pexpire(members, LIFE_MS)
        .exec(),
    );
  }

  /** @returns the priorities of the next `count` days of a series, in their order */
  async take(
    queue: Queue,
    runId: string,
    series: Series,
    count: number,
  ): Promise<readonly number[]> {
    const [head] = await redisCall('return the next job', () => queue.getPrioritized(0, 0));
    const [members, lasts] = this.#keys(runId);
    const reply: unknown = await redisCall('return turns', () =>
      this.#redis.eval(
        TAKE,
        2,
        members,
        lasts,
        seriesKey(series),
        queue.name,
        head?.priority ?? '',
        PRIORITY.backfill,
        count,
        LIFE_MS,
      ),
    );
    const [first = 0, step = 1] = Array.isArray(reply) ? reply.map(Number) : [];
    return Array.from({ length: count }, (_, index) => Math.min(LAST_TURN, first + step * index));
  }

  /** The series has nothing more to do: the other series of its run take its turns. */
  async leave(runId: string, series: Series): Promise<void> {
    const [members] = this.#keys(runId);
    await redisCall('let a series leave its run', () =>
      this.#redis.zrem(members, seriesKey(series)),
    );
  }

  #keys(runId: string): readonly [members: string, lasts: string] {
    const key = `${this.#prefix}:turns:${runId}`;
    return [`${key}:series`, `${key}:last`];
  }
}
