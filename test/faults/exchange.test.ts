import { expect } from 'vitest';
import type { ErrorCode } from '../../src/domain/error-catalogue.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import type { Fault } from '../exchange/faults.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { spot } from '../e2e/rig.ts';
import { fault, printFaultTable, SEED } from './fault.ts';
import { lineOf } from './log-line.ts';
import { OneSymbol } from './one-symbol.ts';

const DAY = Date.UTC(2024, 4, 7);
const TWO_HOURS = { startMs: DAY, endMs: DAY + 2 * HOUR_MS };
// About three pages an hour.
const trades = syntheticTrades({
  seed: 71,
  fromMs: DAY - HOUR_MS,
  toMs: DAY + 12 * HOUR_MS,
  tradesPerHour: 2_500,
});
/** Matches all pages of trades, and none of the small requests before them. */
const ON_PAGES = { fromIdRange: [0, 1e15] } as const;

let one: OneSymbol;

async function start(range = TWO_HOURS, faultSeed = 1): Promise<void> {
  one = await OneSymbol.start(trades, range, { faultSeed });
}

type Answer = Omit<Fault, 'name' | 'when'>;

/**
 * Faults that pass by themselves: one page is answered so, once, and the run succeeds. A new fault is one
 * row. One fault of each sort is marked quick.
 */
const PASSING: readonly (readonly [string, ErrorCode, Answer, 'quick'?])[] = [
  ['500 with -1000, an unknown error', 'EXCHANGE_UNAVAILABLE', { kind: 'internalError' }],
  ['400 with -1001, disconnected', 'EXCHANGE_UNAVAILABLE', { kind: 'apiError', code: -1001 }],
  [
    '400 with -1006, an unexpected response',
    'EXCHANGE_UNAVAILABLE',
    { kind: 'apiError', code: -1006 },
  ],
  [
    '-1007, a backend timeout after ten seconds',
    'EXCHANGE_UNAVAILABLE',
    { kind: 'backendTimeout' },
  ],
  ['503 with -1008, overloaded', 'EXCHANGE_UNAVAILABLE', { kind: 'serverBusy' }],
  ['502 with HTML', 'EXCHANGE_UNAVAILABLE', { kind: 'badGatewayHtml' }, 'quick'],
  ['503 with HTML', 'EXCHANGE_UNAVAILABLE', { kind: 'serviceUnavailable' }],
  ['408, a request timeout', 'EXCHANGE_UNAVAILABLE', { kind: 'requestTimeout' }],
  ['200 with HTML', 'EXCHANGE_BAD_BODY', { kind: 'okHtml' }],
  ['JSON that is cut inside a row', 'EXCHANGE_BAD_BODY', { kind: 'truncatedJson' }, 'quick'],
  ['JSON without its last byte', 'EXCHANGE_BAD_BODY', { kind: 'truncatedJson', bytes: -1 }],
  ['an empty body', 'EXCHANGE_BAD_BODY', { kind: 'emptyBody' }],
  ['a price that is a number', 'EXCHANGE_BAD_BODY', { kind: 'badSchema' }],
  ['an id that is text', 'EXCHANGE_BAD_BODY', { kind: 'badSchema', variant: 'stringId' }],
  ['a row without its time', 'EXCHANGE_BAD_BODY', { kind: 'badSchema', variant: 'missingTime' }],
  ['a quantity that is null', 'EXCHANGE_BAD_BODY', { kind: 'badSchema', variant: 'nullQty' }],
  ['a price with an exponent', 'EXCHANGE_BAD_BODY', { kind: 'badSchema', variant: 'badDecimal' }],
  ['rows inside an object', 'EXCHANGE_BAD_BODY', { kind: 'badSchema', variant: 'object' }],
  ['null instead of rows', 'EXCHANGE_BAD_BODY', { kind: 'badSchema', variant: 'nullBody' }],
  ['a wrong Content-Length', 'EXCHANGE_UNREACHABLE', { kind: 'wrongContentLength' }],
  ['a gzip body that is cut', 'EXCHANGE_UNREACHABLE', { kind: 'gzipCut' }],
  ['one byte a second', 'EXCHANGE_UNREACHABLE', { kind: 'slowDrip' }],
  ['no body after the headers', 'EXCHANGE_UNREACHABLE', { kind: 'stallAfterHeaders' }],
  ['no answer at all', 'EXCHANGE_UNREACHABLE', { kind: 'stallBeforeHeaders' }],
  ['a reset before the headers', 'EXCHANGE_UNREACHABLE', { kind: 'resetBeforeHeaders' }],
  ['a reset in the body', 'EXCHANGE_UNREACHABLE', { kind: 'resetAfterHeaders' }, 'quick'],
  ['the previous page again', 'EXCHANGE_BAD_PAGE', { kind: 'repeatedPage' }, 'quick'],
  ['a page with the newest trade first', 'EXCHANGE_BAD_PAGE', { kind: 'reversedPage' }],
];

