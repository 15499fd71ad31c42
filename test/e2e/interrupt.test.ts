import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { floorTo, HOUR_MS } from '../../src/domain/time/hour.ts';
import { INTERVALS } from '../../src/domain/time/interval.ts';
import { type SliceRecord, verdictOf } from '../../src/domain/proof/ledger.ts';
import type { RequestEntry } from '../exchange/request-log.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { hoursOfDay, referenceDay, truth, withoutTrust } from './reference.ts';
import { eventually, Rig, spot } from './rig.ts';

const DAY = Date.UTC(2024, 7, 12);
const HOURS = hoursOfDay(DAY).slice(0, 7);
const RANGE = { startMs: DAY, endMs: DAY + 7 * HOUR_MS };
const ARGS = ['--from', '2024-08-12T00:00Z', '--to', '2024-08-12T07:00Z', '--source', 'rest'];
// About three pages an hour.
const trades = syntheticTrades({
  seed: 81,
  fromMs: DAY - HOUR_MS,
  toMs: DAY + 8 * HOUR_MS,
  tradesPerHour: 2_500,
});
const SYMBOLS = ['INTA', 'INTB', 'INTC', 'INTD', 'INTE', 'INTF'].map(unique);
const [ONCE = '', TWICE = '', WORKER = '', DETACHED = '', WIPED = '', QUIET = ''] = SYMBOLS;

let rig: Rig;
let app: App;

beforeAll(async () => {
  rig = await Rig.start({
    symbols: SYMBOLS.map((symbol) => ({ symbol, trades })),
    // Long enough for a signal to arrive during the run.
    latencyMs: 60,
    concurrency: 2,
  });
  app = await rig.app();
});

beforeEach(() => {
  rig.exchange.setFaults([]);
  rig.exchange.requests.clear();
});

afterAll(async () => rig.dispose());

async function provenHours(symbol: string): Promise<SliceRecord[]> {
  const records = await app.ledger.records(spot(symbol), RANGE);
  return records.filter((record) => verdictOf(record) === 'proven');
}

async function untilProven(symbol: string, hours: number): Promise<void> {
  await eventually(
    `${hours} hours of ${symbol} are proven`,
    async () => (await provenHours(symbol)).length >= hours,
  );
}

/** Requests for pages whose first row belongs to one of the hours, and for the start of one of them. */
function requestsFor(hours: readonly SliceRecord[], asked: readonly RequestEntry[]) {
  return asked.filter(({ query }) =>
    hours.some(({ hourMs, first, last }) => {
      // The plan asks for the start of the whole range, which is not a request of an hour.
      const isPlan = Number(query['startTime']) === RANGE.startMs;
      if (query['fromId'] === undefined) return !isPlan && Number(query['startTime']) === hourMs;
      const fromId = Number(query['fromId']);
      // An hour that was stored but not recorded needs the first trade after it.
      const isSuccessor =
        fromId === first?.id && !hours.some((other) => other.hourMs === hourMs - HOUR_MS);
      // The trade before an hour is requested along with that hour.
      return !isSuccessor && fromId >= (first?.id ?? Infinity) && fromId < (last?.id ?? -Infinity);
    }),
  );
}

function hourOfId(id: number): number {
  return floorTo(trades.at(trades.indexOfId(id)).timeUs / 1000, HOUR_MS);
}

async function expectComplete(symbol: string): Promise<void> {
  expect(await app.ledger.totals(spot(symbol), RANGE)).toEqual({
    proven: HOURS.length,
    open: 0,
    gap: 0,
    rows: truth(trades, RANGE).length,
  });
  for (const interval of INTERVALS) {
    const bars = await app.bars.bars(spot(symbol), interval, RANGE);
    expect(bars.map(withoutTrust)).toEqual(referenceDay(trades, DAY, interval, { hours: HOURS }));
  }
}

