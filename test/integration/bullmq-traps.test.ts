import { setTimeout as sleep } from 'node:timers/promises';
import { DelayedError, type JobsOptions, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Bench, eventually, gate, keyBytes } from './queue-fixtures.ts';

/**
 * Raw BullMQ: the behaviour that our design relies on, and the behaviour that it avoids. When an upgrade
 * changes one of these, a test fails here; then check the code that relies on it.
 */

let bench: Bench;

beforeEach(() => {
  bench = new Bench();
});
afterEach(async () => bench.dispose());

/** Long enough for a job to be taken and done (about 5 ms), for tests that something does not happen. */
const QUIET_MS = 400;

const child = (jobId: string, opts: JobsOptions = {}) => ({
  name: jobId,
  queueName: 'child',
  opts: { jobId, ...opts },
});
const parent = (jobId: string, children: ReturnType<typeof child>[]) => ({
  name: jobId,
  queueName: 'parent',
  opts: { jobId },
  children,
});

/** Works parent jobs. @returns the names of those that ran, in order */
function workParents(): string[] {
  const ran: string[] = [];
  bench.worker('parent', async (job) => {
    ran.push(job.name);
  });
  return ran;
}

async function fail(): Promise<never> {
  throw new UnrecoverableError('on purpose');
}

describe('a failed child', () => {
  test('without an option keeps its parent waiting until it is retried and succeeds', async () => {
    const [children, parents] = [bench.queue('child'), bench.queue('parent')];
    await bench.flows.add(parent('p', [child('c')]));
    const ran = workParents();
    let fails = true;
    bench.worker('child', async () => (fails ? fail() : undefined));
    await eventually('the child fails', async () => (await children.getJobState('c')) === 'failed');
    await sleep(QUIET_MS);
    expect(await parents.getJobState('p')).toBe('waiting-children');
    fails = false;
    await (await children.getJob('c'))?.retry();
    await eventually('the parent runs', () => ran.length === 1);
  });

  test('with failParentOnFailure fails its parent without running it, with one event', async () => {
    const parents = bench.queue('parent');
    const ran: string[] = [];
    let events = 0;
    bench.worker('parent', async (job) => ran.push(job.name)).on('failed', () => (events += 1));
    await bench.flows.add(parent('p', [child('c', { failParentOnFailure: true })]));
    bench.worker('child', fail);
    await eventually('the parent fails', async () => (await parents.getJobState('p')) === 'failed');
    await sleep(QUIET_MS);
    expect(ran).toEqual([]);
    expect(events).toBe(1);
  });

  test.each(['ignoreDependencyOnFailure', 'removeDependencyOnFailure'])(
    'with %s lets its parent run once its siblings are done',
    async (option) => {
      await bench.flows.add(
        parent('p', [child('c', { [option]: true }), child('d', { [option]: true })]),
      );
      const ran = workParents();
      const second = gate();
      bench.worker('child', async (job) => (job.name === 'c' ? fail() : second.opened), {
        concurrency: 2,
      });
      await eventually(
        'the child fails',
        async () => (await bench.queue('child').getJobState('c')) === 'failed',
      );
      await sleep(QUIET_MS);
      expect(ran).toEqual([]); // not before its sibling is done
      second.open();
      await eventually('the parent runs', () => ran.length === 1);
    },
  );

  test('with ignoreDependencyOnFailure, retried later, does not run its parent again', async () => {
    const children = bench.queue('child');
    await bench.flows.add(parent('p', [child('c', { ignoreDependencyOnFailure: true })]));
    const ran = workParents();
    let fails = true;
    bench.worker('child', async () => (fails ? fail() : undefined));
    await eventually('the parent runs', () => ran.length === 1);
    fails = false;
    await (await children.getJob('c'))?.retry();
    await eventually(
      'the child succeeds',
      async () => (await children.getJobState('c')) === 'completed',
    );
    await sleep(QUIET_MS);
    expect(ran).toEqual(['p']);
  });

  test('with continueParentOnFailure runs its parent while siblings are active, and the parent then fails', async () => {
    const parents = bench.queue('parent');
    const option = { continueParentOnFailure: true };
    await bench.flows.add(parent('p', [child('c', option), child('d', option)]));
    const ran = workParents();
    bench.worker('child', async (job) => (job.name === 'c' ? fail() : gate().opened), {
      concurrency: 2,
    });
    await eventually('the parent fails', async () => (await parents.getJobState('p')) === 'failed');
    expect(ran).toEqual(['p']);
    expect((await parents.getJob('p'))?.failedReason).toContain('pending dependencies');
  });
});

