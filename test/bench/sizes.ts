import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { createJobQueue } from '../../src/adapters/bullmq/job-queue.ts';
import { tradesTableName } from '../../src/adapters/questdb/series-names.ts';
import { createSql } from '../../src/adapters/questdb/sql.ts';
import { createLog } from '../../src/adapters/system/log.ts';
import { backfillDays } from './backfill.ts';
import { DAY_MS, FIRST_DAY_MS, SYMBOL } from './day-files.ts';
import type { Line, Measurement } from './measurement.ts';
import { freshStore, startHost, type Store } from './place.ts';

const HOUR_MS = DAY_MS / 24;
/** The number of days that a run has in Redis at a time. */
const QUEUED_DAYS = 24;
const TRADES = tradesTableName({ market: 'binance_spot', symbol: SYMBOL }, 1);
/** `2024-01-01.88` (version 88 of a day) or `2024-01` (a month). */
const PARTITION = /^(\d{4}(?:-\d\d)*)(?:\.(\d+))?$/;
/** The unit of `blocks` in stat(2), whatever the file system's block size is. */
const BLOCK_BYTES = 512;

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
    const sql = createSql(store.urls.questdbPgUrl, 1);
    try {
      await sql.query(`ALTER TABLE ${TRADES} SQUASH PARTITIONS`);
      await sql.waitApplied(TRADES);
    } finally {
      await sql.close();
    }
    // QuestDB cuts its last pages to the length of their rows only when it stops.
    await store.stop();
    const bytesOf = (prefix: string) => partitionBytes(path.join(store.dir, 'questdb/db'), prefix);
    return [
      oneLook('disk: a trade', bytesOf(`${TRADES}~`) / trades),
      oneLook('disk: a day’s bars, all intervals', bytesOf('cdv_exact_')),
      oneLook('Redis: a waiting hour', perSlice),
    ];
  },
};

function oneLook(what: string, bytes: number): Line {
  return { what, unit: 'bytes', samples: [{ value: bytes }], note: 'measured once' };
}

/**
 * Disk bytes of all tables with this prefix. What QuestDB deletes in time is not counted: write-ahead
 * logs, older versions of a partition, parts of a partition that was split.
 */
function partitionBytes(db: string, prefix: string): number {
  const newest = new Map<string, { readonly version: number; readonly folder: string }>();
  for (const table of readdirSync(db).filter((name) => name.startsWith(prefix)))
    for (const name of readdirSync(path.join(db, table))) {
      const [, partition, version = '0'] = PARTITION.exec(name) ?? [];
      if (partition === undefined) continue;
      const key = path.join(table, partition);
      if ((newest.get(key)?.version ?? -1) < Number(version))
        newest.set(key, { version: Number(version), folder: path.join(db, table, name) });
    }
  return [...newest.values()].reduce((sum, { folder }) => sum + diskBytes(folder), 0);
}

function diskBytes(folder: string): number {
  const files = readdirSync(folder).map((name) => statSync(path.join(folder, name)));
  return files.reduce((sum, { blocks }) => sum + blocks * BLOCK_BYTES, 0);
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
