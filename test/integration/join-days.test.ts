import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLeases } from '../../src/adapters/redis/lease.ts';
import { joinDays, type Midnight } from '../../src/app/day/join-days.ts';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { verdictOf } from '../../src/domain/proof/ledger.ts';
import type { Series } from '../../src/domain/market.ts';
import type { ArchiveSource } from '../../src/ports/archive-source.ts';
import type { Leases } from '../../src/ports/lease.ts';
import type { Ledger, LedgerEntry } from '../../src/ports/ledger.ts';
import { Rig } from '../e2e/rig.ts';
import { NEVER, silentLog, uniqueSeries } from '../support/store.ts';
import { blockOf, recordOf, tradeOf } from '../support/trades.ts';

const MIDNIGHT = Date.UTC(2024, 2, 5);
const EMPTY_FILE = {
  name: 'file.zip',
  etag: undefined,
  sha256: '',
  bytes: 1,
  foreign: () => [],
};

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

test('an hour that another job records between the look and the write is joined too', async () => {
  const series = uniqueSeries('MEANWHILE');
  const [before, silent, after] = [-1, 0, 1].map((hour) => MIDNIGHT + hour * HOUR_MS) as [
    number,
    number,
    number,
  ];
  const awaited = { gapClass: 'retention' as const, fromId: 0, toId: 0, evidence: 'in a test' };
  await app.ledger.note(series, [{ hourMs: silent, ...awaited }], MIDNIGHT);
  const known = { ...recordOf(after, 150, 20, { prev: undefined }), ...series };
  await app.ledger.write([{ record: known, gaps: [] }], MIDNIGHT);
  // The file of the day before names its last trade, while that day's job records it.
  const day = Math.floor(before / DAY_MS) * DAY_MS;
  const file = {
    ...EMPTY_FILE,
    rows: () => Readable.from([blockOf([tradeOf(149, before + 60_000)])]),
  };
  const archive: ArchiveSource = {
    ...app.archive,
    list: async () => ({
      days: new Map([[day, { name: file.name, bytes: 1, etag: undefined }]]),
      months: new Map(),
    }),
    withDay: async (_, __, ___, use) => use(file),
  };
  let isFirst = true;
  const ledger = new Proxy(app.ledger, {
    get(target, name: keyof Ledger) {
      if (name !== 'write') return target[name].bind(target);
      return async (entries: readonly LedgerEntry[], nowMs: number) => {
        const own = { ...recordOf(before, 100, 50, { next: undefined }), ...series };
        if (isFirst) await target.write([{ record: own, gaps: [] }], nowMs);
        isFirst = false;
        await target.write(entries, nowMs);
      };
    },
  });
  const deps = { ...app, archive, ledger, leases: leasesOf(20_000) };
  await joinDays(deps, midnightOf(series), NEVER);
  const range = { startMs: before, endMs: after + HOUR_MS };
  const found = await app.ledger.records(series, range);
  expect(found.map(({ rows, next }) => [rows, next?.id])).toEqual([
    [50, 150],
    [0, 150],
    [20, 170],
  ]);
  expect(found.map(verdictOf)).toEqual(['proven', 'proven', 'proven']);
});