describe('an id that exists already', () => {
  test('of a failed job drops the new job and keeps the old data', async () => {
    const queue = bench.queue('q');
    await queue.add('job', { version: 1 }, { jobId: 'same' });
    bench.worker('q', fail);
    await eventually('it fails', async () => (await queue.getJobState('same')) === 'failed');
    await queue.add('job', { version: 2 }, { jobId: 'same' });
    await sleep(QUIET_MS);
    const job = await queue.getJob('same');
    expect([await job?.getState(), job?.data, job?.attemptsMade]).toEqual([
      'failed',
      { version: 1 },
      1,
    ]);
  });

  test('of a job that was removed after completion is accepted and runs again', async () => {
    const queue = bench.queue('q');
    const ran: string[] = [];
    bench.worker('q', async (job) => ran.push(job.name));
    for (const name of ['first', 'second']) {
      await queue.add(name, {}, { jobId: 'same', removeOnComplete: true });
      await eventually(`${name} runs`, () => ran.includes(name));
      await eventually('it is gone', async () => (await queue.getJobState('same')) === 'unknown');
    }
  });

  test('of a child that completed without a parent lets the new parent run', async () => {
    const children = bench.queue('child');
    await children.add('c', {}, { jobId: 'c' });
    bench.worker('child', async () => {});
    await eventually(
      'the child completes',
      async () => (await children.getJobState('c')) === 'completed',
    );
    const ran = workParents();
    await bench.flows.add(parent('p', [child('c')]));
    await eventually('the parent runs', () => ran.length === 1);
  });

  test('of a child that is pending under another parent does not hold the second parent, which runs first', async () => {
    await bench.flows.add(parent('first', [child('shared')]));
    await bench.flows.add(parent('second', [child('shared'), child('own')]));
    const ran = workParents();
    const shared = gate();
    bench.worker('child', async (job) => (job.name === 'shared' ? shared.opened : undefined), {
      concurrency: 2,
    });
    await eventually('the second parent runs', () => ran.length > 0);
    expect(ran).toEqual(['second']);
    expect(await bench.queue('child').getJobState('shared')).toBe('active');
    shared.open();
    await eventually('the first parent runs', () => ran.length === 2);
  });

  test('of an only child that is pending under another parent leaves the second parent stuck', async () => {
    await bench.flows.add(parent('first', [child('shared')]));
    await bench.flows.add(parent('second', [child('shared')]));
    const ran = workParents();
    bench.worker('child', async () => {});
    await eventually('the first parent runs', () => ran.length === 1);
    await sleep(QUIET_MS);
    expect(ran).toEqual(['first']);
    expect(await bench.queue('parent').getJobState('second')).toBe('waiting-children');
  });

  test('of an only child that completed under another parent leaves the second parent stuck', async () => {
    const parents = bench.queue('parent');
    const ran = workParents();
    bench.worker('child', async () => {});
    await bench.flows.add(parent('first', [child('c')]));
    await eventually('the first parent runs', () => ran.includes('first'));
    await bench.flows.add(parent('second', [child('c')]));
    await sleep(QUIET_MS);
    expect(await parents.getJobState('second')).toBe('waiting-children');
    expect((await (await parents.getJob('second'))?.getDependenciesCount())?.['unprocessed']).toBe(
      0,
    );
  });

  test('of a child that has failed, with failParentOnFailure, leaves the parent stuck', async () => {
    const children = bench.queue('child');
    await children.add('c', {}, { jobId: 'c' });
    bench.worker('child', fail);
    await eventually('the child fails', async () => (await children.getJobState('c')) === 'failed');
    workParents();
    await bench.flows.add(parent('p', [child('c', { failParentOnFailure: true })]));
    await sleep(QUIET_MS);
    expect(await bench.queue('parent').getJobState('p')).toBe('waiting-children');
  });

  test('of a completed parent, added with new children, runs the children and not the parent', async () => {
    const ran = workParents();
    const children: string[] = [];
    bench.worker('child', async (job) => children.push(job.name));
    await bench.flows.add(parent('p', [child('c')]));
    await eventually('the parent runs', () => ran.length === 1);
    await bench.flows.add(parent('p', [child('d')]));
    await eventually('the new child runs', () => children.includes('d'));
    await sleep(QUIET_MS);
    expect(ran).toEqual(['p']);
  });

  test('of a failed child whose parent was removed keeps the parent waiting when both are added again', async () => {
    const [children, parents] = [bench.queue('child'), bench.queue('parent')];
    const flow = parent('p', [child('c', { ignoreDependencyOnFailure: true })]);
    const ran = workParents();
    bench.worker('child', fail);
    await bench.flows.add(flow);
    await eventually(
      'the parent is done',
      async () => (await parents.getJobState('p')) === 'completed',
    );
    await (await parents.getJob('p'))?.remove({ removeChildren: false });
    await bench.flows.add(flow);
    await sleep(QUIET_MS);
    expect(await children.getJobState('c')).toBe('failed');
    expect(await parents.getJobState('p')).toBe('waiting-children');
    expect(ran).toEqual(['p']);
  });

  test('of a pending flow adds nothing, and the parent runs once', async () => {
    const flow = parent('p', [child('c'), child('d')]);
    await bench.flows.addBulk([flow]);
    await bench.flows.addBulk([flow]);
    expect(await bench.queue('child').count()).toBe(2);
    const ran = workParents();
    bench.worker('child', async () => {});
    await eventually('the parent runs', () => ran.length === 1);
    await sleep(QUIET_MS);
    expect(ran).toEqual(['p']);
  });
});

