import { createServer } from 'node:net';
import { compactDay } from '../../src/domain/time/hour.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { classify } from '../../src/domain/errors.ts';
import { createJobQueue } from '../../src/adapters/bullmq/job-queue.ts';
import type { JobQueue } from '../../src/ports/job-queue.ts';
import { eventually, recordingLog } from './queue-fixtures.ts';
import { BTC, DAY, days, DONE, Harness, RedisLine, WorkerProcess } from './queue-harness.ts';
import type { SliceOrder } from './queue-worker-orders.ts';

/** Dead workers, blocked workers, and an unreachable Redis. */

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end();
});

function harness(url?: string): Harness {
  const it = new Harness(url);
  ended.push(async () => it.dispose());
  return it;
}

/** Short, since locks are checked every quarter of it and tests wait for these checks. */
const LOCK_MS = 2_000;

function workerProcess(it: Harness, slice: SliceOrder, lockMs = LOCK_MS): WorkerProcess {
  const worker = new WorkerProcess({ redisUrl: it.url, prefix: it.prefix, lockMs, slice });
  ended.push(async () => {
    worker.process.kill('SIGKILL');
  });
  return worker;
}

describe('a worker process', () => {
  test('that is killed loses its jobs to another, with all their attempts', async () => {
    const it = harness();
    await it.queue.addDays('r1', BTC, days(1, 1), 'live');
    const killed = workerProcess(it, { how: 'wait' });
    await killed.untilSaid('started');
    killed.process.kill('SIGKILL');
    it.work({ slice: async () => DONE, bars: async () => DONE }, { lockMs: LOCK_MS });
    await eventually('the day is done', () => it.eventTypes().includes('completed bars'));
    const [slice] = await it.raw('slice-binance_spot').getCompleted();
    expect(slice?.attemptsMade).toBe(1);
    expect(it.eventTypes()).toEqual(['stalled slice', 'completed slice', 'completed bars']);
  });

  test('whose event loop is blocked for two thirds of its lock keeps its job', async () => {
    const it = harness();
    await it.queue.addDays('r1', BTC, days(1, 1), 'live');
    const blocked = workerProcess(it, { how: 'block', ms: 2_700 }, 4_000);
    await blocked.untilSaid('started');
    it.work({ slice: async () => DONE }, { lockMs: 4_000 });
    await blocked.untilSaid('completed slice');
    expect(blocked.lines.filter((line) => line.startsWith('aborted'))).toEqual([]);
    expect(it.eventTypes()).toEqual([]);
  });

  test('that is blocked for longer than its lock gets LEASE_LOST, and the other worker’s result stands', async () => {
    const it = harness();
    await it.queue.addDays('r1', BTC, days(1, 1), 'live');
    const away = workerProcess(it, { how: 'block', ms: 6_000 });
    await away.untilSaid('started');
    it.work({ slice: async () => DONE }, { lockMs: LOCK_MS });
    await eventually('the other worker completes it', () =>
      it.eventTypes().includes('completed slice'),
    );
    await away.untilSaid('aborted LEASE_LOST');
    for (const line of ['completed bars', 'let go']) await away.untilSaid(line);
    await sleep(500);
    expect(away.lines.filter((line) => /^(completed|failed|retry|unhandled)/.test(line))).toEqual([
      'completed bars',
    ]);
    // It does not try to settle a job whose lock it has lost.
    expect(away.lines.filter((line) => line.includes('Missing lock'))).toEqual([]);
    expect(await it.queue.stretchStates('r1', BTC, [compactDay(DAY)])).toEqual(['done']);
  });

  test.each(['drain', 'stop'] as const)('that is told to %s exits by itself', async (order) => {
    const it = harness();
    await it.queue.addDays('r1', BTC, days(1, 2), 'live');
    const worker = workerProcess(it, { how: 'quick' });
    await worker.untilSaid('completed bars');
    worker.process.send(order);
    await worker.untilSaid('closed');
    expect(await worker.untilExit(1_500)).toBe(0);
    expect(worker.lines.filter((line) => line.startsWith('unhandled'))).toEqual([]);
  });

  test('that is told to stop in the middle of a job, while Redis is unreachable, exits by itself', async () => {
    const line = new RedisLine();
    await line.mend();
    ended.push(async () => line.cut());
    const it = harness();
    await it.queue.addDays('r1', BTC, days(1, 1), 'live');
    const worker = new WorkerProcess({
      redisUrl: line.url,
      prefix: it.prefix,
      lockMs: LOCK_MS,
      slice: { how: 'wait' },
    });
    ended.push(async () => {
      worker.process.kill('SIGKILL');
    });
    await worker.untilSaid('started');
    await line.cut();
    // By then all its connections wait for a reconnect, and disconnecting them ends no command.
    await sleep(1_000);
    worker.process.send('stop');
    expect(await worker.untilExit(25_000)).toBe(0);
    expect(worker.said('closed')).toBe(true);
    expect(worker.lines.filter((text) => text.startsWith('unhandled'))).toEqual([]);
  });
});

