import { afterAll, beforeAll, expect, test } from 'vitest';
import { restoreTick } from '../../src/app/jobs/keep-ticking.ts';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { eventually, Rig } from './rig.ts';

/** The schedule is kept in the store; its hourly tick is a job in Redis, which may lose it. */
const FROM = Date.UTC(2024, 8, 2);
const symbol = unique('TICK');

let own: OwnServices;
let rig: Rig;
let app: App;

beforeAll(async () => {
  // Its own services, since the schedule belongs to the whole store.
  own = await makeOwnServices();
  const trades = syntheticTrades({
    seed: 3,
    fromMs: FROM - HOUR_MS,
    toMs: FROM + 3 * HOUR_MS,
    tradesPerHour: 30,
  });
  rig = await Rig.start({ symbols: [{ symbol, trades }], services: await own.start() });
  app = await rig.app();
  const from = new Date(FROM).toISOString();
  expect(await rig.cli(['schedule', symbol, '--from', from])).toMatchObject({ exitCode: 0 });
}, 300_000);

afterAll(async () => {
  await rig.dispose();
  await own.dispose();
});

const LOST = 'SCHEDULE LOST: the hourly job is not queued';

/** What Redis loses: registration and job, or the job alone. */
const LOSSES = {
  everything: async () => rig.wipeRedis(),
  'the job alone': async () => {
    const tick = rig.raw('tick');
    for (const job of await tick.getJobs(['delayed', 'waiting', 'prioritized']))
      await rig.redis().del(`${rig.name}:tick:${job.id ?? ''}`);
    await rig
      .redis()
      .del(...['delayed', 'wait', 'prioritized'].map((list) => `${rig.name}:tick:${list}`));
  },
} as const;

test.each(Object.entries(LOSSES))(
  'when Redis loses %s of the tick, status reports it and a running worker restores it',
  async (_, lose) => {
    expect(await app.queue.hasTick()).toBe(true);
    expect((await rig.cli(['status'])).stdout).not.toContain(LOST);
    await lose();
    const { exitCode, stdout } = await rig.cli(['status']);
    expect(stdout).toContain(LOST);
    expect(exitCode).toBe(3);
    expect(await restoreTick(app)).toBe(true);
    expect(await restoreTick(app)).toBe(false);
    expect((await rig.cli(['status'])).stdout).not.toContain(LOST);
  },
  120_000,
);

test('a worker restores the tick when it starts', async () => {
  await rig.wipeRedis();
  const lines: string[] = [];
  const worker = rig.startCli(['worker'], (line) => void lines.push(line));
  await eventually('the worker is ready', () => lines.includes('worker: ready'));
  await eventually('the tick is back', async () => app.queue.hasTick());
  worker.kill();
  expect((await worker.done).exitCode).toBe(0);
}, 120_000);
