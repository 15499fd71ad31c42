import { describe, expect, it } from 'vitest';
import type { AggTrade } from '../../../src/domain/trade/agg-trade.ts';
import { createHourRun } from '../../../src/domain/proof/continuity.ts';
import type { HourRun } from '../../../src/domain/proof/hour-run.ts';
import { CdvaultError } from '../../../src/domain/errors.ts';
import { HOUR_MS, MINUTE_MS } from '../../../src/domain/time/hour.ts';
import { invalidTradeOf, tradeOf } from '../../support/trades.ts';

const HOUR = Date.UTC(2024, 0, 1, 10);
const END = HOUR + HOUR_MS;
const ids = (trades: readonly AggTrade[]): number[] => trades.map(({ aggId }) => aggId);
const run = (expectedId: number): HourRun => createHourRun({ hourMs: HOUR }, { expectedId });
const errorOf = (action: () => unknown): CdvaultError | undefined => {
  try {
    action();
  } catch (error) {
    return error instanceof CdvaultError ? error : undefined;
  }
  return undefined;
};

describe('one hour’s run of ids', () => {
  it('lies between the trade before the hour and the trade at or after its end', () => {
    const hour = run(99);
    const page = [
      tradeOf(99, HOUR - 1),
      tradeOf(100, HOUR),
      tradeOf(101, END - 1),
      tradeOf(102, END),
      tradeOf(103, END),
    ];
    const { kept, ...rest } = hour.accept(page);
    expect(ids(kept)).toEqual([100, 101]);
    expect(rest).toEqual({ holes: [], done: true, nextId: 102 });
    expect(hour.facts).toMatchObject({
      rows: 2,
      prev: { id: 99, timeUs: (HOUR - 1) * 1000 },
      first: { id: 100, timeUs: HOUR * 1000 },
      last: { id: 101, timeUs: (END - 1) * 1000 },
      next: { id: 102, timeUs: END * 1000 },
    });
  });

  it('cuts at the microsecond', () => {
    const hour = run(5);
    const lastUs = END * 1000 - 1;
    const { kept } = hour.accept([
      tradeOf(5, HOUR, { timeUs: lastUs }),
      tradeOf(6, HOUR, { timeUs: lastUs + 1 }),
    ]);
    expect(ids(kept)).toEqual([5]);
  });

  it('starts with id 0 and no predecessor at the listing', () => {
    const hour = run(0);
    expect(ids(hour.accept([tradeOf(0, HOUR + 1), tradeOf(1, END)]).kept)).toEqual([0]);
    expect(hour.facts.prev).toBeUndefined();
  });

  it('is empty between two trades around the hour', () => {
    const hour = run(7);
    expect(hour.accept([tradeOf(7, HOUR - 1), tradeOf(8, END)])).toMatchObject({
      kept: [],
      done: true,
      nextId: 8,
    });
    expect(hour.facts).toMatchObject({
      rows: 0,
      first: undefined,
      last: undefined,
      prev: { id: 7 },
      next: { id: 8 },
    });
  });

  it('stays open when an empty page says that there is no later trade yet', () => {
    const hour = run(7);
    expect(hour.accept([tradeOf(7, HOUR)])).toMatchObject({ done: false, nextId: 8 });
    expect(hour.accept([])).toEqual({ kept: [], holes: [], done: true, nextId: 8 });
    expect(hour.facts).toMatchObject({ rows: 1, next: undefined });
  });

  it('takes no rows after it has ended', () => {
    const hour = run(7);
    hour.accept([]);
    expect(errorOf(() => hour.accept([]))?.code).toBe('INTERNAL');
    expect(errorOf(() => hour.prime([]))?.code).toBe('INTERNAL');
  });

  it('sums valid rows by side and counts invalid ones, which keep their id', () => {
    const hour = run(1);
    hour.accept([
      tradeOf(1, HOUR, { qty: '0.10000000' }),
      invalidTradeOf(2, HOUR),
      tradeOf(3, HOUR, { qty: '0.00000003', isBuyerMaker: true }),
    ]);
    expect(hour.facts).toMatchObject({ rows: 3, invalidRows: 1, buyE8: 10_000_000n, sellE8: 3n });
  });
});

