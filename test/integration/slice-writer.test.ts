import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLedger } from '../../src/adapters/questdb/ledger.ts';
import type { Sql } from '../../src/adapters/questdb/sql.ts';
import { CdvaultError } from '../../src/domain/errors.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import type { Series } from '../../src/domain/market.ts';
import type { SliceRecord } from '../../src/domain/proof/ledger.ts';
import { openStore, uniqueSeries } from '../support/store.ts';
import { recordOf } from '../support/trades.ts';

/** Ledger rows of several jobs go together; each job learns of its own row only. */

const START = Date.UTC(2023, 0, 1);
const HOURS = Array.from({ length: 30 }, (_, index) => START + index * HOUR_MS);
const RANGE = { startMs: START, endMs: START + HOURS.length * HOUR_MS };

let store: ReturnType<typeof openStore>;
beforeAll(() => {
  store = openStore();
});
afterAll(() => store.close());

/** A ledger, and the statements that it sends to write rows. */
function watchedLedger(onInsert: (values: readonly unknown[]) => void = () => undefined) {
  const inserts: string[] = [];
  const sql: Sql = {
    ...store.sql,
    async query(text, values = []) {
      if (text.startsWith('INSERT INTO slices')) {
        inserts.push(text);
        onInsert(values);
      }
      return store.sql.query(text, values);
    },
  };
  return { ledger: createLedger(sql), inserts };
}

const held = async (): Promise<void> => undefined;

const lost = async (): Promise<void> => {
  throw new CdvaultError('LEASE_LOST', 'the lease is lost');
};

function entry(series: Series, hourMs: number, rest: Partial<SliceRecord> = {}) {
  return [{ record: { ...recordOf(hourMs, 100, 10), ...series, ...rest }, gaps: [] }];
}

async function storedHours(series: Series): Promise<readonly number[]> {
  return (await store.ledger.records(series, RANGE)).map(({ hourMs }) => hourMs);
}

test('rows of hours that are recorded at the same time go together, and each can be read when its call resolves', async () => {
  const series = uniqueSeries('TOGETHER');
  const { ledger, inserts } = watchedLedger();
  await Promise.all(
    HOURS.map(async (hourMs) => {
      await ledger.write(entry(series, hourMs), START, held);
      expect(await store.ledger.record(series, hourMs)).toEqual(entry(series, hourMs)[0]?.record);
    }),
  );
  expect(await storedHours(series)).toEqual(HOURS);
  expect(inserts.length).toBeLessThan(HOURS.length / 3);
});

test('rows of many writers of a month are not more than a statement takes', async () => {
  const { ledger } = watchedLedger();
  const all = Array.from({ length: 5 }, () => uniqueSeries('MONTH'));
  const month = Array.from({ length: 744 }, (_, index) => START + index * HOUR_MS);
  await Promise.all(
    all.map(async (series) =>
      ledger.write(
        month.flatMap((hourMs) => entry(series, hourMs)),
        START,
        held,
      ),
    ),
  );
  const range = { startMs: START, endMs: START + month.length * HOUR_MS };
  for (const series of all)
    expect(await store.ledger.records(series, range)).toHaveLength(month.length);
});

test('a row whose lease is lost while it waits is not written, and its writer alone fails', async () => {
  const series = uniqueSeries('LOST');
  const { ledger, inserts } = watchedLedger();
  const outcomes = await Promise.allSettled(
    HOURS.map((hourMs, index) =>
      ledger.write(entry(series, hourMs), START, index === 7 ? lost : held),
    ),
  );
  expect(outcomes.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([
    7,
  ]);
  expect(outcomes[7]).toMatchObject({ reason: { code: 'LEASE_LOST' } });
  expect(await storedHours(series)).toEqual(HOURS.toSpliced(7, 1));
  expect(inserts.length).toBeLessThan(HOURS.length / 3);
});

test('a row that the store refuses fails its writer alone, and the others are written', async () => {
  const series = uniqueSeries('REFUSED');
  const { ledger } = watchedLedger();
  const outcomes = await Promise.allSettled(
    HOURS.map((hourMs, index) =>
      ledger.write(entry(series, hourMs, index === 7 ? { buyQty: 'no number' } : {}), START, held),
    ),
  );
  expect(outcomes.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([
    7,
  ]);
  expect(outcomes[7]).toMatchObject({ reason: { code: 'STORE_REFUSED' } });
  expect(await storedHours(series)).toEqual(HOURS.toSpliced(7, 1));
});

test('a lease that is lost when the rows are tried alone keeps its row from being written', async () => {
  const series = uniqueSeries('LATER');
  const { ledger } = watchedLedger((values) => {
    if (values.includes('no number')) isLost = true;
  });
  let isLost = false;
  const untilRefused = async () => (isLost ? lost() : held());
  const outcomes = await Promise.allSettled(
    HOURS.slice(0, 3).map((hourMs, index) =>
      ledger.write(
        entry(series, hourMs, index === 1 ? { buyQty: 'no number' } : {}),
        START,
        index === 2 ? untilRefused : held,
      ),
    ),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect(outcomes[2]).toMatchObject({ reason: { code: 'LEASE_LOST' } });
  expect(await storedHours(series)).toEqual(HOURS.slice(0, 1));
});

test('when the store does not answer, each writer learns it, and the next rows are written', async () => {
  const series = uniqueSeries('GONE');
  let isGone = true;
  const { ledger } = watchedLedger(() => {
    if (isGone) throw new CdvaultError('STORE_UNREACHABLE', 'gone');
  });
  const write = async () =>
    Promise.allSettled(
      HOURS.map(async (hourMs) => ledger.write(entry(series, hourMs), START, held)),
    );
  expect((await write()).map(({ status }) => status)).toEqual(HOURS.map(() => 'rejected'));
  isGone = false;
  expect((await write()).map(({ status }) => status)).toEqual(HOURS.map(() => 'fulfilled'));
  expect(await storedHours(series)).toEqual(HOURS);
});
