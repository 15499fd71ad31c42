import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import type { ErrorCode } from '../../src/domain/error-catalogue.ts';
import { CdvaultError } from '../../src/domain/errors.ts';
import type { JobContext, JobOutcome } from '../../src/ports/job-queue.ts';
import { RunningJob } from '../../src/adapters/bullmq/running-jobs.ts';
import { eventually, gate } from './queue-fixtures.ts';
import { BTC, DAY, days, DONE, Harness } from './queue-harness.ts';

/** The worker side: what happens to a job after each outcome. */

let it: Harness;

beforeEach(() => {
  it = new Harness();
});
afterEach(async () => it.dispose());

/** Long enough for a job to be taken and done (about 5 ms), for tests that something does not happen. */
const QUIET_MS = 400;

function throwing(code: ErrorCode, untilMs?: number): () => Promise<JobOutcome> {
  return async () => {
    throw new CdvaultError(code, 'on purpose', untilMs === undefined ? {} : { untilMs });
  };
}

const untilAborted = async (_: unknown, { signal }: JobContext): Promise<JobOutcome> => {
  await sleep(600_000, undefined, { signal });
  return DONE;
};

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), sleep(QUIET_MS, false)]);
}

const logged = (level: string) =>
  it.log.lines.filter((line) => line.level === level && 'code' in line.fields);

test('a day’s bars run after its slices, also when one of them failed for good', async () => {
  const order: string[] = [];
  it.work({
    slice: async ({ hourMs }) => {
      order.push('slice');
      return hourMs === DAY ? throwing('BAD_RANGE')() : DONE;
    },
    bars: async () => {
      order.push('bars');
      return DONE;
    },
  });
  await it.queue.addDays('r1', BTC, days(1, 3), 'backfill');
  await eventually('the bars are done', () => it.eventTypes().includes('completed bars'));
  expect(order).toEqual(['slice', 'slice', 'slice', 'bars']);
  expect(it.events.find(({ type }) => type === 'failed')).toMatchObject({
    kind: 'slice',
    payload: { hourMs: DAY },
  });
  expect(logged('error').map(({ fields }) => fields)).toEqual([
    expect.objectContaining({ runId: 'r1', kind: 'slice', code: 'BAD_RANGE' }),
  ]);
});

test('the outcome again puts the job back without using up an attempt, however often', async () => {
  // More often than a tick's three attempts.
  let runs = 0;
  it.work({
    tick: async () => {
      runs += 1;
      return runs < 40 ? { again: { delayMs: 1 } } : DONE;
    },
  });
  await it.queue.upsertTick(3_600_000);
  await eventually('it is done', () => it.eventTypes().includes('completed tick'));
  expect(runs).toBe(40);
  expect(it.eventTypes()).toEqual(['completed tick']);
});

test('the outcome again waits as long as it asks for', async () => {
  const startsMs: number[] = [];
  it.work({
    chain: async () => {
      startsMs.push(performance.now());
      return startsMs.length === 1 ? { again: { delayMs: 700 } } : DONE;
    },
  });
  await it.queue.addChain(BTC);
  await eventually('it ran twice', () => startsMs.length === 2);
  expect((startsMs[1] ?? 0) - (startsMs[0] ?? 0)).toBeGreaterThanOrEqual(690);
});

