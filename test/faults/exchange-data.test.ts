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
// Some three pages an hour.
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
  /** What the database shows. */
  readonly data?: readonly DataFault[];
  /** How the first page of the first hour is answered, once. */
  readonly page?: Omit<Fault, 'name' | 'when'>;
  /** Of one run after the other, the last of which is 0. */
  readonly exitCodes: readonly number[];
  /** Part of the line that tells of it. */
  readonly saw: string;
}

/** Rows that the first pages to hold them lack; a page with a hole is asked three times. */
function unread(hour: number, from: number, rows: number, reads: number): DataFault {
  return { kind: 'unreadRows', fromId: idIn(hour, from), toId: idIn(hour, from + rows - 1), reads };
}

/** The first time that the row is read. */
function altered(n: number, change: Partial<Trade>): DataFault {
  return { kind: 'alteredRead', id: idIn(0, n), onRead: 1, change };
}

/** What one page, or one look at it, gets wrong, and asking again puts right. A new fault is one row. */
const FAULTS: readonly Row[] = [
  {
    name: 'a page that starts behind the id asked for',
    page: { kind: 'skippedStart', rows: 3 },
    exitCodes: [0],
    saw: 'page with a hole',
  },
  {
    name: 'a page from far ahead',
    page: { kind: 'skippedStart', rows: 5_000 },
    exitCodes: [0],
    saw: 'page with a hole',
  },
  { name: 'a short page', page: { kind: 'shortPage', rows: 5 }, exitCodes: [0], saw: '2 of 2' },
  {
    name: 'an empty page where there are trades',
    page: { kind: 'emptyPage' },
    exitCodes: [3, 0],
    saw: '1 hour open',
  },
  {
    name: 'the database lags for a moment: a hole in a page',
    pace: 'quick',
    data: [unread(0, 1_400, 20, 1)],
    exitCodes: [0],
    saw: 'page with a hole',
  },
  {
    name: 'the database lags for a moment: the first trades of an hour',
    // The command's look at the costs, the search for the hour's start, and its page.
    data: [unread(0, 0, 4, 3)],
    exitCodes: [0],
    saw: 'page with a hole',
  },
  {
    name: 'the database lags for long: a gap until it has caught up',
    data: [unread(0, 1_400, 20, 3)],
    exitCodes: [3, 0],
    saw: '1 hour with gaps',
  },
  {
    name: 'the database lags for long: nothing behind an id until it has caught up',
    // The two looks at the costs, the page that ends there, and the one behind it.
    data: [{ kind: 'unreadRows', fromId: idIn(1, 700), reads: 4 }],
    exitCodes: [3, 0],
    saw: '1 hour open',
  },
  {
    // Behind a hole, so that the second run reads them again.
    name: 'other content on two reads: a quantity and a time',
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
    name: 'a search by time that finds too late a trade',
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
    let said = '';
    for (const [run, wanted] of exitCodes.entries()) {
      const { exitCode, stderr } = await one.backfill();
      said += stderr;
      expect(exitCode, `run ${run + 1}: ${stderr}`).toBe(wanted);
    }
    report.saw(lineOf(said, saw));
    await one.expectNothingLost(trades);
  });
}

printFaultTable();
