/**
 * A separate worker process, for tests that kill it, block it or wait for its end. It prints events to
 * stdout. After the message `drain` or `stop` it exits because it has nothing left to do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startWorkers } from '../../src/adapters/bullmq/workers.ts';
import { createJobQueue } from '../../src/adapters/bullmq/job-queue.ts';
import { classify } from '../../src/domain/errors.ts';
import type { JobHandlers } from '../../src/ports/job-queue.ts';
import type { Log } from '../../src/ports/log.ts';
import type { WorkerOrders } from './queue-worker-orders.ts';

const orders = JSON.parse(process.argv[2] ?? '{}') as WorkerOrders;
const say = (line: string): boolean => process.stdout.write(`${line}\n`);

const log: Log = {
  debug: () => {},
  info: () => {},
  warn: (fields) => say(`warn ${String(fields['error'])}`),
  error: () => {},
};

const refuse = async (): Promise<never> => {
  throw new Error('unexpected job');
};

const handlers: JobHandlers = {
  feed: refuse,
  archive: refuse,
  chain: refuse,
  tick: refuse,
  bars: async () => ({ done: true }),
  slice: async (_, { signal }) => {
    say('started');
    signal.addEventListener('abort', () => say(`aborted ${classify(signal.reason).code}`));
    try {
      if (orders.slice.how === 'block')
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, orders.slice.ms);
      // Lets due timers run, as any real work does after a computation.
      if (orders.slice.how === 'block') await sleep(orders.lockMs / 2);
      if (orders.slice.how === 'wait') await sleep(600_000, undefined, { signal });
      signal.throwIfAborted();
      return { done: true };
    } finally {
      say('let go');
    }
  },
};

const { redisUrl, prefix, lockMs } = orders;
const queue = createJobQueue({ redisUrl, prefix, log });
const workers = startWorkers({
  redisUrl,
  prefix,
  lockMs,
  handlers,
  concurrency: {},
  markets: ['binance_spot'],
  log,
  onEvent: ({ type, kind }) => say(`${type} ${kind}`),
});
process.on('unhandledRejection', (error) => say(`unhandled ${String(error)}`));
process.on('message', (order: 'drain' | 'stop') => {
  // An open channel to the test would keep the process alive.
  process.disconnect();
  void end(order);
});

async function end(order: 'drain' | 'stop'): Promise<void> {
  await (order === 'drain' ? workers.drain(20_000) : workers.stop());
  await queue.close();
  say('closed');
}

void queue.counts().then(
  () => say('ready'),
  () => say('not ready'),
);
