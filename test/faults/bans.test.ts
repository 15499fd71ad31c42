import { expect } from 'vitest';
import { literal } from '../../src/adapters/questdb/sql.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import type { Fault } from '../exchange/faults.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { eventually, spot } from '../e2e/rig.ts';
import { fault, printFaultTable } from './fault.ts';
import { lineOf } from './log-line.ts';
import { OneSymbol } from './one-symbol.ts';

const DAY = Date.UTC(2024, 2, 4);
const RANGE = { startMs: DAY, endMs: DAY + 12 * HOUR_MS };
const trades = syntheticTrades({
  seed: 51,
  fromMs: DAY - HOUR_MS,
  toMs: DAY + 14 * HOUR_MS,
  tradesPerHour: 400,
});
/** Longer than the start of a process on a busy machine, so that it starts within the ban. */
const BAN_SECONDS = 25;

let one: OneSymbol;

async function start(): Promise<void> {
  one = await OneSymbol.start(trades, RANGE, {
    // A request during a pause or ban is a violation.
    enforceWeight: true,
    // On a busy machine a request may be in flight for longer than on a network.
    inFlightMs: 1_000,
  });
}

/** Answers pages of trades so, but not the small requests before them. */
function onPages(answer: Omit<Fault, 'name' | 'when'>, when: Fault['when']): void {
  const fault = {
    name: answer.kind,
    when: { fromIdRange: [0, 1e15] as const, ...when },
    ...answer,
  };
  one.rig.exchange.setFaults([fault]);
}

function requestCount(): number {
  return one.rig.exchange.requests.entries.length;
}

/** Waits until the store remembers the ban: from then on every request is a violation. */
async function untilBanIsKnown(): Promise<void> {
  await eventually('the store remembers the ban', async () => {
    const rows = await one.app.sql.query(
      `SELECT banned_until FROM exchange_state WHERE egress = ${literal(one.rig.name)} AND banned_until > now()`,
    );
    return rows.length > 0;
  });
}

/** The end of the ban as the exchange counts it. */
function banEndMs(): number {
  const banned = one.rig.exchange.requests.entries.find((entry) => entry.fault === 'banned');
  if (banned === undefined) throw new Error('no request was banned');
  return banned.atMs + BAN_SECONDS * 1000;
}

/** Checks that the n-th request came after the end of the ban, and that no request violated it. */
function expectSilenceFrom(request: number): void {
  const { requests } = one.rig.exchange;
  expect(requests.entries[request]?.atMs).toBeGreaterThanOrEqual(banEndMs());
  expect(requests.violations()).toEqual([]);
}

fault(
  'a ban survives a kill and FLUSHALL: nothing is sent until it ends, then the next run resumes',
  'quick',
  async (report) => {
    await start();
    onPages({ kind: 'banned', retryAfterSeconds: BAN_SECONDS }, { request: 3, times: 1 });
    const first = one.startBackfill();
    await untilBanIsKnown();
    first.kill('SIGKILL');
    report.saw(lineOf((await first.done).stderr, 'Requests to the exchange are paused'));
    await one.rig.wipeRedis();
    const before = requestCount();

    const { exitCode, stderr } = await one.backfill();
    expect(exitCode, stderr).toBe(0);
    expectSilenceFrom(before);
    await one.expectNothingLost();
  },
);

fault(
  'a ban survives a worker: nothing is sent until it ends, then the next worker resumes the queue',
  'slow',
  async (report) => {
    await start();
    expect(await one.detach()).toMatchObject({ exitCode: 0 });
    onPages({ kind: 'banned', retryAfterSeconds: BAN_SECONDS }, { request: 3, times: 1 });
    const said: string[] = [];
    const work = () =>
      one.rig.startCli(['worker'], (line) => said.push(line), { CDVAULT_LOG: 'warn' });
    const first = work();
    await untilBanIsKnown();
    // Two signals: after one the worker would finish its hours in flight, which wait for the end of the ban.
    first.kill('SIGTERM');
    await eventually('the worker drains', () =>
      said.some((line) => line.includes('a second signal')),
    );
    first.kill('SIGTERM');
    expect(await first.done).toMatchObject({ exitCode: 0 });
    const before = requestCount();

    const second = work();
    await untilProven();
    await one.rig.untilIdle(one.app);
    second.kill('SIGTERM');
    expect(await second.done).toMatchObject({ exitCode: 0 });
    report.saw(lineOf(said.join('\n'), 'Requests to the exchange are paused'));
    expectSilenceFrom(before);
    await one.expectNothingLost();
  },
);

async function untilProven(): Promise<void> {
  await eventually('all hours are proven', async () => {
    const { proven } = await one.app.ledger.totals(spot(one.symbol), RANGE);
    return proven === 12;
  });
}

fault('a long ban ends the command at once; later ones send nothing', 'slow', async (report) => {
  await start();
  onPages({ kind: 'banned', retryAfterSeconds: 7_200 }, { times: 1 });
  const first = await one.backfill();
  expect(first.exitCode).toBe(7);
  expect(first.stderr).toContain('No requests are sent until the ban ends');
  const before = requestCount();

  expect(await one.backfill()).toMatchObject({ exitCode: 7 });
  await one.rig.wipeRedis();
  const wiped = await one.backfill();
  expect(wiped.exitCode).toBe(7);
  expect(wiped.stderr).toMatch(/EXCHANGE_BANNED: this address is banned .* until 20\d\d-/);
  report.saw(lineOf(wiped.stderr, 'error EXCHANGE_BANNED'));
  expect(requestCount()).toBe(before);
  expect(one.rig.exchange.requests.violations()).toEqual([]);

  // As if the two hours had passed.
  one.rig.exchange.pardon();
  await one.app.sql.query(
    `UPDATE exchange_state SET banned_until = now() WHERE egress = ${literal(one.rig.name)}`,
  );
  await one.rig.liftPauses();
  expect(await one.backfill()).toMatchObject({ exitCode: 0 });
  await one.expectNothingLost();
});

fault('429 with Retry-After makes all three workers pause', 'slow', async (report) => {
  await start();
  expect(await one.detach()).toMatchObject({ exitCode: 0 });
  onPages({ kind: 'limited', retryAfterSeconds: 4 }, { everyNth: 5, times: 2 });
  const said: string[] = [];
  const workers = [1, 2, 3].map(() =>
    one.rig.startCli(['worker', '--concurrency', '2'], (line) => said.push(line), {
      CDVAULT_LOG: 'info',
    }),
  );
  await untilProven();
  await one.rig.untilIdle(one.app);
  for (const worker of workers) worker.kill('SIGTERM');
  for (const worker of workers) expect(await worker.done).toMatchObject({ exitCode: 0 });

  const { requests } = one.rig.exchange;
  expect(requests.entries.filter(({ status }) => status === 429)).toHaveLength(2);
  // The workers that did not get the 429 themselves paused, too.
  expect(requests.violations()).toEqual([]);
  report.saw(lineOf(said.join('\n'), 'rate_limited'));
  await one.expectNothingLost();
});

printFaultTable();
