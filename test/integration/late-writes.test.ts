import { buildDay } from '../support/one-day.ts';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createLeases } from '../../src/adapters/redis/lease.ts';
import { chainDays } from '../../src/app/bars/chain-days.ts';
import { hourLease } from '../../src/app/leases.ts';
import { recordHour, recordHours } from '../../src/app/hour/prove-hour.ts';
import type { App } from '../../src/cli/compose.ts';
import { dayInputs } from '../../src/domain/bars/day.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import type { Series } from '../../src/domain/market.ts';
import type { Lease, Leases } from '../../src/ports/lease.ts';
import { Rig } from '../e2e/rig.ts';
import { NEVER, silentLog, uniqueSeries } from '../support/store.ts';
import { recordOf } from '../support/trades.ts';

/** An owner that does not know yet that its lease went to another writes nothing that needs the lease. */

const DAY = Date.UTC(2024, 2, 5);
const HOURS = [DAY, DAY + HOUR_MS];
const RANGE = { startMs: DAY, endMs: DAY + DAY_MS };

let rig: Rig;
let app: App;
let series: Series;

beforeAll(async () => {
  rig = await Rig.start({});
  app = await rig.app();
});

beforeEach(() => {
  series = uniqueSeries('LATE');
});

/** Releases the leases that went to the other owner. */
afterEach(async () => {
  const redis = rig.redis();
  for (const key of await redis.keys(`*${rig.name}:lease:*`))
    if ((await redis.get(key)) === 'another') await redis.del(key);
});

afterAll(async () => rig.dispose());

/** Leases that are refreshed so seldom that the owner does not notice a loss by itself. */
function unaware(): Leases {
  return createLeases({
    redis: rig.redis(),
    keyPrefix: rig.name,
    log: silentLog,
    refreshMs: 3_600_000,
  });
}

async function goesToAnother(name: string): Promise<void> {
  const [key] = await rig.redis().keys(`*${rig.name}*${name}`);
  if (key === undefined) throw new Error(`${name} is not leased`);
  await rig.redis().set(key, 'another', 'PX', 60_000);
}

async function lateLease(hourMs: number): Promise<Lease> {
  const name = hourLease({ ...series, hourMs });
  const lease = await unaware().tryAcquire(name);
  if (lease === undefined) throw new Error(`${name} is taken`);
  await goesToAnother(name);
  expect(lease.signal.aborted).toBe(false);
  return lease;
}

const hour = (hourMs: number) => ({
  record: { ...recordOf(hourMs, 100, 50), ...series },
  gaps: [],
});

/** Leases that go to another owner as soon as they are granted. */
const taken: Leases = {
  async tryAcquire(names, signal) {
    const lease = await unaware().tryAcquire(names, signal);
    for (const name of [names].flat()) await goesToAnother(name);
    return lease;
  },
};

test('a late owner does not write an hour’s ledger row', async () => {
  const lease = await lateLease(DAY);
  const writing = recordHour(app, hour(DAY), { runId: 'run', lease }, NEVER);
  await expect(writing).rejects.toMatchObject({ code: 'LEASE_LOST' });
  expect(await app.ledger.records(series, RANGE)).toEqual([]);
});

test('no row of a day is written when one of its hours is lost', async () => {
  const kept = await unaware().tryAcquire(hourLease({ ...series, hourMs: DAY }));
  if (kept === undefined) throw new Error('it is taken');
  const leases = [kept, await lateLease(DAY + HOUR_MS)];
  const writing = recordHours(app, HOURS.map(hour), { runId: 'run', leases }, NEVER);
  await expect(writing).rejects.toMatchObject({ code: 'LEASE_LOST' });
  expect(await app.ledger.records(series, RANGE)).toEqual([]);
  await kept.release();
});

test('a late owner neither builds nor stamps a day’s bars', async () => {
  // Without trades, so that the store agrees with the ledger.
  const silent = { buyQty: '0.00000000', sellQty: '0.00000000', ...series };
  await app.ledger.write([{ record: { ...recordOf(DAY, 100, 0, silent) }, gaps: [] }], DAY);
  const building = buildDay({ ...app, leases: taken }, series, DAY, NEVER);
  await expect(building).rejects.toMatchObject({ code: 'LEASE_LOST' });
  expect(await app.bars.days(series, RANGE)).toEqual([]);
});

test('a late owner does not chain continuous levels', async () => {
  await app.catalogue.pinOrigin(series, DAY);
  const day = dayInputs(DAY, [hour(DAY).record]);
  if (day === undefined) throw new Error('nothing is known of the day');
  await app.bars.stamp([{ series, day }], DAY);
  const chaining = chainDays({ ...app, leases: taken }, series, NEVER);
  await expect(chaining).rejects.toMatchObject({ code: 'LEASE_LOST' });
  expect((await app.bars.midnightBases(series)).bases).toEqual([]);
});
