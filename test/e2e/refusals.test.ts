import { afterEach, beforeEach, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS } from '../../src/domain/hour.ts';
import { INTERVALS } from '../../src/domain/interval.ts';
import type { Fault } from '../exchange/faults.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { hoursOfDay, referenceDay, truth, withoutTrust } from './reference.ts';
import { Rig, spot } from './rig.ts';

const DAY = Date.UTC(2024, 2, 4);
const RANGE = { startMs: DAY, endMs: DAY + 12 * HOUR_MS };
const ARGS = ['--from', '2024-03-04T00:00Z', '--to', '2024-03-04T12:00Z'];
const HOURS = hoursOfDay(DAY).slice(0, 12);
const trades = syntheticTrades({
  seed: 51,
  fromMs: DAY - HOUR_MS,
  toMs: DAY + 14 * HOUR_MS,
  tradesPerHour: 400,
});
const CONCURRENCY = 8;

/** A refusal is remembered for the whole address, so each test has its own. */
let rig: Rig;
let app: App;
let symbol: string;

beforeEach(async () => {
  symbol = unique('REF');
  // Weight is enforced: what is asked in spite of a refusal is a violation.
  rig = await Rig.start({
    symbols: [{ symbol, trades }],
    enforceWeight: true,
    // On a busy machine a request may be under way for longer than on a network.
    inFlightMs: 1_000,
    concurrency: CONCURRENCY,
  });
  app = await rig.app();
});

afterEach(async () => rig.dispose());

/** Spoils pages of trades and leaves the small questions before them alone. */
function onPages(fault: Omit<Fault, 'name' | 'when'>, when: Fault['when'] = {}): Fault {
  return { name: fault.kind, when: { fromIdRange: [0, 1e15], ...when }, ...fault };
}

async function expectDone(): Promise<void> {
  expect(await app.ledger.totals(spot(symbol), RANGE)).toEqual({
    proven: 12,
    open: 0,
    gap: 0,
    rows: truth(trades, RANGE).length,
  });
  for (const interval of INTERVALS) {
    const bars = await app.bars.bars(spot(symbol), interval, RANGE);
    expect(bars.map(withoutTrust)).toEqual(referenceDay(trades, DAY, interval, HOURS));
  }
}

test('451: exit code 7 at the first word, and the host that does serve', async () => {
  rig.exchange.setFaults([{ name: 'everywhere', when: {}, kind: 'restrictedLocation' }]);
  const { exitCode, stderr } = await rig.cli(['backfill', symbol, ...ARGS]);
  expect(exitCode).toBe(7);
  expect(stderr).toContain('error EXCHANGE_RESTRICTED: ');
  expect(stderr).toContain('BINANCE_SPOT_URL=https://data-api.binance.vision');
  expect(rig.exchange.requests.entries).toHaveLength(1);

  // For an hour nobody asks again, whoever starts.
  expect(await rig.cli(['backfill', symbol, ...ARGS])).toMatchObject({ exitCode: 7 });
  expect(rig.exchange.requests.entries).toHaveLength(1);
});

test('403 in the middle of a run: exit code 7, and no more than what was under way', async () => {
  rig.exchange.setFaults([onPages({ kind: 'forbiddenHtml' })]);
  const { exitCode, stderr } = await rig.cli(['backfill', symbol, ...ARGS]);
  expect(exitCode).toBe(7);
  expect(stderr).toContain('error EXCHANGE_BLOCKED: ');
  expect(stderr).toContain('lower --weight-share');
  expect(rig.pages(symbol).length).toBeLessThanOrEqual(CONCURRENCY);
  expect(await app.ledger.knows(spot(symbol))).toBe(false);

  const asked = rig.exchange.requests.entries.length;
  expect(await rig.cli(['backfill', symbol, ...ARGS])).toMatchObject({ exitCode: 7 });
  expect(rig.exchange.requests.entries).toHaveLength(asked);
});

test('a long ban: exit code 7, and nothing is sent while it lasts, not even by a new process after Redis was wiped', async () => {
  rig.exchange.setFaults([onPages({ kind: 'banned', retryAfterSeconds: 7_200 }, { times: 1 })]);
  const first = await rig.cli(['backfill', symbol, ...ARGS]);
  expect(first.exitCode).toBe(7);
  expect(first.stderr).toContain('error EXCHANGE_BANNED: ');
  expect(first.stderr).toContain('Nothing is sent until the ban ends');
  expect(rig.exchange.requests.violations()).toEqual([]);
  const asked = rig.exchange.requests.entries.length;

  expect(await rig.cli(['backfill', symbol, ...ARGS])).toMatchObject({ exitCode: 7 });
  await rig.wipeRedis();
  const wiped = await rig.cli(['backfill', symbol, ...ARGS]);
  expect(wiped.exitCode).toBe(7);
  expect(wiped.stderr).toMatch(/EXCHANGE_BANNED: this address is banned .* until 20\d\d-/);
  expect(wiped.durationMs).toBeLessThan(15_000);
  expect(rig.exchange.requests.entries).toHaveLength(asked);
});

test('a ban of seconds is waited for, and the run ends by itself', async () => {
  rig.exchange.setFaults([
    onPages({ kind: 'banned', retryAfterSeconds: 3 }, { request: 3, times: 1 }),
  ]);
  const { exitCode, stderr } = await rig.cli(['backfill', symbol, ...ARGS]);
  expect(stderr).toContain('12 of 12 hours proven');
  expect(exitCode).toBe(0);
  expect(rig.exchange.requests.violations()).toEqual([]);
  await expectDone();
});

test('429: everybody pauses as long as the exchange asks', async () => {
  rig.exchange.setFaults([
    onPages({ kind: 'limited', retryAfterSeconds: 3 }, { everyNth: 5, times: 2 }),
  ]);
  const { exitCode } = await rig.cli(['backfill', symbol, ...ARGS]);
  expect(exitCode).toBe(0);
  const { requests } = rig.exchange;
  expect(requests.entries.filter(({ status }) => status === 429)).toHaveLength(2);
  expect(requests.violations()).toEqual([]);
  await expectDone();
});

test('a mixture of what passes: complete and exact', async () => {
  const seed = Number(process.env['CDVAULT_TEST_SEED'] ?? Date.now() % 1_000_000);
  const kinds = [
    'serviceUnavailable',
    'internalError',
    'serverBusy',
    'badGatewayHtml',
    'resetBeforeHeaders',
    'resetAfterHeaders',
    'wrongContentLength',
    'truncatedJson',
    'gzipCut',
    'okHtml',
    'emptyBody',
    'badSchema',
    'repeatedPage',
  ] as const;
  const faults = kinds.map((kind): Fault => {
    const when = { path: '/api/v3/aggTrades', probability: 0.03 };
    return { name: kind, when, kind };
  });
  await rig.dispose();
  rig = await Rig.start({ symbols: [{ symbol, trades }], faultSeed: seed, faults });
  app = await rig.app();

  const result = await rig.backfill(app, [spot(symbol)], RANGE);
  const { entries } = rig.exchange.requests;
  const spoilt = entries.filter(({ fault }) => fault !== undefined).map(({ fault }) => fault);
  const said = `CDVAULT_TEST_SEED=${seed}: ${spoilt.join(' ')}`;
  expect(result, said).toMatchObject({ exitCode: 0, proven: 12, unknown: 0 });
  expect(spoilt.length, said).toBeGreaterThan(2);
  await expectDone();
});
