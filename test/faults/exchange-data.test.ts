import { expect } from 'vitest';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { type DataFault, faultySeries } from '../exchange/data-faults.ts';
import type { Fault } from '../exchange/faults.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import type { Trade } from '../exchange/trade-series.ts';
import { fault, printFaultTable } from './fault.ts';
import { lineOf } from './log-line.ts';
import { OneSymbol } from './one-symbol.ts';

const DAY = Date.UTC(2024, 5, 11);
const RANGE = { startMs: DAY, endMs: DAY + 2 * HOUR_MS };
// About three pages an hour.
const trades = syntheticTrades({
  seed: 72,
  fromMs: DAY - HOUR_MS,
  toMs: DAY + 4 * HOUR_MS,
  tradesPerHour: 2_500,
});

let one: OneSymbol;

/** The id of the n-th trade of an hour of the day. */
function idIn(hour: number, n: number): number {
  return trades.firstId + trades.indexAtTime((DAY + hour * HOUR_MS) * 1000) + n;
}

interface Row {
  readonly name: string;
  readonly pace?: 'quick';
  /** Faults of what the exchange's database shows. */
  readonly data?: readonly DataFault[];
  /** A fault of one answer to a page of the first hour. */
  readonly page?: Omit<Fault, 'name' | 'when'>;
  /** Exit codes of consecutive runs; the last is 0. */
  readonly exitCodes: readonly number[];
  /** Part of the line that reports the fault. */
  readonly saw: string;
}

/** Rows that are missing in the first `reads` pages that hold them. A page with a hole is requested three times. */
function unread(hour: number, from: number, rows: number, reads: number): DataFault {
  return { kind: 'unreadRows', fromId: idIn(hour, from), toId: idIn(hour, from + rows - 1), reads };
}

/** A row with other content in the first page that holds it. */
function altered(n: number, change: Partial<Trade>): DataFault {
  return { kind: 'alteredRead', id: idIn(0, n), onRead: 1, change };
}

/** Faults of one page or one request that a repeated request repairs. A new fault is one row. */
const FAULTS: readonly Row[] = [
  {
    name: 'a page that starts after the requested id',
    page: { kind: 'skippedStart', rows: 3 },
    exitCodes: [0],
    saw: 'page with a hole',
  },
  {
    name: 'a page that starts far after the requested id',
    page: { kind: 'skippedStart', rows: 5_000 },
    exitCodes: [0],
    saw: 'page with a hole',
  },
  { name: 'a short page', page: { kind: 'shortPage', rows: 5 }, exitCodes: [0], saw: '2 of 2' },
  {
    name: 'an empty page, although there are trades',
    page: { kind: 'emptyPage' },
    exitCodes: [3, 0],
    saw: '1 hour open',
  },
  {
    name: 'the exchange’s database lags briefly: a page has a hole',
    pace: 'quick',
    data: [unread(0, 1_400, 20, 1)],
    exitCodes: [0],
    saw: 'page with a hole',
  },
  {
    name: 'the exchange’s database lags briefly: the first trades of an hour are missing',
    // Missing in the command's cost estimate, the search for the hour's start, and its page.
    data: [unread(0, 0, 4, 3)],
    exitCodes: [0],
    saw: 'page with a hole',
  },
  {
    name: 'the exchange’s database lags for long: the hour is a gap until it has caught up',
    data: [unread(0, 1_400, 20, 3)],
    exitCodes: [3, 0],
    saw: '1 hour with gaps',
  },
  {
    name: 'the exchange’s database lags for long: no trade after an id until it has caught up',
    // Missing in two requests of the cost estimate, the page that ends there, and the page after it.
    data: [{ kind: 'unreadRows', fromId: idIn(1, 700), reads: 4 }],
    exitCodes: [3, 0],
    saw: '1 hour open',
  },
  {
    // After a hole, so that the second run reads them again.
    name: 'two reads of a trade differ: a quantity and a time',
    pace: 'quick',
    data: [
      unread(0, 300, 3, 3),
      altered(1_500, { q: '77.00000000' }),
      altered(1_501, { timeUs: (DAY + HOUR_MS / 2) * 1000 }),
    ],
    exitCodes: [3, 0],
    saw: 'burying rows',
  },
  {
    name: 'a search by time that returns too late a trade',
    data: [{ kind: 'lateSearch', id: idIn(0, 0), rows: 1_700, times: 1 }],
    exitCodes: [0],
    saw: '2 of 2',
  },
];

for (const { name, pace = 'slow', data, page, exitCodes, saw } of FAULTS) {
  fault(name, pace, async (report) => {
    const shown = data === undefined ? trades : faultySeries(trades, data);
    one = await OneSymbol.start(shown, RANGE, { concurrency: 1 });
    const when = { fromIdRange: [idIn(0, -1), idIn(1, 0) - 2] as const, request: 1 };
    if (page !== undefined) one.rig.exchange.setFaults([{ name, when, ...page }]);
    let output = '';
    for (const [run, wanted] of exitCodes.entries()) {
      const { exitCode, stderr } = await one.backfill();
      output += stderr;
      expect(exitCode, `run ${run + 1}: ${stderr}`).toBe(wanted);
    }
    report.saw(lineOf(output, saw));
    await one.expectNothingLost(trades);
  });
}

printFaultTable();
