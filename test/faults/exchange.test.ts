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
// Some three pages an hour.
const trades = syntheticTrades({
  seed: 71,
  fromMs: DAY - HOUR_MS,
  toMs: DAY + 12 * HOUR_MS,
  tradesPerHour: 2_500,
});
/** All pages of trades, and none of the small questions before them. */
const ON_PAGES = { fromIdRange: [0, 1e15] } as const;

let one: OneSymbol;

async function start(range = TWO_HOURS, faultSeed = 1): Promise<void> {
  one = await OneSymbol.start(trades, range, { faultSeed });
}

type Answer = Omit<Fault, 'name' | 'when'>;

/**
 * What passes by itself: one page is answered so, once, and the run ends well. A new fault is one row.
 * Those marked quick are one of each sort.
 */
const PASSING: readonly (readonly [string, ErrorCode, Answer, 'quick'?])[] = [
  ['500 -1000, an unknown error', 'EXCHANGE_UNAVAILABLE', { kind: 'internalError' }],
  ['400 -1001, disconnected', 'EXCHANGE_UNAVAILABLE', { kind: 'apiError', code: -1001 }],
  ['400 -1006, an unexpected response', 'EXCHANGE_UNAVAILABLE', { kind: 'apiError', code: -1006 }],
  ['-1007, after its own ten seconds', 'EXCHANGE_UNAVAILABLE', { kind: 'backendTimeout' }],
  ['503 -1008, overloaded', 'EXCHANGE_UNAVAILABLE', { kind: 'serverBusy' }],
  ['502 with HTML', 'EXCHANGE_UNAVAILABLE', { kind: 'badGatewayHtml' }, 'quick'],
  ['503 with HTML', 'EXCHANGE_UNAVAILABLE', { kind: 'serviceUnavailable' }],
  ['408', 'EXCHANGE_UNAVAILABLE', { kind: 'requestTimeout' }],
  ['200 with HTML', 'EXCHANGE_BAD_BODY', { kind: 'okHtml' }],
  ['JSON cut in the middle of a row', 'EXCHANGE_BAD_BODY', { kind: 'truncatedJson' }, 'quick'],
  ['JSON without its last byte', 'EXCHANGE_BAD_BODY', { kind: 'truncatedJson', bytes: -1 }],
  ['an empty body', 'EXCHANGE_BAD_BODY', { kind: 'emptyBody' }],
  ['a price that is a number', 'EXCHANGE_BAD_BODY', { kind: 'badSchema' }],
  ['an id that is text', 'EXCHANGE_BAD_BODY', { kind: 'badSchema', variant: 'stringId' }],
  ['a row without its time', 'EXCHANGE_BAD_BODY', { kind: 'badSchema', variant: 'missingTime' }],
  ['a quantity that is null', 'EXCHANGE_BAD_BODY', { kind: 'badSchema', variant: 'nullQty' }],
  ['a price with an exponent', 'EXCHANGE_BAD_BODY', { kind: 'badSchema', variant: 'badDecimal' }],
  ['rows inside an object', 'EXCHANGE_BAD_BODY', { kind: 'badSchema', variant: 'object' }],
  ['null for rows', 'EXCHANGE_BAD_BODY', { kind: 'badSchema', variant: 'nullBody' }],
  ['a wrong Content-Length', 'EXCHANGE_UNREACHABLE', { kind: 'wrongContentLength' }],
  ['gzip that is cut', 'EXCHANGE_UNREACHABLE', { kind: 'gzipCut' }],
  ['one byte a second', 'EXCHANGE_UNREACHABLE', { kind: 'slowDrip' }],
  ['silence after the headers', 'EXCHANGE_UNREACHABLE', { kind: 'stallAfterHeaders' }],
  ['silence before the headers', 'EXCHANGE_UNREACHABLE', { kind: 'stallBeforeHeaders' }],
  ['a reset before the headers', 'EXCHANGE_UNREACHABLE', { kind: 'resetBeforeHeaders' }],
  ['a reset in the body', 'EXCHANGE_UNREACHABLE', { kind: 'resetAfterHeaders' }, 'quick'],
  ['the page before, again', 'EXCHANGE_BAD_PAGE', { kind: 'repeatedPage' }, 'quick'],
  ['a page newest first', 'EXCHANGE_BAD_PAGE', { kind: 'reversedPage' }],
];