test('completed children that are removed before their siblings are done still count as done', async () => {
  const ran = workParents();
  const last = gate();
  const keepOne = { removeOnComplete: { count: 1 }, ignoreDependencyOnFailure: true };
  await bench.flows.add(
    parent(
      'p',
      ['a', 'b', 'c', 'd'].map((id) => child(id, keepOne)),
    ),
  );
  bench.worker('child', async (job) => (job.name === 'd' ? last.opened : undefined), {
    concurrency: 2,
  });
  await eventually(
    'older children are gone',
    async () => (await bench.queue('child').getJobState('a')) === 'unknown',
  );
  expect(ran).toEqual([]);
  last.open();
  await eventually('the parent runs', () => ran.length === 1);
});

test('ids with a colon and ids of digits only are refused', async () => {
  const queue = bench.queue('q');
  await expect(queue.add('job', {}, { jobId: 'slice:1' })).rejects.toThrow('cannot contain :');
  await expect(queue.add('job', {}, { jobId: '2024010110' })).rejects.toThrow('cannot be integers');
  await expect(bench.flows.add(parent('p', [child('c:1')]))).rejects.toThrow('cannot contain :');
  // Letters of any script, '-', '_' and '.' are accepted.
  await expect(
    queue.add('job', {}, { jobId: 'slice-r_1.x-spot-币安人生USDT-2024010110' }),
  ).resolves.toBeDefined();
});

