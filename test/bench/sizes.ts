import { Redis } from 'ioredis';
import { createJobQueue } from '../../src/adapters/bullmq/job-queue.ts';
import { createLog } from '../../src/adapters/system/log.ts';
import { backfillDays } from './backfill.ts';
import { DAY_MS, FIRST_DAY_MS, SYMBOL } from './day-files.ts';
import { stoppedBytes } from './disk.ts';
import type { Line, Measurement } from './measurement.ts';
import { freshStore, startHost, type Store } from './place.ts';

const HOUR_MS = DAY_MS / 24;
/** The number of days that a run has in Redis at a time. */
const QUEUED_DAYS = 24;

export const sizes: Measurement = {
  name: 'sizes',
  about:
    'Sizes, measured once because they do not vary: the disk blocks of a stored day’s partitions, squashed and with ' +
    `QuestDB stopped, and the memory that ${QUEUED_DAYS} days of hours by REST need in Redis while no worker takes ` +
    'them, divided by the number of hours.',
  async run({ say }) {
    await using host = await startHost(say);
    await using store = await freshStore();
    const perSlice = await redisBytesOfASlice(store);
    const { trades } = await backfillDays({ store, host }, { first: 0, days: 1, source: 'auto' });
    const bytesOf = await stoppedBytes(store);
    return [
      oneLook('disk: a trade', bytesOf((table) => table.startsWith('agg_trades_')) / trades),
      oneLook(
        'disk: a day’s bars, all intervals',
        bytesOf((table) => table.startsWith('cdv_exact_')),
      ),
      oneLook('Redis: a waiting hour', perSlice),
    ];
  },
};

function oneLook(what: string, bytes: number): Line {
  return { what, unit: 'bytes', samples: [{ value: bytes }], note: 'measured once' };
}

async function redisBytesOfASlice({ urls }: Store): Promise<number> {
  const redis = new Redis(urls.redisUrl);
  const queue = createJobQueue({
    redisUrl: urls.redisUrl,
    prefix: 'sizes',
    log: createLog('error'),
  });
  const series = { market: 'binance_spot', symbol: SYMBOL } as const;
  const days = Array.from({ length: QUEUED_DAYS + 1 }, (_, day) => {
    const dayMs = FIRST_DAY_MS + day * DAY_MS;
    return { dayMs, hours: Array.from({ length: 24 }, (_, hour) => dayMs + hour * HOUR_MS) };
  });
  try {
    // The first day also adds scripts and the queues' own keys.
    await queue.addDays('sizes', series, days.slice(0, 1), 'backfill');
    const before = await usedBytes(redis);
    await queue.addDays('sizes', series, days.slice(1), 'backfill');
    return ((await usedBytes(redis)) - before) / (QUEUED_DAYS * 24);
  } finally {
    await queue.close();
    redis.disconnect();
  }
}

async function usedBytes(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
}
