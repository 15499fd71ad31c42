import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { HonoAdapter } from '@bull-board/hono';
import { serveStatic } from '@hono/node-server/serve-static';
import { Queue } from 'bullmq';
import type { Hono } from 'hono';
import type { JobKind } from '../../ports/job-queue.ts';
import type { Log } from '../../ports/log.ts';
import { createRedis } from '../redis/connection.ts';
import { JOB_KINDS, queueNames } from './catalogue.ts';

const DESCRIPTIONS: Readonly<Record<JobKind, string>> = {
  feed: 'puts days of a run with due work into the queues',
  archive: 'takes a day from the exchange’s file',
  slice: 'fetches, stores and proves one UTC hour',
  bars: 'a day’s bars at every interval; waits for the day’s slices',
  chain: 'continuous CDV at every stored midnight',
  tick: 'plans every hour what scheduled series lack',
};

export interface Board {
  readonly pages: Hono;
  close(): Promise<void>;
}

/**
 * Bull Board over all queues of an installation, with all that it can do to jobs: what a job does is
 * decided by the ledger, so the worst that can be done here is work lost that is planned again.
 * @param path where it is mounted
 */
export function createBoard(deps: {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly path: string;
  readonly log: Log;
}): Board {
  const { redisUrl, prefix, path, log } = deps;
  const redis = createRedis(redisUrl, { log, connectionName: `${prefix}:board` });
  // Without a listener an `error` event ends the process; the connection reports its own failures.
  const quiet = (error: Error): void =>
    log.debug({ error: error.message }, 'A queue of the board reports an error');
  // As in job-queue.ts; what is set up there about a queue is not the board's to change.
  const options = { connection: redis, prefix, skipVersionCheck: true, skipMetasUpdate: true };
  const queues = JOB_KINDS.flatMap((kind) =>
    queueNames(kind).map((name) => ({
      queue: new Queue(name, options).on('error', quiet),
      description: DESCRIPTIONS[kind],
    })),
  );
  const adapter = new HonoAdapter(serveStatic).setBasePath(path);
  createBullBoard({
    queues: queues.map(({ queue, description }) => new BullMQAdapter(queue, { description })),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'cdvault', hideDocsLink: true } },
  });
  return {
    pages: adapter.registerPlugin(),
    async close() {
      await Promise.all(queues.map(async ({ queue }) => queue.close()));
      redis.disconnect();
    },
  };
}