describe('deduplication with keepLastIfActive', () => {
  const addDeduplicated = (queue: ReturnType<Bench['queue']>, n: number) =>
    queue.add('deduplicated', { n }, { deduplication: { id: 'w', keepLastIfActive: true } });

  test('keeps one waiting job and drops later ones', async () => {
    const queue = bench.queue('q');
    for (const n of [1, 2, 3]) await addDeduplicated(queue, n);
    expect(await queue.count()).toBe(1);
  });

  test('keeps the last job that was added while one is active, and runs it afterwards', async () => {
    const queue = bench.queue('q');
    const ran: number[] = [];
    const first = gate();
    bench.worker(
      'q',
      async (job) => {
        const { n } = job.data as { n: number };
        ran.push(n);
        if (n === 1) await first.opened;
      },
      { concurrency: 5 },
    );
    await addDeduplicated(queue, 1);
    await eventually('the first is active', () => ran.length === 1);
    for (const n of [2, 3, 4]) await addDeduplicated(queue, n);
    await sleep(QUIET_MS);
    expect(ran).toEqual([1]); // never two at once
    first.open();
    await eventually('the last one runs', () => ran.length === 2);
    await sleep(QUIET_MS);
    expect(ran).toEqual([1, 4]);
  });

  test('accepts a new job after a final failure', async () => {
    const queue = bench.queue('q');
    bench.worker('q', fail);
    await addDeduplicated(queue, 1);
    await eventually('it fails', async () => (await queue.getFailedCount()) === 1);
    await addDeduplicated(queue, 2);
    await eventually('the next one fails, too', async () => (await queue.getFailedCount()) === 2);
  });

  test('is refused on a flow parent and on a flow child', async () => {
    const deduplication = { id: 'w', keepLastIfActive: true };
    const flow = { ...parent('p', [child('c')]), opts: { jobId: 'p', deduplication } };
    await expect(bench.flows.addBulk([flow as ReturnType<typeof parent>])).rejects.toThrow(
      'Deduplication',
    );
    await expect(bench.flows.add(parent('p', [child('c', { deduplication })]))).rejects.toThrow(
      'keepLastIfActive',
    );
  });
});

describe('a job scheduler', () => {
  test('that is upserted twice, and by two clients at once, has one next job at the same time', async () => {
    const queues = [bench.queue('q'), bench.queue('q')];
    const upsert = async () =>
      Promise.all(
        queues.map(async (queue) => queue.upsertJobScheduler('tick', { every: 3_600_000 })),
      );
    await upsert();
    const before = await queues[0]?.getJobSchedulers();
    await upsert();
    expect(await queues[0]?.getJobSchedulers()).toEqual(before);
    const counts = await queues[0]?.getJobCounts();
    expect((counts?.['delayed'] ?? 0) + (counts?.['waiting'] ?? 0)).toBe(1);
  });

  test('that is upserted again after its first run does not run early', async () => {
    const queue = bench.queue('q');
    let ran = 0;
    bench.worker('q', async () => (ran += 1));
    await queue.upsertJobScheduler('tick', { every: 3_600_000 });
    await eventually('the first run comes at once', () => ran === 1);
    await eventually('the next one waits', async () => (await queue.getDelayedCount()) === 1);
    await queue.upsertJobScheduler('tick', { every: 3_600_000 });
    await sleep(QUIET_MS);
    expect([ran, await queue.getDelayedCount()]).toEqual([1, 1]);
  });
});