for (const [name, code, answer, pace = 'slow'] of PASSING) {
  fault(name, pace, async (report) => {
    await start();
    one.rig.exchange.setFaults([{ name, when: { ...ON_PAGES, request: 2 }, ...answer }]);
    const { exitCode, stderr } = await one.backfill();
    expect(exitCode, stderr).toBe(0);
    expect(spoilt()).toEqual([name]);
    report.saw(lineOf(stderr, code));
    await one.expectNothingLost();
  });
}

function spoilt(): string[] {
  return one.rig.exchange.requests.entries.flatMap((entry) => entry.fault ?? []);
}

fault('nobody listens at the exchange for a while', 'quick', async (report) => {
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

fault('403 from the firewall in the middle of a run', 'quick', async (report) => {
  await start();
  const { exchange } = one.rig;
  exchange.setFaults([{ name: 'firewall', when: ON_PAGES, kind: 'forbiddenHtml' }]);
  const first = await one.backfill();
  expect(first.exitCode).toBe(7);
  expect(first.stderr).toContain('lower --weight-share');
  report.saw(lineOf(first.stderr, 'error EXCHANGE_BLOCKED'));
  // One page of each hour was under way.
  expect(one.rig.pages(one.symbol).length).toBeLessThanOrEqual(2);
  expect(await one.app.ledger.knows(spot(one.symbol))).toBe(false);

  // Who tries again at once sends nothing.
  const asked = exchange.requests.entries.length;
  expect(await one.backfill()).toMatchObject({ exitCode: 7 });
  expect(exchange.requests.entries).toHaveLength(asked);

  exchange.setFaults([]);
  await one.rig.liftPauses();
  expect(await one.backfill()).toMatchObject({ exitCode: 0 });
  await one.expectNothingLost();
});

fault('451: this host does not serve the place, the one advised does', 'quick', async (report) => {
  await start();
  const { exchange } = one.rig;
  exchange.setFaults([{ name: 'everywhere', when: {}, kind: 'restrictedLocation' }]);
  const first = await one.backfill();
  expect(first.exitCode).toBe(7);
  expect(first.stderr).toContain('BINANCE_SPOT_URL=https://data-api.binance.vision');
  report.saw(lineOf(first.stderr, 'error EXCHANGE_RESTRICTED'));
  // For an hour nobody asks that host again, whoever starts.
  expect(await one.backfill()).toMatchObject({ exitCode: 7 });
  expect(exchange.requests.entries).toHaveLength(1);

  exchange.setFaults([]);
  const otherHost = exchange.url.replace('127.0.0.1', 'localhost');
  const moved = await one.backfill({ BINANCE_SPOT_URL: otherHost });
  expect(moved.exitCode, moved.stderr).toBe(0);
  await one.expectNothingLost();
});

/** Those of the table that last no longer than a run wants to, and what needs no row there. */
const MIXED: readonly Answer[] = [
  ...PASSING.map(([, , answer]) => answer).filter(({ kind }) => !/stall|Drip|backend/.test(kind)),
  { kind: 'backendTimeout', delayMs: 200 },
  { kind: 'slow', delayMs: 300 },
  { kind: 'shortPage', rows: 7 },
  { kind: 'skippedStart', rows: 40 },
  { kind: 'emptyPage' },
  { kind: 'limited', retryAfterSeconds: 1 },
];

fault('everything mixed at random', 'quick', async (report) => {
  await start({ startMs: DAY, endMs: DAY + 10 * HOUR_MS }, SEED);
  one.rig.exchange.setFaults(
    MIXED.map((answer, index) => ({
      name: `${answer.kind} ${index}`,
      when: { path: '/api/v3/aggTrades', probability: 0.012 },
      ...answer,
    })),
  );
  const exitCodes: (number | undefined)[] = [];
  let said = '';
  // What a run could not mend, the next one does: the same command, as an operator would.
  while (exitCodes.at(-1) !== 0 && exitCodes.length < 6) {
    const { exitCode, stderr } = await one.backfill();
    exitCodes.push(exitCode);
    said += stderr;
  }
  const story = `exit codes ${exitCodes.join(', ')} after ${spoilt().length} faults`;
  const all = `CDVAULT_SEED=${SEED}: ${story}: ${spoilt().join(', ')}\n${said}`;
  expect(exitCodes.at(-1), all).toBe(0);
  expect(
    exitCodes.slice(0, -1).filter((code) => code !== 3 && code !== 5),
    all,
  ).toEqual([]);
  expect(spoilt().length, all).toBeGreaterThan(2);
  report.saw(story);
  one.rig.exchange.setFaults([]);
  await one.expectNothingLost();
});

printFaultTable();
