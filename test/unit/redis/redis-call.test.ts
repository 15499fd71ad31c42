import { describe, expect, test } from 'vitest';
import { redisCall } from '../../../src/adapters/redis/redis-call.ts';

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

/** The error that the client gives for a transaction with a refused command. */
function discarded(because: string): Error {
  const text = 'EXECABORT Transaction discarded because of previous errors.';
  return Object.assign(reply(text), { previousErrors: [reply(because)] });
}

async function failing(error: Error): Promise<unknown> {
  return redisCall('count', () => Promise.reject(error));
}

describe('a refused transaction', () => {
  test('is classified by the reply that caused it', async () => {
    await expect(
      failing(discarded("OOM command not allowed when used memory > 'maxmemory'.")),
    ).rejects.toMatchObject({
      code: 'REDIS_REFUSED',
      message: "Redis did not count: OOM command not allowed when used memory > 'maxmemory'.",
    });
  });

  test.each(['LOADING Redis is loading the dataset in memory', 'READONLY You can’t write'])(
    'may be accepted later: %s',
    async (because) => {
      await expect(failing(discarded(because))).rejects.toMatchObject({
        code: 'REDIS_UNREACHABLE',
      });
    },
  );
});
