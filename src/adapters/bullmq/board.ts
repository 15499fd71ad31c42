import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { HonoAdapter } from '@bull-board/hono';
import { serveStatic } from '@hono/node-server/serve-static';
import { Queue } from 'bullmq';
import type { Hono } from 'hono';
import { isoDay, isoHour } from '../../domain/time/hour.ts';
import { marketName, type Series } from '../../domain/market.ts';
import type { JobKind, JobPayloads } from '../../ports/job-queue.ts';
import type { Log } from '../../ports/log.ts';
import { createRedis } from '../redis/connection.ts';
import { CATALOGUE, JOB_KINDS, queueNames } from './catalogue.ts';

interface Shown {
  readonly description: string;
  /** Shown instead of the job's kind: series and time. The kind, if the job is from another version. */
  readonly title: (job: { readonly data: unknown }) => string;
}

const SHOWN: Readonly<Record<JobKind, Shown>> = {
  feed: shown(
    'feed',
    'queues the days of a run that have due work',
    ({ startMs, endMs, ...series }) => `${nameOf(series)} ${isoHour(startMs)} to ${isoHour(endMs)}`,
  ),
  archive: shown(
    'archive',
    'stores a stretch of days from the exchange’s files',
    ({ days, ...series }) => `${nameOf(series)} ${spanOf(days.map(({ dayMs }) => dayMs))}`,
  ),
  slice: shown(
    'slice',
    'fetches, stores and proves one UTC hour',
    ({ hourMs, ...series }) => `${nameOf(series)} ${isoHour(hourMs)}`,
  ),
  bars: shown(
    'bars',
    'builds the bars of days at every interval; waits for their trades',
    ({ days, ...series }) => `${nameOf(series)} ${spanOf(days)}`,
  ),
  chain: shown('chain', 'computes continuous CDV at every stored midnight', nameOf),
  tick: shown('tick', 'every hour, plans the due work of scheduled series', () => 'tick'),
};

function shown<K extends JobKind>(
  kind: K,
  description: string,
  title: (payload: JobPayloads[K]) => string,
): Shown {
  return {
    description,
    title({ data }) {
      const { data: payload } = CATALOGUE[kind].schema.safeParse(data);
      return payload === undefined ? kind : title(payload);
    },
  };
}

function spanOf(days: readonly number[]): string {
  const [first = 0, last = 0] = [days[0], days.at(-1)];
  return first === last ? isoDay(first) : `${isoDay(first)} to ${isoDay(last)}`;
}

function nameOf({ symbol, market }: Series): string {
  return `${symbol} ${marketName(market)}`;
}

/** Times are in UTC, as everywhere else. */
const TIME = {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZone: 'UTC',
  timeZoneName: 'short',
} as const;
const DAY = { month: '2-digit', day: '2-digit' } as const;

export interface Board {
  readonly pages: Hono;
  close(): Promise<void>;
}

/**
 * Bull Board over all queues of an installation, with all of its actions on jobs. They are safe: the ledger
 * decides what a job does, so at worst an action loses work that must be planned again.
 * @param path the path at which it is mounted
 */
export function createBoard(deps: {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly path: string;
  readonly log: Log;
}): Board {
  const { redisUrl, prefix, path, log } = deps;
  const redis = createRedis(redisUrl, { log, connectionName: `${prefix}:board` });
  // Without a listener an `error` event ends the process. The connection logs its own failures.
  const quiet = (error: Error): void =>
    log.debug({ error: error.message }, 'A queue of the board reported an error');
  // As in job-queue.ts. The board must not change the settings that job-queue.ts stores for a queue.
  const options = { connection: redis, prefix, skipVersionCheck: true, skipMetasUpdate: true };
  const queues = JOB_KINDS.flatMap((kind) =>
    queueNames(kind).map((name) => ({ kind, queue: new Queue(name, options).on('error', quiet) })),
  );
  const adapter = new HonoAdapter(serveStatic).setBasePath(path);
  createBullBoard({
    queues: queues.map(({ kind, queue }) => {
      const { description, title } = SHOWN[kind];
      const board = new BullMQAdapter(queue, { description });
      board.setFormatter('name', title);
      return board;
    }),
    serverAdapter: adapter,
    options: {
      uiConfig: {
        boardTitle: 'cdvault',
        hideDocsLink: true,
        dateFormats: {
          short: TIME,
          common: { ...DAY, ...TIME },
          full: { year: 'numeric', ...DAY, ...TIME },
        },
      },
    },
  });
  return {
    pages: adapter.registerPlugin(),
    async close() {
      await Promise.all(queues.map(async ({ queue }) => queue.close()));
      redis.disconnect();
    },
  };
}
