import { afterAll, beforeAll, expect, test } from 'vitest';
import { restoreTick } from '../../src/app/jobs/keep-ticking.ts';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { eventually, Rig } from './rig.ts';

/** The schedule is in the store; its hourly look is in Redis, which may lose it. */
const FROM = Date.UTC(2024, 8, 2);
const symbol = unique('TICK');

let own: OwnServices;
let rig: Rig;
let app: App;

beforeAll(async () => {
  // Of its own: what is scheduled is the whole store's.
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

/** Registration and job, or the job alone. */
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
  'Redis loses %s of the tick: status says so, a running worker puts it back',
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

test('a worker that starts puts it back, and one that has started keeps it', async () => {
  await rig.wipeRedis();
  const lines: string[] = [];
  const worker = rig.startCli(['worker'], (line) => void lines.push(line));
  await eventually('the worker is ready', () => lines.includes('worker: ready'));
  await eventually('the tick is back', async () => app.queue.hasTick());
  worker.kill();
  expect((await worker.done).exitCode).toBe(0);
}, 120_000);