describe('attempts', () => {
  test('are not used up by moveToDelayed with DelayedError', async () => {
    const queue = bench.queue('q');
    const made: number[] = [];
    bench.worker('q', async (job, token) => {
      made.push(job.attemptsMade);
      if (made.length === 5) return;
      await job.moveToDelayed(Date.now() + 1, token);
      throw new DelayedError();
    });
    await queue.add('job', {}, { attempts: 2, jobId: 'j' });
    await eventually('it completes', async () => (await queue.getJobState('j')) === 'completed');
    expect(made).toEqual([0, 0, 0, 0, 0]);
  });

  test('are not used up by moveToWait with WaitingError, which keeps the priority', async () => {
    const queue = bench.queue('q');
    let runs = 0;
    bench.worker('q', async (job, token) => {
      runs += 1;
      expect([job.attemptsMade, job.priority]).toEqual([0, 10]);
      if (runs === 3) return;
      await job.moveToWait(token);
      throw new WaitingError();
    });
    await queue.add('job', {}, { attempts: 1, jobId: 'j', priority: 10 });
    await eventually('it completes', async () => (await queue.getJobState('j')) === 'completed');
    expect(runs).toBe(3);
  });

  test('end with an UnrecoverableError, also with a subclass of it', async () => {
    class Ours extends UnrecoverableError {}
    const queue = bench.queue('q');
    bench.worker('q', async () => {
      throw new Ours('CODE: text');
    });
    await queue.add('job', {}, { attempts: 5, jobId: 'j' });
    await eventually('it fails', async () => (await queue.getJobState('j')) === 'failed');
    const job = await queue.getJob('j');
    expect([job?.attemptsMade, job?.failedReason]).toEqual([1, 'CODE: text']);
  });
});

test('only a processor with three parameters without defaults gets the signal', async () => {
  const signals: unknown[] = [];
  const connection = { url: bench.url };
  const queue = bench.queue('q');
  const processors = [
    async (_job: unknown, _token: unknown, signal: unknown) => signals.push(signal),
    async (_job: unknown, _token = '', signal?: unknown) => signals.push(signal),
  ];
  for (const [index, processor] of processors.entries()) {
    const worker = new Worker('q', processor, { connection, prefix: bench.prefix });
    await queue.add('job', {});
    await eventually('it runs', () => signals.length === index + 1);
    await worker.close();
  }
  expect(signals).toEqual([expect.any(AbortSignal), undefined]);
});

test('a job without a priority is taken before all jobs that have one', async () => {
  const queue = bench.queue('q');
  for (const n of [1, 2]) await queue.add(`backfill ${n}`, {}, { priority: 10 });
  await queue.add('live', {}, { priority: 0 });
  const order: string[] = [];
  bench.worker('q', async (job) => order.push(job.name));
  await eventually('all ran', () => order.length === 3);
  expect(order).toEqual(['live', 'backfill 1', 'backfill 2']);
});

test('the parent of a flow is taken by its own priority once its children are done', async () => {
  await bench.flows.addBulk([
    { ...parent('backfill', [child('a')]), opts: { jobId: 'backfill', priority: 10 } },
    { ...parent('live', [child('b')]), opts: { jobId: 'live', priority: 0 } },
  ]);
  bench.worker('child', async () => {});
  const parents = bench.queue('parent');
  await eventually('both are due', async () => (await parents.getWaitingChildrenCount()) === 0);
  const ran = workParents();
  await eventually('both ran', () => ran.length === 2);
  expect(ran).toEqual(['live', 'backfill']);
});

test('a year of hours costs less than 1,500 bytes of Redis a job', async () => {
  const queue = bench.queue('child');
  const hours = Array.from({ length: 24 }, (_, hour) => hour);
  for (let day = 0; day < 365; day += 40) {
    const days = Array.from({ length: Math.min(40, 365 - day) }, (_, index) => day + index);
    await bench.flows.addBulk(
      days.map((n) =>
        parent(
          `bars-run-spot-BTCUSDT-${n}`,
          hours.map((hour) => child(`slice-run-spot-BTCUSDT-${n}-${hour}`)),
        ),
      ),
    );
  }
  expect(await queue.count()).toBe(365 * 24);
  expect((await keyBytes(bench.redis, bench.prefix)) / (365 * 25)).toBeLessThan(1_500);
});
