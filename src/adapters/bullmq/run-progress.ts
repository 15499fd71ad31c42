import type { Redis } from 'ioredis';
import type { RunProgress } from '../../ports/job-queue.ts';
import { redisCall } from '../redis/redis-call.ts';

/** Operators look at a run for some days after its end; later the store has the facts. */
const KEEP_SECONDS = 7 * 86_400;

const COUNTERS = ['slicesDone', 'rows', 'gaps'] as const satisfies readonly (keyof RunProgress)[];

/** Workers finish hours in any order: the newest hour is kept. */
const RAISE = `
if tonumber(ARGV[2]) > tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0') then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
return redis.call('EXPIRE', KEYS[1], ARGV[3])`;

/** One hash for each run, to which all workers add. */
export class RunProgressStore {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async add(runId: string, change: Partial<RunProgress>): Promise<void> {
    const key = this.#key(runId);
    const atOnce = this.#redis.multi();
    for (const counter of COUNTERS) {
      const by = change[counter] ?? 0;
      if (by !== 0) atOnce.hincrby(key, counter, by);
    }
    atOnce.eval(RAISE, 1, key, 'atHourMs', change.atHourMs ?? 0, KEEP_SECONDS);
    await redisCall('count the progress of a run', () => atOnce.exec());
  }

  async read(runId: string): Promise<RunProgress> {
    const stored = await redisCall('return the progress of a run', () =>
      this.#redis.hgetall(this.#key(runId)),
    );
    const value = (field: keyof RunProgress): number => Number(stored[field] ?? 0);
    return {
      slicesDone: value('slicesDone'),
      rows: value('rows'),
      gaps: value('gaps'),
      atHourMs: value('atHourMs'),
    };
  }

  #key(runId: string): string {
    return `${this.#prefix}:progress:${runId}`;
  }
}
