import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { createJobQueue } from '../../src/adapters/bullmq/job-queue.ts';
import { createSql } from '../../src/adapters/questdb/sql.ts';
import { createLog } from '../../src/adapters/system/log.ts';
import { backfillDays } from './backfill.ts';
import { DAY_MS, FIRST_DAY_MS, SYMBOL } from './day-files.ts';
import type { Measurement } from './measurement.ts';
import { freshStore, startHost, type Store } from './place.ts';

const HOUR_MS = DAY_MS / 24;
/** As many as a run has in Redis at a time. */
const QUEUED_DAYS = 24;
/** `2024-01-01.88`, `2024-01` */
const PARTITION = /^\d{4}(-\d\d)*(\.\d+)?$/;
/** Of stat(2), whatever the file system's are. */
const BLOCK_BYTES = 512;

export const sizes: Measurement = {
  name: 'sizes',
  about:
    'Sizes, which do not vary: disk blocks of a stored day’s partitions, squashed and with QuestDB stopped, and ' +
    ` what ${QUEUED_DAYS} days of hours by REST need in Redis while no worker takes them, divided by the hours.`,
  async run({ say }) {
    await using host = await startHost(say);
    await using store = await freshStore();
    const perSlice = await redisBytesOfASlice(store);
    const { trades } = await backfillDays({ store, host }, { first: 0, days: 1, source: 'auto' });
    const sql = createSql(store.urls.questdbPgUrl, 1);
    try {
      await sql.query('ALTER TABLE agg_trades SQUASH PARTITIONS');
      await sql.waitApplied('agg_trades');
    } finally {
      await sql.close();
    }
    // Its last pages are as long as their rows only then.
    await store.stop();
    const bytesOf = (prefix: string) => partitionBytes(path.join(store.dir, 'questdb/db'), prefix);
    const line = (what: string, value: number, note: string) => ({
      what,
      unit: 'bytes' as const,
      samples: [{ value }],
      note,
    });
    return [
      line('disk: a trade', bytesOf('agg_trades~') / trades, 'one look'),
      line('disk: a day’s bars, all intervals', bytesOf('cdv_exact_'), 'one look'),
      line('Redis: an hour that waits', perSlice, 'one look'),
    ];
  },
};

/** Of all tables of that prefix. Write-ahead logs and parts of split partitions are not counted: they go in time. */
function partitionBytes(db: string, prefix: string): number {
  const tables = readdirSync(db).filter((name) => name.startsWith(prefix));
  const partitions = tables.flatMap((table) =>
    readdirSync(path.join(db, table))
      .filter((name) => PARTITION.test(name))
      .map((name) => path.join(db, table, name)),
  );
  return partitions.reduce((sum, partition) => sum + diskBytes(partition), 0);
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
    // The first day brings scripts and the queues' own keys with it.
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
