import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { checkRedis } from '../../../src/adapters/redis/connection.ts';
import { CdvaultError } from '../../../src/domain/errors.ts';
import { silentLog } from './fakes.ts';

interface Settings {
  readonly 'maxmemory-policy'?: string;
  readonly appendonly?: string;
}

function refusal(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

/** The three commands that the check needs, answered from a table. */
function redisWith(settings: Settings, info: string, configError?: Error): Redis {
  return {
    ping: async () => 'PONG',
    config: async (_: string, name: keyof Settings) => {
      if (configError !== undefined) throw configError;
      const value = settings[name];
      return value === undefined ? [] : [name, value];
    },
    info: async () => info,
  } as unknown as Redis;
}

async function codeOf(redis: Redis): Promise<string> {
  try {
    await checkRedis(redis, silentLog);
    return 'none';
  } catch (error) {
    return error instanceof CdvaultError ? error.code : String(error);
  }
}

describe('checkRedis', () => {
  const forbidden = refusal("NOPERM this user has no permissions to run the 'config|get' command");

  it.each(['allkeys-lru', 'volatile-lru', 'volatile-ttl', 'allkeys-random'])(
    'refuses %s',
    async (policy) => {
      expect(await codeOf(redisWith({ 'maxmemory-policy': policy, appendonly: 'yes' }, ''))).toBe(
        'REDIS_POLICY',
      );
      expect(
        await codeOf(redisWith({}, `# Memory\r\nmaxmemory_policy:${policy}\r\nx:1\r\n`, forbidden)),
      ).toBe('REDIS_POLICY');
    },
  );

  it('reads INFO where CONFIG is forbidden or empty', async () => {
    const info = '# Memory\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n';
    expect(await codeOf(redisWith({}, info, forbidden))).toBe('none');
    expect(await codeOf(redisWith({}, info, refusal("ERR unknown command 'CONFIG'")))).toBe('none');
    expect(await codeOf(redisWith({}, info))).toBe('none');
  });

  it('refuses a Redis that does not report its policy', async () => {
    expect(await codeOf(redisWith({}, ''))).toBe('REDIS_POLICY');
  });

  it('warns if and only if Redis writes nothing to disk', async () => {
    for (const [appendonly, lines] of [
      ['no', 1],
      ['yes', 0],
    ] as const) {
      const warnings: string[] = [];
      const log = {
        ...silentLog,
        warn: (_: unknown, message: string) => void warnings.push(message),
      };
      await checkRedis(redisWith({ 'maxmemory-policy': 'noeviction', appendonly }, ''), log);
      expect(warnings).toHaveLength(lines);
    }
  });

  it('distinguishes a Redis that does not answer from one that refuses', async () => {
    expect(await codeOf(redisWith({}, '', new Error('connect ECONNREFUSED')))).toBe(
      'REDIS_UNREACHABLE',
    );
    const locked = {
      ping: () => Promise.reject(refusal('NOAUTH Authentication required.')),
    } as unknown as Redis;
    expect(await codeOf(locked)).toBe('REDIS_REFUSED');
    const loading = {
      ping: () => Promise.reject(refusal('LOADING Redis is loading the dataset in memory')),
    } as unknown as Redis;
    expect(await codeOf(loading)).toBe('REDIS_UNREACHABLE');
  });
});