for (const [name, code, answer, pace = 'slow'] of PASSING) {
  fault(name, pace, async (report) => {
    await start();
    one.rig.exchange.setFaults([{ name, when: { ...ON_PAGES, request: 2 }, ...answer }]);
    const { exitCode, stderr } = await one.backfill();
    expect(exitCode, stderr).toBe(0);
    expect(faultsMet()).toEqual([name]);
    report.saw(lineOf(stderr, code));
    await one.expectNothingLost();
  });
}

function faultsMet(): string[] {
  return one.rig.exchange.requests.entries.flatMap((entry) => entry.fault ?? []);
}

fault('the exchange refuses connections for a while', 'quick', async (report) => {
  await start();
  const proxy = await startTcpProxy(Number(new URL(one.rig.exchange.url).port));
  try {
    await proxy.cut();
    const run = one.startBackfill(
      { BINANCE_SPOT_URL: `http://127.0.0.1:${proxy.port}` },
      (line) => line.includes('ECONNREFUSED') && void proxy.heal(),
    );
    const { exitCode, stderr } = await run.done;
    expect(exitCode, stderr).toBe(0);
    report.saw(lineOf(stderr, 'ECONNREFUSED'));
    await one.expectNothingLost();
  } finally {
    await proxy.close();
  }
});

fault('403 from the firewall ends a run; the next one sends nothing', 'quick', async (report) => {
  await start();
  const { exchange } = one.rig;
  exchange.setFaults([{ name: 'firewall', when: ON_PAGES, kind: 'forbiddenHtml' }]);
  const first = await one.backfill();
  expect(first.exitCode).toBe(7);
  expect(first.stderr).toContain('lower --weight-share');
  report.saw(lineOf(first.stderr, 'error EXCHANGE_BLOCKED'));
  // At most one page of each hour was in flight.
  expect(one.rig.pages(one.symbol).length).toBeLessThanOrEqual(2);
  expect(await one.app.ledger.knows(spot(one.symbol))).toBe(false);

  // A run right after it sends nothing.
  const asked = exchange.requests.entries.length;
  expect(await one.backfill()).toMatchObject({ exitCode: 7 });
  expect(exchange.requests.entries).toHaveLength(asked);

  exchange.setFaults([]);
  await one.rig.liftPauses();
  expect(await one.backfill()).toMatchObject({ exitCode: 0 });
  await one.expectNothingLost();
});

fault('451, a restricted location: the host in the advice works', 'quick', async (report) => {
  await start();
  const { exchange } = one.rig;
  exchange.setFaults([{ name: 'everywhere', when: {}, kind: 'restrictedLocation' }]);
  const first = await one.backfill();
  expect(first.exitCode).toBe(7);
  expect(first.stderr).toContain('BINANCE_SPOT_URL=https://data-api.binance.vision');
  report.saw(lineOf(first.stderr, 'error EXCHANGE_RESTRICTED'));
  // For an hour no command sends a request to that host.
  expect(await one.backfill()).toMatchObject({ exitCode: 7 });
  expect(exchange.requests.entries).toHaveLength(1);

  exchange.setFaults([]);
  const otherHost = exchange.url.replace('127.0.0.1', 'localhost');
  const moved = await one.backfill({ BINANCE_SPOT_URL: otherHost });
  expect(moved.exitCode, moved.stderr).toBe(0);
  await one.expectNothingLost();
});

/** Faults of the table without long waits, and some that need no row there. */
const MIXED: readonly Answer[] = [
  ...PASSING.map(([, , answer]) => answer).filter(({ kind }) => !/stall|Drip|backend/.test(kind)),
  { kind: 'backendTimeout', delayMs: 200 },
  { kind: 'slow', delayMs: 300 },
  { kind: 'shortPage', rows: 7 },
  { kind: 'skippedStart', rows: 40 },
  { kind: 'emptyPage' },
  { kind: 'limited', retryAfterSeconds: 1 },
];

fault('many faults mixed at random', 'quick', async (report) => {
  await start({ startMs: DAY, endMs: DAY + 10 * HOUR_MS }, SEED);
  one.rig.exchange.setFaults(
    MIXED.map((answer, index) => ({
      name: `${answer.kind} ${index}`,
      when: { path: '/api/v3/aggTrades', probability: 0.012 },
      ...answer,
    })),
  );
  const exitCodes: (number | undefined)[] = [];
  let output = '';
  // Repeats the command, as an operator would, until a run has repaired the rest.
  while (exitCodes.at(-1) !== 0 && exitCodes.length < 6) {
    const { exitCode, stderr } = await one.backfill();
    exitCodes.push(exitCode);
    output += stderr;
  }
  const summary = `exit codes ${exitCodes.join(', ')} after ${faultsMet().length} faults`;
  const all = `CDVAULT_SEED=${SEED}: ${summary}: ${faultsMet().join(', ')}\n${output}`;
  expect(exitCodes.at(-1), all).toBe(0);
  expect(
    exitCodes.slice(0, -1).filter((code) => code !== 3 && code !== 5),
    all,
  ).toEqual([]);
  expect(faultsMet().length, all).toBeGreaterThan(2);
  report.saw(summary);
  one.rig.exchange.setFaults([]);
  await one.expectNothingLost();
});

printFaultTable();
