import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLeases } from '../../src/adapters/redis/lease.ts';
import { joinDays, type Midnight } from '../../src/app/day/join-days.ts';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { verdictOf } from '../../src/domain/proof/ledger.ts';
import type { Series } from '../../src/domain/market.ts';
import type { Leases } from '../../src/ports/lease.ts';
import { Rig } from '../e2e/rig.ts';
import { NEVER, silentLog, uniqueSeries } from '../support/store.ts';
import { recordOf } from '../support/trades.ts';

const MIDNIGHT = Date.UTC(2024, 2, 5);

let rig: Rig;
let app: App;

beforeAll(async () => {
  rig = await Rig.start({});
  app = await rig.app();
});

afterAll(async () => rig.dispose());

/** Writes the hours of two days that were read from files: neither has a neighbour across midnight. */
async function apart(name: string): Promise<Series> {
  const series = uniqueSeries(name);
  const records = [
    recordOf(MIDNIGHT - HOUR_MS, 100, 50, { next: undefined }),
    recordOf(MIDNIGHT, 150, 20, { prev: undefined }),
  ];
  const entries = records.map((record) => ({ record: { ...record, ...series }, gaps: [] }));
  await app.ledger.write(entries, MIDNIGHT);
  return series;
}

async function verdicts(series: Series): Promise<readonly string[]> {
  const range = { startMs: MIDNIGHT - HOUR_MS, endMs: MIDNIGHT + HOUR_MS };
  return (await app.ledger.records(series, range)).map(verdictOf);
}

function midnightOf(series: Series): Midnight {
  return { ...series, borderMs: MIDNIGHT, isEnd: false, runId: 'join', source: 'archive' };
}

/** Leases that last this long after each extension. */
function leasesOf(ttlMs: number): Leases {
  return createLeases({ redis: rig.redis(), keyPrefix: rig.name, log: silentLog, ttlMs });
}

test('two days are joined by an owner that holds both hours for ten more seconds', async () => {
  const series = await apart('JOIN');
  await joinDays({ ...app, leases: leasesOf(20_000) }, midnightOf(series), NEVER);
  expect(await verdicts(series)).toEqual(['proven', 'proven']);
});

test('two days are not joined by an owner that may lose an hour before the row is written', async () => {
  const series = await apart('SHORT');
  const before = await verdicts(series);
  const joining = joinDays({ ...app, leases: leasesOf(9_000) }, midnightOf(series), NEVER);
  await expect(joining).rejects.toMatchObject({ code: 'INTERNAL' });
  expect(await verdicts(series)).toEqual(before);
  expect(await rig.redis().keys(`*${rig.name}:lease:*`)).toEqual([]);
});
