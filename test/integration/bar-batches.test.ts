import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { CATALOGUE } from '../../src/adapters/bullmq/catalogue.ts';
import { createBarBatches, ENOUGH_REQUESTS } from '../../src/app/bars/bar-batches.ts';
import { createJobHandlers } from '../../src/app/jobs/job-handlers.ts';
import type { App } from '../../src/cli/compose.ts';
import { CdvaultError } from '../../src/domain/errors.ts';
import type { Series } from '../../src/domain/market.ts';
import { DAY_MS, isoDay } from '../../src/domain/time/hour.ts';
import { INTERVALS } from '../../src/domain/time/interval.ts';
import type { BarStore } from '../../src/ports/bar-store.ts';
import { Rig } from '../e2e/rig.ts';
import { NEVER, uniqueSeries } from '../support/store.ts';
import { recordOfTrades, tradeOf } from '../support/trades.ts';

const DAY = Date.UTC(2024, 4, 5);
const DAYS = [DAY, DAY + DAY_MS, DAY + 2 * DAY_MS];

let rig: Rig;
let app: App;

beforeAll(async () => {
  rig = await Rig.start({});
  app = await rig.app();
});

afterAll(async () => rig.dispose());

/** A series with one proven hour in each day. @param lost days of which the trade is not in the store */
async function stored(name: string, lost: readonly number[] = []): Promise<Series> {
  const series = uniqueSeries(name);
  await app.catalogue.pinOrigin(series, DAY);
  const trades = DAYS.map((dayMs, index) => tradeOf(100 + index, dayMs + 60_000));
  const kept = trades.filter((_, index) => !lost.includes(DAYS[index] ?? 0));
  await app.trades.write(series, kept, NEVER);
  const entries = DAYS.map((dayMs, index) => {
    const prev = { id: 99 + index, timeUs: dayMs * 1000 - 1 };
    const own = trades.slice(index, index + 1);
    return { record: recordOfTrades(series, dayMs, own, { prev, nextId: 101 + index }), gaps: [] };
  });
  await app.ledger.write(entries, DAY);
  return series;
}

/**
 * The app, with a record of its requests to write bars: a request is one commit of each table.
 * @param onRequest called before each
 */