describe('a failure', () => {
  test('that may pass is tried again until the attempts are used up, and then logged once', async () => {
    it.work({ tick: throwing('STORE_UNREACHABLE') });
    await it.queue.upsertTick(3_600_000);
    const raw = it.raw('tick');
    await eventually('it fails', async () => {
      // Promotes retries, so that the test need not wait for back-offs. The scheduler's next job, which has
      // not failed, stays delayed.
      for (const job of await raw.getDelayed(0, 10))
        if (job.attemptsMade > 0) await job.promote().catch(() => {});
      return it.eventTypes().includes('failed tick');
    });
    expect(it.eventTypes()).toEqual(['retry tick', 'retry tick', 'failed tick']);
    expect(logged('error')).toHaveLength(1);
    expect(logged('error')[0]?.fields).toMatchObject({
      code: 'STORE_UNREACHABLE',
      kind: 'tick',
      attempt: 3,
      attempts: 3,
    });
  });

  test('that can’t pass is never tried again', async () => {
    it.work({ chain: throwing('BAD_RANGE') });
    await it.queue.addChain(BTC);
    await eventually('it fails', () => it.events.length > 0);
    expect(it.eventTypes()).toEqual(['failed chain']);
    expect(logged('error')).toHaveLength(1);
    expect((await it.raw('chain').getFailed(0, 0))[0]?.failedReason).toBe('BAD_RANGE: on purpose');
  });

  test('is not retried before the time that the server named', async () => {
    const untilMs = Date.now() + 300_000;
    it.work({ chain: throwing('EXCHANGE_RATE_LIMITED', untilMs) });
    await it.queue.addChain(BTC);
    await eventually('it waits', () => it.eventTypes().includes('retry chain'));
    const [job] = await it.raw('chain').getDelayed(0, 0);
    expect(job?.delay).toBeGreaterThan(290_000);
    expect(job?.delay).toBeLessThanOrEqual(300_000);
  });

  test('is retried within 2 s, the first ceiling of the back-off, when the server names no time', async () => {
    it.work({ chain: throwing('STORE_UNREACHABLE') });
    await it.queue.addChain(BTC);
    await eventually('it is put back', () => it.eventTypes().includes('retry chain'));
    const [job] = await it.raw('chain').getDelayed(0, 0);
    expect(job?.delay ?? 0).toBeLessThan(2_000);
  });
});

describe('fatal', () => {
  test.each(['TABLE_SUSPENDED', 'EXCHANGE_BANNED'] as const)(
    '%s resolves it once, and no more jobs are taken',
    async (code) => {
      let runs = 0;
      const workers = it.work(
        {
          chain: async () => {
            runs += 1;
            return throwing(code)();
          },
        },
        { concurrency: { chain: 1 } },
      );
      for (let n = 0; n < 5; n += 1) await it.queue.addChain({ ...BTC, symbol: `S${n}` });
      expect((await workers.fatal).code).toBe(code);
      await it.queue.addChain({ ...BTC, symbol: 'LATER' });
      await sleep(QUIET_MS);
      expect(runs).toBe(1);
      const counts = await it.raw('chain').getJobCounts();
      expect((counts['waiting'] ?? 0) + (counts['wait'] ?? 0)).toBe(5);
      expect(counts['active']).toBe(0);
    },
  );

  test('an error in one kind of job stops all kinds', async () => {
    let bars = 0;
    const workers = it.work({
      chain: throwing('TABLE_SUSPENDED'),
      bars: async () => {
        bars += 1;
        return DONE;
      },
    });
    await it.queue.addChain(BTC);
    await workers.fatal;
    await it.queue.addBars(BTC, DAY);
    await sleep(QUIET_MS);
    expect(bars).toBe(0);
  });

  test('a job of another version, or one that hits a bug, fails without stopping the workers', async () => {
    const workers = it.work({
      chain: async ({ symbol }) => {
        if (symbol === 'DEFECT') throw new TypeError('undefined is not a function');
        return DONE;
      },
    });
    await it.raw('chain').add('chain', { ...BTC, colour: 'red' }, { attempts: 5 });
    await it.raw('chain').add('chain', 'nonsense', { attempts: 5 });
    await it.queue.addChain({ ...BTC, symbol: 'DEFECT' });
    await it.queue.addChain(BTC);
    await eventually('the valid job is done', () => it.eventTypes().includes('completed chain'));
    await eventually('the others have failed', () => it.events.length === 4);
    expect(
      it.events.map(({ error }) => error?.code ?? 'none').toSorted((a, b) => a.localeCompare(b)),
    ).toEqual(['INTERNAL', 'JOB_INVALID', 'JOB_INVALID', 'none']);
    expect(await isSettled(workers.fatal)).toBe(false);
  });
});

test('live slices run before those of a backfill that was enqueued earlier', async () => {
  const order: string[] = [];
  await it.queue.addDays('backfill', BTC, days(1, 24), 'backfill');
  await it.queue.addDays('live', BTC, days(1, 3), 'live');
  it.work(
    {
      slice: async ({ runId }) => {
        order.push(runId);
        return DONE;
      },
    },
    { concurrency: { slice: 1 } },
  );
  await eventually('all ran', () => order.length === 27);
  expect(order.slice(0, 3)).toEqual(['live', 'live', 'live']);
});