test('a worker process that never reached Redis exits by itself when it is told to stop', async () => {
  const it = harness();
  const worker = new WorkerProcess({
    redisUrl: 'redis://127.0.0.1:1',
    prefix: it.prefix,
    lockMs: LOCK_MS,
    slice: { how: 'quick' },
  });
  ended.push(async () => {
    worker.process.kill('SIGKILL');
  });
  await worker.untilSaid('not ready');
  worker.process.send('stop');
  expect(await worker.untilExit(10_000)).toBe(0);
  expect(worker.said('closed')).toBe(true);
});

describe('Redis', () => {
  const calls: readonly (readonly [string, (queue: JobQueue) => Promise<unknown>])[] = [
    ['addDays', async (queue) => queue.addDays('r1', BTC, days(1, 1), 'live')],
    ['addBars', async (queue) => queue.addBars(BTC, DAY)],
    ['addFeed', async (queue) => queue.addFeed('r1', BTC, { startMs: DAY, endMs: DAY })],
    ['upsertTick', async (queue) => queue.upsertTick(60_000)],
    ['removeTick', async (queue) => queue.removeTick()],
    ['stretchStates', async (queue) => queue.stretchStates('r1', BTC, [compactDay(DAY)])],
    ['barsPending', async (queue) => queue.barsPending(BTC, DAY)],
    ['chainPending', async (queue) => queue.chainPending(BTC)],
    ['counts', async (queue) => queue.counts()],
    ['failures', async (queue) => queue.failures('r1', 1)],
    ['addProgress', async (queue) => queue.addProgress('r1', { rows: 1 })],
    ['progress', async (queue) => queue.progress('r1')],
  ];

  async function expectFastFailures(queue: JobQueue): Promise<void> {
    const outcomes = await Promise.allSettled(calls.map(async ([, call]) => call(queue)));
    const codes = outcomes.map((outcome) =>
      outcome.status === 'rejected' ? classify(outcome.reason).code : 'no error',
    );
    expect(codes).toEqual(calls.map(() => 'REDIS_UNREACHABLE'));
  }

  test('that never answered fails every call within seconds', async () => {
    const queue = createJobQueue({
      redisUrl: 'redis://127.0.0.1:1',
      prefix: 'never',
      log: recordingLog(),
    });
    await expectFastFailures(queue);
    await queue.close();
  });

  test('that accepts connections and never answers fails every call within seconds', async () => {
    // It must read, or it would never notice that the client has disconnected.
    const silent = createServer((socket) => socket.on('error', () => {}).resume());
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', () => resolve());
    });
    const address = silent.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const queue = createJobQueue({
      redisUrl: `redis://127.0.0.1:${port}`,
      prefix: 'silent',
      log: recordingLog(),
    });
    await expectFastFailures(queue);
    await queue.close();
    silent.close();
  });

  test('that becomes unreachable fails calls within seconds, and works again once it is back', async () => {
    const line = new RedisLine();
    await line.mend();
    ended.push(async () => line.cut());
    const it = harness(line.url);
    let ran = 0;
    it.work({
      chain: async () => {
        ran += 1;
        return DONE;
      },
    });
    await it.queue.addChain(BTC);
    await eventually('the first job is done', () => ran === 1);
    await line.cut();
    await expectFastFailures(it.queue);
    await line.mend();
    await eventually('the queue accepts jobs again', async () => {
      try {
        await it.queue.addChain({ ...BTC, symbol: 'LATER' });
        return true;
      } catch {
        return false;
      }
    });
    await eventually('the workers work again', () => ran === 2, 40_000);
    const warnings = it.log.lines.filter(({ level }) => level === 'warn' || level === 'error');
    expect(warnings.length).toBeGreaterThan(0);
    expect(warnings.length).toBeLessThan(10);
  });
});