describe('holes', () => {
  it('are half-open ranges of missing ids, wherever the page starts', () => {
    const { holes, kept, nextId } = run(100).accept([
      tradeOf(103, HOUR),
      tradeOf(104, HOUR),
      tradeOf(110, HOUR),
    ]);
    expect(holes).toEqual([
      { fromId: 100, toId: 103 },
      { fromId: 105, toId: 110 },
    ]);
    expect([ids(kept), nextId]).toEqual([[103, 104, 110], 111]);
  });

  it('are found between two pages, and just before the trade after the run, but not after it', () => {
    const hour = run(100);
    expect(hour.accept([tradeOf(100, HOUR)]).holes).toEqual([]);
    expect(hour.accept([tradeOf(102, HOUR), tradeOf(104, END), tradeOf(109, END)]).holes).toEqual([
      { fromId: 101, toId: 102 },
      { fromId: 103, toId: 104 },
    ]);
  });
});

describe('a bad page', () => {
  it.each([
    ['repeats the one before', [99, 100]],
    ['repeats an id', [101, 101]],
    ['is out of order', [101, 103, 102]],
  ])('that %s is refused as a whole and changes nothing', (_name, pageIds) => {
    const hour = run(100);
    hour.accept([tradeOf(100, HOUR)]);
    const before = hour.facts;
    const error = errorOf(() => hour.accept(pageIds.map((id) => tradeOf(id, HOUR))));
    expect(error).toMatchObject({ code: 'EXCHANGE_BAD_PAGE', retryable: true });
    expect(hour.facts).toEqual(before);
    expect(hour.accept([tradeOf(101, HOUR)])).toMatchObject({ holes: [], nextId: 102 });
  });

  it('is bad even when only rows after the run are out of order', () => {
    expect(
      errorOf(() => run(1).accept([tradeOf(1, HOUR), tradeOf(2, END), tradeOf(2, END)]))?.code,
    ).toBe('EXCHANGE_BAD_PAGE');
  });
});

describe('time that runs backwards', () => {
  it('is counted inside the hour, compared with the row before', () => {
    const hour = run(1);
    hour.accept([
      tradeOf(1, HOUR + 5),
      tradeOf(2, HOUR + 4),
      tradeOf(3, HOUR + 5),
      tradeOf(4, HOUR + 5),
    ]);
    expect(hour.facts).toMatchObject({ rows: 4, backwardRows: 1 });
  });

  it('keeps a row in the run of its id, and gives no trade to two hours', () => {
    // 11 is the first at or after the border; 12 is older than it.
    const page = [
      tradeOf(10, END - 2),
      tradeOf(11, END + 1),
      tradeOf(12, END - 1),
      tradeOf(13, END + 2),
    ];
    const before = run(10);
    expect(ids(before.accept(page).kept)).toEqual([10]);
    expect(before.facts).toMatchObject({ backwardRows: 0, next: { id: 11 } });

    const after = createHourRun({ hourMs: END }, { expectedId: 10 });
    expect(ids(after.accept(page).kept)).toEqual([11, 12, 13]);
    expect(after.facts).toMatchObject({ prev: { id: 10 }, backwardRows: 1 });
  });
});

describe('rows that the store holds already', () => {
  const stored = [0, 1, 2, 3].map((index) => tradeOf(100 + index, HOUR + index * MINUTE_MS));

  it('count as if they had been fetched', () => {
    const resumed = createHourRun(
      { hourMs: HOUR },
      { expectedId: 100, prev: { id: 99, timeUs: HOUR * 1000 - 1 } },
    );
    expect(resumed.prime(stored)).toEqual(stored);
    resumed.accept([tradeOf(104, END)]);

    const fetched = run(99);
    fetched.accept([tradeOf(99, HOUR, { timeUs: HOUR * 1000 - 1 }), ...stored, tradeOf(104, END)]);
    expect(resumed.facts).toEqual(fetched.facts);
  });

  it('are accepted after fetched rows, one by one or all at once', () => {
    const hour = run(99);
    hour.accept([tradeOf(99, HOUR - 1), ...stored.slice(0, 2)]);
    expect(stored.flatMap((trade) => [...hour.prime([trade])])).toEqual(stored.slice(2));
    expect(hour).toMatchObject({ nextId: 104, done: false });
  });

  it('are accepted only up to the first hole: the rows after it are fetched again', () => {
    const hour = run(100);
    expect(ids(hour.prime([...stored.slice(0, 2), ...stored.slice(3)]))).toEqual([100, 101]);
    expect(hour.nextId).toBe(102);
    expect(hour.accept([tradeOf(102, HOUR), tradeOf(103, HOUR)]).holes).toEqual([]);
  });

  it('never give the trade after the run: only the exchange can say which trade is next', () => {
    const hour = run(100);
    expect(ids(hour.prime([tradeOf(100, HOUR), tradeOf(101, END)]))).toEqual([100]);
    expect(hour).toMatchObject({ done: false, nextId: 101 });
  });
});