test('only workers of a market take its slices', async () => {
  const taken: string[] = [];
  await it.queue.addDays('r1', { ...BTC, market: 'binance_um' }, days(1, 1), 'live');
  await it.queue.addDays('r1', BTC, days(1, 1), 'live');
  it.work({
    slice: async ({ market }) => {
      taken.push(market);
      return DONE;
    },
  });
  await eventually('one ran', () => taken.length === 1);
  await sleep(QUIET_MS);
  expect(taken).toEqual(['binance_spot']);
});

describe('closing', () => {
  test('drain takes no more jobs, and returns when the running ones are done', async () => {
    const finish = gate();
    let runs = 0;
    const workers = it.work(
      {
        chain: async () => {
          runs += 1;
          await finish.opened;
          return DONE;
        },
      },
      { concurrency: { chain: 1 } },
    );
    await it.queue.addChain(BTC);
    await eventually('it runs', () => runs === 1);
    const drained = workers.drain(20_000);
    await it.queue.addChain({ ...BTC, symbol: 'LATER' });
    expect(await isSettled(drained)).toBe(false);
    finish.open();
    await drained;
    expect(runs).toBe(1);
    expect(it.eventTypes()).toEqual(['completed chain']);
    expect(await it.raw('chain').getWaitingCount()).toBe(1);
  });

  test('drain aborts a job that still runs at its deadline, which goes back with all its attempts', async () => {
    const workers = it.work({ chain: untilAborted });
    await it.queue.addChain(BTC);
    const raw = it.raw('chain');
    await eventually('it runs', async () => (await raw.getActiveCount()) === 1);
    const startedMs = performance.now();
    await workers.drain(300);
    expect(performance.now() - startedMs).toBeGreaterThan(290);
    const [job] = await raw.getWaiting(0, 0);
    expect(job?.attemptsMade).toBe(0);
    expect(it.events).toEqual([]);
    it.work({ chain: async () => DONE });
    await eventually('another worker completes it', () =>
      it.eventTypes().includes('completed chain'),
    );
  });

  test('stop aborts at once, also while a drain waits, and can be called twice', async () => {
    const workers = it.work({ chain: untilAborted });
    await it.queue.addChain(BTC);
    const raw = it.raw('chain');
    await eventually('it runs', async () => (await raw.getActiveCount()) === 1);
    const drained = workers.drain(60_000);
    await Promise.all([workers.stop(), workers.stop()]);
    await drained;
    expect(await raw.getWaitingCount()).toBe(1);
  });

  test('stop does not wait for jobs that hold no lease', async () => {
    const never = async () => new Promise<JobOutcome>(() => {});
    const workers = it.work({ feed: never, tick: never });
    await it.queue.addFeed('r1', BTC, { startMs: DAY, endMs: DAY + HOUR_MS });
    await it.queue.upsertTick(3_600_000);
    await eventually('both run', async () => {
      const active = await Promise.all(
        ['feed', 'tick'].map((name) => it.raw(name).getActiveCount()),
      );
      return active.every((count) => count === 1);
    });
    const startedMs = performance.now();
    await workers.stop();
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    expect(it.events).toEqual([]);
  });

  test('stop and drain work before Redis has answered once', async () => {
    await it.work({ chain: async () => DONE }).stop();
    await it.work({ chain: async () => DONE }).drain(10_000);
  });
});

describe('a running job', () => {
  test('is aborted when it takes too long, with an error that is retried', async () => {
    const job = new RunningJob('slice', { timeoutMs: 20, letGoMs: 1_000 });
    await expect(job.settle(sleep(60_000, undefined, { signal: job.signal }))).rejects.toThrow();
    expect(job.interruption).toBe('timeout');
    expect(job.signal.reason).toMatchObject({ code: 'JOB_TIMEOUT', retryable: true });
  });

  test('that does not end after its abort is abandoned', async () => {
    const job = new RunningJob('slice', { timeoutMs: 60_000, letGoMs: 20 });
    const settled = job.settle(new Promise(() => {}));
    job.interrupt('stop', new Error('stopping'));
    job.interrupt('timeout', new Error('later'));
    await expect(settled).rejects.toThrow('stopping');
    expect(job.interruption).toBe('stop');
  });

  test('that completes although it was aborted counts as completed', async () => {
    const job = new RunningJob('slice', { timeoutMs: 60_000, letGoMs: 1_000 });
    job.interrupt('stop', new Error('stopping'));
    await expect(job.settle(Promise.resolve('written'))).resolves.toBe('written');
  });
});