function recorded(onRequest: (number: number) => void = () => undefined) {
  const requests: string[][] = [];
  const write: BarStore['write'] = async (days, signal) => {
    const request: string[] = [];
    requests.push(request);
    onRequest(requests.length);
    await app.bars.write(async function* () {
      for await (const one of days()) {
        request.push(`${one.series.symbol} ${isoDay(one.day.dayMs)}`);
        yield one;
      }
    }, signal);
  };
  const bars = new Proxy(app.bars, {
    get(target, name: keyof BarStore) {
      if (name === 'write') return write;
      const member = target[name];
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return { deps: { ...app, bars }, requests };
}

const dayOf = (symbols: readonly Series[], dayMs: number) =>
  symbols.map(({ symbol }) => `${symbol} ${isoDay(dayMs)}`);

async function builtDays(series: Series): Promise<number> {
  return (await builtFrom(series)).length;
}

async function builtFrom(series: Series): Promise<readonly number[]> {
  const days = await app.bars.days(series);
  return days.filter(({ isCurrent }) => isCurrent).map(({ dayMs }) => dayMs);
}

test('days of several series that are asked for while others are on their way are one request', async () => {
  const all = [await stored('BATCHA'), await stored('BATCHB'), await stored('BATCHC')];
  const { deps, requests } = recorded();
  let isMoreToCome = true;
  const build = createBarBatches({ ...deps, isMoreToCome: async () => isMoreToCome });
  const building = all.map(async (series) => build({ series, days: DAYS }, { signal: NEVER }));
  await sleep(600);
  expect(requests).toEqual([]);
  isMoreToCome = false;
  expect(await Promise.all(building)).toEqual(['built', 'built', 'built']);
  expect(requests).toHaveLength(1);
  for (const series of all) {
    expect(await builtDays(series)).toBe(3);
    const bars = await app.bars.bars(series, '1h', { startMs: DAY, endMs: DAY + 3 * DAY_MS });
    expect(bars.map(({ openMs, aggTrades }) => [openMs, aggTrades])).toEqual(
      DAYS.map((dayMs) => [dayMs, 1]),
    );
  }
});

test('a series whose trades are not those of the ledger fails alone, and none of its days is stamped', async () => {
  const [good, bad] = [await stored('BATCHD'), await stored('BATCHE', [DAY + DAY_MS])];
  const build = createBarBatches({ ...app, isMoreToCome: async () => false });
  const [ofBad, ofGood] = await Promise.allSettled([
    build({ series: bad, days: DAYS }, { signal: NEVER }),
    build({ series: good, days: DAYS }, { signal: NEVER }),
  ]);
  expect(ofBad).toMatchObject({ status: 'rejected', reason: { code: 'STORE_MISMATCH' } });
  expect(ofGood).toMatchObject({ status: 'fulfilled', value: 'built' });
  expect(await builtDays(bad)).toBe(0);
  expect(await builtDays(good)).toBe(3);
});

test('days that another worker builds are busy, and the others of the batch are built', async () => {
  const [taken, free] = [await stored('BATCHF'), await stored('BATCHG')];
  const lease = await app.leases.tryAcquire(`bars-spot-${taken.symbol}-2024-05-06`);
  const build = createBarBatches({ ...app, isMoreToCome: async () => false });
  const outcomes = await Promise.all(
    [taken, free].map(async (series) => build({ series, days: DAYS }, { signal: NEVER })),
  );
  expect(outcomes).toEqual(['busy', 'built']);
  await lease?.release();
});

test('a request that is aborted ends, and those that wait with it wait on', async () => {
  const [first, second] = [await stored('BATCHH'), await stored('BATCHI')];
  let isMoreToCome = true;
  const build = createBarBatches({ ...app, isMoreToCome: async () => isMoreToCome });
  const stop = new AbortController();
  const stopped = expect(
    build({ series: first, days: DAYS }, { signal: stop.signal }),
  ).rejects.toThrow('stop');
  const built = build({ series: second, days: DAYS }, { signal: NEVER });
  stop.abort(new Error('stop'));
  await stopped;
  await sleep(600);
  expect(await builtDays(second)).toBe(0);
  isMoreToCome = false;
  expect(await built).toBe('built');
  expect(await builtDays(first)).toBe(0);
});

test('recent days do not wait long for others', async () => {
  const series = uniqueSeries('BATCHJ');
  const build = createBarBatches({ ...app, isMoreToCome: async () => true });
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  expect(await build({ series, days: [today] }, { signal: NEVER })).toBe('nothing_known');
});

test('days do not wait for others when the worker takes no more jobs', async () => {
  const series = await stored('BATCHK');
  let isEnding = false;
  const build = createBarBatches({ ...app, isMoreToCome: async () => true });
  const built = build({ series, days: DAYS }, { signal: NEVER, isEnding: () => isEnding });
  await sleep(400);
  expect(await builtDays(series)).toBe(0);
  isEnding = true;
  expect(await built).toBe('built');
});

test('the abort of one request ends the batch that is being built; the others are asked for again', async () => {
  const [first, second] = [await stored('BATCHL'), await stored('BATCHM')];
  const stop = new AbortController();
  const bars = new Proxy(app.bars, {
    get(target, name: keyof BarStore) {
      if (name === 'write') stop.abort(new Error('stop'));
      const member = target[name];
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const build = createBarBatches({ ...app, bars, isMoreToCome: async () => false });
  const [ofFirst, ofSecond] = await Promise.allSettled([
    build({ series: first, days: DAYS }, { signal: stop.signal }),
    build({ series: second, days: DAYS }, { signal: NEVER }),
  ]);
  expect(ofFirst).toMatchObject({ status: 'rejected', reason: { message: 'stop' } });
  expect(ofSecond).toMatchObject({ status: 'fulfilled', value: 'busy' });
  expect(await builtDays(second)).toBe(0);
});

test('a large batch is written day by day over all series, with the bars of a small one', async () => {
  const all = [await stored('BATCHN'), await stored('BATCHO'), await stored('BATCHP')];
  const { deps, requests } = recorded();
  const build = createBarBatches({ ...deps, daysAtOnce: 3, isMoreToCome: async () => false });
  const built = all.map(async (series) => build({ series, days: DAYS }, { signal: NEVER }));
  expect(await Promise.all(built)).toEqual(['built', 'built', 'built']);
  expect(requests).toEqual(DAYS.map((dayMs) => dayOf(all, dayMs)));
  const small = await stored('BATCHQ');
  await createBarBatches({ ...app, isMoreToCome: async () => false })(
    { series: small, days: DAYS },
    { signal: NEVER },
  );
  const range = { startMs: DAY, endMs: DAY + 3 * DAY_MS };
  for (const series of all) {
    expect(await builtFrom(series)).toEqual(DAYS);
    for (const interval of INTERVALS) {
      const bars = await app.bars.bars(series, interval, range);
      expect(bars).toEqual(await app.bars.bars(small, interval, range));
    }
    const tiers = await app.bars.tierBars(series, '1m', range);
    expect(tiers).toEqual(await app.bars.tierBars(small, '1m', range));
  }
});

test('a worker that is to end begins no further days: what is built stays, the rest is asked for again', async () => {
  const series = await stored('BATCHZ');
  const { deps, requests } = recorded();
  const build = createBarBatches({ ...deps, daysAtOnce: 1, isMoreToCome: async () => false });
  const context = { signal: NEVER, isEnding: () => requests.length > 0 };
  expect(await build({ series, days: DAYS }, context)).toBe('partly_built');
  expect(await builtFrom(series)).toEqual([DAY]);
  expect(await build({ series, days: DAYS }, { signal: NEVER })).toBe('built');
  expect(await builtFrom(series)).toEqual(DAYS);
});

test('a request fails where its trades are missing; its earlier days stay built, and others go on', async () => {
  const [good, bad] = [await stored('BATCHR'), await stored('BATCHS', [DAY + DAY_MS])];
  const { deps, requests } = recorded();
  const build = createBarBatches({ ...deps, daysAtOnce: 2, isMoreToCome: async () => false });
  const [ofBad, ofGood] = await Promise.allSettled([
    build({ series: bad, days: DAYS }, { signal: NEVER }),
    build({ series: good, days: DAYS }, { signal: NEVER }),
  ]);
  expect(ofBad).toMatchObject({ status: 'rejected', reason: { code: 'STORE_MISMATCH' } });
  expect(ofGood).toMatchObject({ status: 'fulfilled', value: 'built' });
  expect(await builtFrom(bad)).toEqual([DAY]);
  expect(await builtFrom(good)).toEqual(DAYS);
  expect(requests.at(-1)).toEqual(dayOf([good], DAY + 2 * DAY_MS));
});

test('when the store fails in the middle of a batch, only the days after that are due', async () => {
  const all = [await stored('BATCHT'), await stored('BATCHU')];
  const broken = recorded((number) => {
    if (number === 2) throw new CdvaultError('STORE_UNREACHABLE', 'cut off');
  });
  const once = { daysAtOnce: 2, isMoreToCome: async () => false };
  const buildBroken = createBarBatches({ ...broken.deps, ...once });
  const failed = all.map(async (series) => buildBroken({ series, days: DAYS }, { signal: NEVER }));
  for (const outcome of await Promise.allSettled(failed))
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNREACHABLE' } });
  for (const series of all) expect(await builtFrom(series)).toEqual([DAY]);
  const { deps, requests } = recorded();
  const build = createBarBatches({ ...deps, ...once });
  const built = all.map(async (series) => build({ series, days: DAYS }, { signal: NEVER }));
  expect(await Promise.all(built)).toEqual(['built', 'built']);
  expect(requests).toEqual(DAYS.slice(1).map((dayMs) => dayOf(all, dayMs)));
  for (const series of all) expect(await builtFrom(series)).toEqual(DAYS);
});

test('days that follow a day of another worker are asked for again, and what is built is chained', async () => {
  const series = await stored('BATCHV');
  const lease = await app.leases.tryAcquire(`bars-spot-${series.symbol}-2024-05-06`);
  const deps = { ...app, daysAtOnce: 1 };
  const { bars } = createJobHandlers(deps);
  const chains = async () => (await app.queue.counts(['chain']))[0]?.waiting;
  const before = (await chains()) ?? 0;
  const job = { ...series, runId: 'run', days: DAYS };
  expect(await bars(job, { signal: NEVER })).toHaveProperty('again');
  expect(await builtFrom(series)).toEqual([DAY]);
  expect(await chains()).toBe(before + 1);
  await lease?.release();
  expect(await bars(job, { signal: NEVER })).toEqual({ done: true });
  expect(await builtFrom(series)).toEqual(DAYS);
});

test('a day that stands alone goes between the days of a large batch', async () => {
  const [large, alone] = [await stored('BATCHW'), await stored('BATCHX')];
  const building: Promise<unknown>[] = [];
  const { deps, requests } = recorded((number) => {
    if (number === 1) building.push(build({ series: alone, days: [DAY] }, { signal: NEVER }));
  });
  const build = createBarBatches({ ...deps, daysAtOnce: 2, isMoreToCome: async () => false });
  expect(await build({ series: large, days: DAYS }, { signal: NEVER })).toBe('built');
  await Promise.all(building);
  expect(requests).toEqual([
    dayOf([large], DAY).concat(dayOf([large], DAY + DAY_MS)),
    dayOf([alone], DAY),
    dayOf([large], DAY + 2 * DAY_MS),
  ]);
});

test('a day that stands alone does not wait for a stretch, and the stretch waits on', async () => {
  const [stretch, alone] = [await stored('BATCHY'), await stored('BATCHZ')];
  let [aheadMs, looks] = [0, 0];
  const isMoreToCome = async () => (looks += 1) > 0;
  const clock = { ...app.clock, nowMs: () => app.clock.nowMs() + aheadMs };
  const build = createBarBatches({ ...app, clock, isMoreToCome });
  const ofStretch = build({ series: stretch, days: DAYS }, { signal: NEVER });
  const ofAlone = build({ series: alone, days: [DAY] }, { signal: NEVER });
  aheadMs = 11_000;
  expect(await ofAlone).toBe('built');
  aheadMs = 890_000;
  const before = looks;
  // Only a batch that waits on looks again, and once it has seen the new time.
  await vi.waitUntil(() => looks > before + 1, { timeout: 10_000 });
  expect(await builtDays(stretch)).toBe(0);
  aheadMs = 901_000;
  expect(await ofStretch).toBe('built');
});

test('a batch begins before it has taken all places of a worker', () => {
  expect(ENOUGH_REQUESTS).toBeLessThan(CATALOGUE.bars.concurrency);
});
