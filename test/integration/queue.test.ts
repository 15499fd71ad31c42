import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CdvaultError } from '../../src/domain/errors.ts';
import { compactDay, DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import type { QueueCounts } from '../../src/ports/job-queue.ts';
import { eventually, keyBytes } from './queue-fixtures.ts';
import { BTC, DAY, days, DONE, Harness } from './queue-harness.ts';

/** The side that enqueues jobs and reads their state. */

let it: Harness;

beforeEach(() => {
  it = new Harness();
});
afterEach(async () => it.dispose());

async function countsOf(kind: QueueCounts['kind']): Promise<QueueCounts | undefined> {
  return (await it.queue.counts()).find((counts) => counts.kind === kind);
}

const refuse = async (): Promise<never> => {
  throw new CdvaultError('BAD_RANGE', 'on purpose');
};

describe('addDays', () => {
  test('makes one flow a day, with ids that name run, series and time', async () => {
    await it.queue.addDays('r1', BTC, days(2, 3), 'backfill');
    expect(await countsOf('slice')).toMatchObject({ waiting: 6 });
    expect(await countsOf('bars')).toMatchObject({ waiting: 2 });
    expect(
      (await it.raw('slice-binance_spot').getJob('slice-r1-spot-BTCUSDT-2024010102'))?.data,
    ).toEqual({
      ...BTC,
      runId: 'r1',
      hourMs: DAY + 2 * HOUR_MS,
    });
    expect(await it.raw('bars').getJobState('bars-r1-spot-BTCUSDT-20240102')).toBe(
      'waiting-children',
    );
  });

  test('makes a bars job alone for a day without hours', async () => {
    await it.queue.addDays('r1', BTC, days(1, 0), 'live');
    expect(await it.raw('bars').getJobState('bars-r1-spot-BTCUSDT-20240101')).toBe('waiting');
  });

  test('adds nothing for the same days again, whether they are pending, done or failed', async () => {
    const work = days(2, 2);
    await it.queue.addDays('r1', BTC, work, 'backfill');
    await it.queue.addDays('r1', BTC, work, 'backfill');
    expect(await countsOf('slice')).toMatchObject({ waiting: 4 });
    it.work({
      slice: async () => DONE,
      bars: async ({ days: [dayMs] }) => (dayMs === DAY ? DONE : refuse()),
    });
    await eventually('both days end', async () => !(await dayStates()).includes('pending'));
    expect(await dayStates()).toEqual(['done', 'failed']);
    // Completed slices are removed before their day is: new ones would run without a parent.
    await it.raw('slice-binance_spot').clean(0, 100, 'completed');
    await it.queue.addDays('r1', BTC, work, 'backfill');
    expect(
      await it.raw('slice-binance_spot').getJobCountByTypes('completed', 'active', 'prioritized'),
    ).toBe(0);
    expect(await dayStates()).toEqual(['done', 'failed']);
  });

  test('adds jobs for the same day of another run', async () => {
    await it.queue.addDays('r1', BTC, days(1, 1), 'backfill');
    await it.queue.addDays('r2', BTC, days(1, 1), 'backfill');
    expect(await countsOf('slice')).toMatchObject({ waiting: 2 });
  });

  test.each(['币安人生USDT', 'BTCUSDT_240628', 'A-B.C_D', '1000'])(
    'accepts the symbol %s',
    async (symbol) => {
      await it.queue.addDays('r1', { ...BTC, symbol }, days(1, 1), 'backfill');
      const seen: string[] = [];
      it.work({
        slice: async (slice) => {
          seen.push(slice.symbol);
          return DONE;
        },
        bars: async () => DONE,
      });
      await eventually(
        'it is done',
        async () =>
          (await it.queue.stretchStates('r1', { ...BTC, symbol }, [compactDay(DAY)]))[0] === 'done',
      );
      expect(seen).toEqual([symbol]);
    },
  );

  test.each([
    ['a colon in the run', 'r:1', BTC, days(1, 1)],
    ['an empty run', '', BTC, days(1, 1)],
    ['a colon in the symbol', 'r1', { ...BTC, symbol: 'A:B' }, days(1, 1)],
    ['half an hour', 'r1', BTC, [{ dayMs: DAY, hours: [DAY + HOUR_MS / 2] }]],
    ['a day that does not start at midnight', 'r1', BTC, [{ dayMs: DAY + HOUR_MS, hours: [] }]],
  ])('refuses %s before anything is enqueued', async (_, runId, series, work) => {
    await expect(
      it.queue.addDays(runId, series, [...days(1, 1), ...work], 'live'),
    ).rejects.toMatchObject({ code: 'JOB_INVALID' });
    expect(await countsOf('slice')).toMatchObject({ waiting: 0 });
    expect(await countsOf('bars')).toMatchObject({ waiting: 0 });
  });

  test('costs less than 2,000 bytes of Redis a job for a year', async () => {
    await it.queue.addDays('20240101T000000-abcdef', BTC, days(366, 24), 'backfill');
    expect(await countsOf('slice')).toMatchObject({ waiting: 366 * 24 });
    expect((await keyBytes(it.redis, it.prefix)) / (366 * 25)).toBeLessThan(2_000);
  });

  test('runs a day and its failed slice again when the day’s completed job has been removed', async () => {
    let fails = true;
    it.work({
      slice: async ({ hourMs }) => (fails && hourMs === DAY ? refuse() : DONE),
      bars: async () => DONE,
    });
    await it.queue.addDays('r1', BTC, days(1, 2), 'live');
    await eventually('the bars are done', () => it.eventTypes().includes('completed bars'));
    const [done] = await it.raw('bars').getCompleted(0, 0);
    await done?.remove({ removeChildren: false });
    fails = false;
    it.events.length = 0;
    await it.queue.addDays('r1', BTC, days(1, 2), 'live');
    await eventually('the bars are done again', () => it.eventTypes().includes('completed bars'));
    expect(it.eventTypes()).toEqual(['completed slice', 'completed bars']);
  });

  const dayStates = async () =>
    it.queue.stretchStates('r1', BTC, [DAY, DAY + DAY_MS].map(compactDay));
});

test('stretchStates reports a missing job as done, since jobs are removed after completion', async () => {
  expect(await it.queue.stretchStates('r1', BTC, [compactDay(DAY)])).toEqual(['done']);
});

describe('deduplicated jobs', () => {
  test('keep one waiting bars job a day, also while another one runs', async () => {
    await it.queue.addBars(BTC, DAY);
    await it.queue.addBars(BTC, DAY);
    await it.queue.addBars(BTC, DAY + DAY_MS);
    expect(await countsOf('bars')).toMatchObject({ waiting: 2 });
    let runs = 0;
    it.work({
      bars: async ({ days: [dayMs] }) => {
        if (dayMs !== DAY) return DONE;
        runs += 1;
        if (runs === 1) for (const again of [1, 2]) await it.queue.addBars(BTC, again * DAY);
        return DONE;
      },
    });
    await eventually('the job added meanwhile runs', () => runs === 2);
    await eventually('nothing waits', async () => (await countsOf('bars'))?.waiting === 0);
    expect(runs).toBe(2);
  });

  test('have a chain pending while it waits or runs, and only then', async () => {
    expect(await it.queue.chainPending(BTC)).toBe(false);
    for (let added = 0; added < 3; added += 1) await it.queue.addChain(BTC);
    expect(await countsOf('chain')).toMatchObject({ waiting: 1 });
    expect(await it.queue.chainPending(BTC)).toBe(true);
    expect(await it.queue.chainPending({ ...BTC, symbol: 'ETHUSDT' })).toBe(false);
    let whileRunning: boolean | undefined;
    it.work({
      chain: async () => {
        whileRunning = await it.queue.chainPending(BTC);
        return DONE;
      },
    });
    await eventually('it is done', async () => !(await it.queue.chainPending(BTC)));
    expect(whileRunning).toBe(true);
  });

  test.each([
    ['addBars', 'bars', async () => it.queue.addBars(BTC, DAY)],
    ['addChain', 'chain', async () => it.queue.addChain(BTC)],
    [
      'addFeed',
      'feed',
      async () => it.queue.addFeed('r1', BTC, { startMs: DAY, endMs: DAY + HOUR_MS }),
    ],
  ] as const)('%s works again after its job failed for good', async (_, kind, add) => {
    let runs = 0;
    let fails = true;
    it.work({
      [kind]: async () => {
        runs += 1;
        return fails ? refuse() : DONE;
      },
    });
    await add();
    await eventually('it fails', () => it.eventTypes().includes(`failed ${kind}`));
    fails = false;
    await add();
    await eventually('it succeeds', () => it.eventTypes().includes(`completed ${kind}`));
    expect(runs).toBe(2);
  });
});

test('a feed is added once while it is pending, and again with a new range once it is done', async () => {
  const ranges: number[] = [];
  await it.queue.addFeed('r1', BTC, { startMs: DAY, endMs: DAY + 1 * HOUR_MS });
  await it.queue.addFeed('r1', BTC, { startMs: DAY, endMs: DAY + 2 * HOUR_MS });
  expect(await countsOf('feed')).toMatchObject({ waiting: 1 });
  expect(await it.queue.feedState('r1', BTC)).toBe('pending');
  it.work({
    feed: async ({ endMs }) => {
      ranges.push((endMs - DAY) / HOUR_MS);
      return DONE;
    },
  });
  await eventually('it is done', async () => (await it.queue.feedState('r1', BTC)) === 'done');
  await it.queue.addFeed('r1', BTC, { startMs: DAY, endMs: DAY + 3 * HOUR_MS });
  await eventually('it runs again', () => ranges.length === 2);
  expect(ranges).toEqual([1, 3]);
});

describe('the tick', () => {
  test('that two schedulers register at once runs once, also with two workers', async () => {
    let ran = 0;
    const tick = async () => {
      ran += 1;
      return DONE;
    };
    it.work({ tick });
    it.work({ tick });
    const other = new Harness();
    await Promise.all([it.queue.upsertTick(HOUR_MS), it.queue.upsertTick(HOUR_MS)]);
    await eventually('it runs', () => ran > 0);
    await it.queue.upsertTick(HOUR_MS);
    await eventually('the next one waits', async () => (await countsOf('tick'))?.delayed === 1);
    expect(ran).toBe(1);
    await other.dispose();
  });

  test('comes three minutes after each hour, and one that is added runs now', async () => {
    let ran = 0;
    it.work({
      tick: async () => {
        ran += 1;
        return DONE;
      },
    });
    await it.queue.upsertTick(HOUR_MS, 180_000);
    const [next] = await it.raw('tick').getDelayed();
    const dueMs = (next?.timestamp ?? 0) + (next?.delay ?? 0);
    expect(dueMs % HOUR_MS).toBe(180_000);
    expect(dueMs - Date.now()).toBeLessThanOrEqual(HOUR_MS);
    expect(ran).toBe(0);
    await it.queue.addTick();
    await eventually('it runs', () => ran === 1);
    expect((await countsOf('tick'))?.delayed).toBe(1);
  });

  test('repeats until it is removed', async () => {
    let ran = 0;
    it.work({
      tick: async () => {
        ran += 1;
        return DONE;
      },
    });
    await it.queue.upsertTick(50);
    await eventually('it runs three times', () => ran >= 3);
    await it.queue.removeTick();
    await eventually('none is left', async () => {
      const counts = await countsOf('tick');
      return counts?.waiting === 0 && counts.delayed === 0 && counts.active === 0;
    });
    await it.queue.removeTick();
  });
});

test('failures returns those of the run with their code, newest first, at most as many as asked', async () => {
  expect(await it.queue.newestFailure()).toBeUndefined();
  it.work({ slice: refuse, bars: async () => DONE }, { concurrency: { slice: 1 } });
  await it.queue.addDays('r1-spot', BTC, days(1, 2), 'live');
  await it.queue.addDays('r1', BTC, days(1, 3), 'live');
  await eventually('five failed', async () => (await countsOf('slice'))?.failed === 5);
  const failures = await it.queue.failures('r1', 2);
  expect(failures).toHaveLength(2);
  expect(failures[0]).toMatchObject({
    kind: 'slice',
    payload: { runId: 'r1', hourMs: DAY + 2 * HOUR_MS },
    code: 'BAD_RANGE',
    reason: 'BAD_RANGE: on purpose',
  });
  expect(await it.queue.newestFailure()).toEqual({
    kind: 'slice',
    atMs: expect.closeTo(Date.now(), -4) as number,
    reason: 'BAD_RANGE: on purpose',
  });
  expect(await it.queue.failures('r1', 10)).toHaveLength(3);
  expect(await it.queue.failures('r2', 10)).toEqual([]);
});

test('progress adds up, keeps the newest hour, and expires after a week', async () => {
  expect(await it.queue.progress('r1')).toMatchObject({ slicesDone: 0, rows: 0, atHourMs: 0 });
  await Promise.all([
    it.queue.addProgress('r1', {
      slicesDone: 1,
      rows: 2_000,
      atHourMs: DAY + HOUR_MS,
    }),
    it.queue.addProgress('r1', {
      slicesDone: 1,
      rows: 500,
      gaps: 2,
      atHourMs: DAY,
    }),
    it.queue.addProgress('r1', {}),
  ]);
  expect(await it.queue.progress('r1')).toEqual({
    slicesDone: 2,
    rows: 2_500,
    gaps: 2,
    atHourMs: DAY + HOUR_MS,
  });
  const leftSeconds = await it.redis.ttl(`${it.prefix}:progress:r1`);
  expect(leftSeconds).toBeGreaterThan(6.9 * 86_400);
  expect(leftSeconds).toBeLessThanOrEqual(7 * 86_400);
});

test('addScheduledFeed adds nothing while a feed of an earlier hour is pending, and a feed after it', async () => {
  const hour = (count: number) => ({ startMs: DAY, endMs: DAY + count * HOUR_MS });
  await it.queue.addScheduledFeed('tick-1', BTC, hour(1));
  await it.queue.addScheduledFeed('tick-2', BTC, hour(2));
  expect(await countsOf('feed')).toMatchObject({ waiting: 1 });
  it.work({ feed: async () => DONE });
  await eventually(
    'the first feed is done',
    async () => (await it.queue.feedState('tick-1', BTC)) === 'done',
  );
  await it.queue.addScheduledFeed('tick-3', BTC, hour(3));
  await eventually('the next feed is done', async () => (await countsOf('feed'))?.waiting === 0);
  expect(await it.raw('feed').getJob('feed-tick-2-spot-BTCUSDT')).toBeUndefined();
  expect(await it.raw('feed').getJob('feed-tick-3-spot-BTCUSDT')).toBeDefined();
});