test('Ctrl-C once finishes the hours in flight, with exit code 130, and the next run requests only the rest', async () => {
  const command = rig.startCli(['backfill', ONCE, ...ARGS]);
  await untilProven(ONCE, 1);
  command.kill('SIGINT');
  const { exitCode, stderr } = await command.done;
  expect(exitCode).toBe(130);
  expect(stderr).toContain('finishing the hours in progress; press Ctrl-C again to stop at once');
  const before = await provenHours(ONCE);
  expect(before.length).toBeLessThan(HOURS.length);
  expect(stderr).toContain(`${before.length} of ${HOURS.length} hours proven`);
  // The hours in flight were finished: no page was fetched in vain.
  const begun = rig.pages(ONCE).map(({ query }) => hourOfId(Number(query['fromId']) + 1));
  expect(new Set(before.map(({ hourMs }) => hourMs))).toEqual(new Set(begun));

  rig.exchange.requests.clear();
  expect(await rig.cli(['backfill', ONCE, ...ARGS])).toMatchObject({ exitCode: 0 });
  const asked = rig.exchange.requests.tradeRequests();
  expect(asked.length).toBeGreaterThan(0);
  expect(requestsFor(before, asked)).toEqual([]);
  await expectComplete(ONCE);
});

test('Ctrl-C twice stops at once, though the exchange never answers', async () => {
  rig.exchange.setFaults([
    {
      name: 'no answer',
      when: { symbol: TWICE, fromIdRange: [0, 1e15] },
      kind: 'stallBeforeHeaders',
    },
  ]);
  const command = rig.startCli(['backfill', TWICE, ...ARGS]);
  await eventually('hours are in flight', () => rig.pages(TWICE).length > 1);
  command.kill('SIGINT');
  await new Promise((resolve) => {
    setTimeout(resolve, 1_000);
  });
  command.kill('SIGINT');
  expect(await command.done).toMatchObject({ exitCode: 130 });

  rig.exchange.setFaults([]);
  expect(await rig.cli(['backfill', TWICE, ...ARGS])).toMatchObject({ exitCode: 0 });
  await expectComplete(TWICE);
});

test('SIGTERM drains a worker with exit code 0, and another one takes over', async () => {
  await rig.enqueue(app, [spot(WORKER)], RANGE);
  const first = rig.startCli(['worker']);
  await untilProven(WORKER, 1);
  first.kill('SIGTERM');
  expect(await first.done).toMatchObject({ exitCode: 0 });
  const before = await provenHours(WORKER);
  expect(before.length).toBeLessThan(HOURS.length);

  rig.exchange.requests.clear();
  const second = rig.startCli(['worker']);
  await untilProven(WORKER, HOURS.length);
  await rig.untilIdle(app);
  second.kill('SIGTERM');
  expect(await second.done).toMatchObject({ exitCode: 0 });
  expect(requestsFor(before, rig.exchange.requests.tradeRequests())).toEqual([]);
  await expectComplete(WORKER);
});

test('backfill --detach leaves the work to a worker', async () => {
  const detached = await rig.cli(['backfill', DETACHED, ...ARGS, '--detach']);
  expect(detached).toMatchObject({ exitCode: 0 });
  expect(detached.stderr).toMatch(/run \S+ is queued; cdvault worker processes it/);
  expect(rig.pages(DETACHED)).toEqual([]);
  const worker = rig.startCli(['worker']);
  await untilProven(DETACHED, HOURS.length);
  await rig.untilIdle(app);
  worker.kill('SIGTERM');
  expect(await worker.done).toMatchObject({ exitCode: 0 });
  await expectComplete(DETACHED);
});

test('wiping Redis during a run loses no proven hour', async () => {
  const command = rig.startCli(['backfill', WIPED, ...ARGS]);
  await untilProven(WIPED, 2);
  await rig.wipeRedis();
  // The command has lost its queue. However it ends, it must do no harm.
  command.kill('SIGINT');
  command.kill('SIGINT');
  await command.done;
  await rig.wipeRedis();

  const before = await provenHours(WIPED);
  expect(before.length).toBeGreaterThan(1);
  rig.exchange.requests.clear();
  expect(await rig.cli(['backfill', WIPED, ...ARGS])).toMatchObject({ exitCode: 0 });
  expect(requestsFor(before, rig.exchange.requests.tradeRequests())).toEqual([]);
  await expectComplete(WIPED);
});

test('a run ends when its queue is wiped', async () => {
  const command = rig.startCli(['backfill', QUIET, ...ARGS]);
  await untilProven(QUIET, 1);
  await rig.wipeRedis();
  const { exitCode } = await command.done;
  // Complete when the wipe came late; else the exit code says that hours are not fetched.
  expect([0, 4, 5]).toContain(exitCode);
  expect(await rig.cli(['backfill', QUIET, ...ARGS])).toMatchObject({ exitCode: 0 });
  await expectComplete(QUIET);
});
