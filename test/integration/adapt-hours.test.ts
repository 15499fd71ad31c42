import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { createSql, type Sql } from '../../src/adapters/questdb/sql.ts';
import { createStoreWatch } from '../../src/adapters/questdb/store-watch.ts';
import { createWorkerRegister } from '../../src/adapters/redis/worker-register.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { addWork, createWorkTotals } from '../../src/adapters/system/work-meter.ts';
import { AdaptedHours } from '../../src/app/jobs/adapt-hours.ts';
import { HOURS_AT_ONCE } from '../../src/domain/plan/hours-at-once.ts';
import type { MachineLoad } from '../../src/ports/machine-load.ts';
import type { WorkerFacts } from '../../src/ports/worker-register.ts';
import { eventually } from './queue-fixtures.ts';
import { BTC, days, DONE, Harness } from './queue-harness.ts';

const LOOK_MS = 50;
const IDLE: MachineLoad = { thread: 0.1, cores: 0.1, memory: 0.1 };

let it: Harness;
let sql: Sql;
let ended: AbortController;
let kept: Promise<void> | undefined;

beforeEach(() => {
  it = new Harness();
  sql = createSql(inject('services').questdbPgUrl);
  ended = new AbortController();
});

afterEach(async () => {
  ended.abort();
  await kept;
  await it.dispose();
  await sql.close();
});

/** Workers whose hours take a moment, of which they wait a part for weight. */
function start(waitingPart: () => number, machine: () => MachineLoad) {
  const hourMs = 30;
  let running = 0;
  const seen = { most: 0 };
  const workers = it.work(
    {
      async slice() {
        const startedMs = performance.now();
        running += 1;
        seen.most = Math.max(seen.most, running);
        await sleep(hourMs);
        addWork(createWorkTotals(), { waitMs: (performance.now() - startedMs) * waitingPart() });
        running -= 1;
        return DONE;
      },
    },
    { concurrency: { slice: HOURS_AT_ONCE.first } },
  );
  const store = createStoreWatch(sql);
  const markets = [BTC.market];
  const deps = { workers, markets, machine, store, clock: systemClock, log: it.log };
  const adapted = new AdaptedHours({ ...deps, lookMs: LOOK_MS });
  kept = adapted.keep(ended.signal);
  return { adapted, seen };
}

test('while nothing limits a worker, it fetches one more hour after each look, and says so', async () => {
  await it.queue.addDays('r1', BTC, days(60, 24), 'backfill');
  const { adapted, seen } = start(
    () => 0,
    () => IDLE,
  );
  expect(adapted.all()).toEqual([]);
  await eventually('twelve at a time', () => seen.most >= 12, 60_000);
  expect(adapted.all()).toEqual([
    {
      market: BTC.market,
      hours: expect.toSatisfy((hours) => Number(hours) >= 12),
      limit: undefined,
    },
  ]);
  const [first] = it.log.lines.filter(({ message }) => message === 'hours at a time');
  expect(first).toMatchObject({ level: 'debug', fields: { before: 8, hours: 9 } });
});

test('hours that wait for weight become fewer, and those of a busy thread at once', async () => {
  await it.queue.addDays('r1', BTC, days(60, 24), 'backfill');
  let machine = IDLE;
  const { adapted } = start(
    () => 0.9,
    () => machine,
  );
  await eventually(
    'a quarter less',
    () => adapted.all()[0]?.limit === 'weight' && adapted.all()[0]?.hours === 6,
    60_000,
  );
  machine = { ...IDLE, thread: 1 };
  await eventually('one is left', () => adapted.all()[0]?.hours === 1, 60_000);
  await sleep(3 * LOOK_MS);
  expect(adapted.all()).toEqual([{ market: BTC.market, hours: 1, limit: 'thread' }]);
});

test('all hosts see a worker until it ends, and one that was killed for a while', async () => {
  const log = it.log;
  const deps = { redis: it.redis, keyPrefix: it.prefix, clock: systemClock, log };
  const [here, there] = [createWorkerRegister(deps), createWorkerRegister(deps)];
  const facts: WorkerFacts = {
    host: 'alpha',
    pid: 7,
    egress: 'office',
    isProxied: false,
    version: '1',
    hours: [{ market: BTC.market, hours: 9, limit: 'weight' }],
  };
  const announced = here.announce(() => facts, ended.signal);
  await eventually('it is announced', async () => (await there.all()).length === 1);
  expect(await there.all()).toEqual([{ ...facts, from: '127.0.0.1' }]);
  // As if it had been killed half a minute ago.
  await it.redis.hset(`${it.prefix}:workers`, 'dead', JSON.stringify({ ...facts, from: '' }));
  await it.redis.zadd(`${it.prefix}:workers:seen`, Date.now() - 31_000, 'dead');
  expect(await there.all()).toHaveLength(1);
  ended.abort();
  await announced;
  expect(await there.all()).toEqual([]);
});
