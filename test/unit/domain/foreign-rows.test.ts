import { describe, expect, it } from 'vitest';
import type { AggTrade } from '../../../src/domain/trade/agg-trade.ts';
import { createHourRun } from '../../../src/domain/proof/continuity.ts';
import { describeForeign, ForeignRows } from '../../../src/domain/proof/foreign-rows.ts';
import { DAY_MS, HOUR_MS } from '../../../src/domain/time/hour.ts';
import { blockOf, tradeOf } from '../../support/trades.ts';

const START = Date.UTC(2023, 1, 1);
const MONTH = { startMs: START, endMs: START + 28 * DAY_MS };

/** One trade an hour from id 100 on; `dated` gives some ids another time. */
function hourly(rows: number, dated: Readonly<Record<number, number>> = {}): AggTrade[] {
  return Array.from({ length: rows }, (_, index) =>
    tradeOf(100 + index, dated[100 + index] ?? START + index * HOUR_MS + 1000),
  );
}

const timeOfHour = (index: number) => START + index * HOUR_MS + 1000;

interface Checked {
  readonly passedIds: readonly number[];
  readonly foreignIds: readonly number[];
  readonly evidence: readonly string[];
}

/** Checks trades as the pieces of a file, `size` rows each. */
function check(trades: readonly AggTrade[], size: number, range = MONTH): Checked {
  const foreign = new ForeignRows(range);
  const passedIds: number[] = [];
  const take = (blocks: ReturnType<ForeignRows['push']>) => {
    for (const block of blocks) for (const id of block.aggIds) passedIds.push(id);
  };
  for (let at = 0; at < trades.length; at += size)
    take(foreign.push(blockOf(trades.slice(at, at + size))));
  take(foreign.end());
  expect(foreign.count).toBe(trades.length - passedIds.length);
  return {
    passedIds,
    foreignIds: foreign.named.map(({ id }) => id),
    evidence: foreign.named.map(describeForeign),
  };
}

const without = (trades: readonly AggTrade[], ids: readonly number[]) =>
  trades.map(({ aggId }) => aggId).filter((id) => !ids.includes(id));

describe.each([[1_000], [150], [7], [1]])('rows of a file in pieces of %i', (size) => {
  it('pass when they are an hour or days apart: silence is not a wrong date', () => {
    const trades = [
      ...hourly(50),
      tradeOf(150, START + 20 * DAY_MS),
      tradeOf(151, MONTH.endMs - 1),
    ];
    expect(check(trades, size).passedIds).toEqual(without(trades, []));
  });

  it('are refused and named when they are dated ten days early', () => {
    const trades = hourly(672, { 400: START + 2 * DAY_MS + 12 * HOUR_MS + 1000 });
    const checked = check(trades, size);
    expect(checked.passedIds).toEqual(without(trades, [400]));
    expect(checked.evidence).toEqual([
      'id 400 is dated 2023-02-03T12:00:01.000Z and lies among trades of 2023-02-13T11:00:01.000Z',
    ]);
  });

  it('are refused when they are dated ten days late', () => {
    const trades = hourly(672, { 200: START + 14 * DAY_MS + 4 * HOUR_MS });
    expect(check(trades, size)).toMatchObject({
      passedIds: without(trades, [200]),
      foreignIds: [200],
    });
  });

  it('are refused when several in a row are early or late', () => {
    const ids = Array.from({ length: 10 }, (_, index) => 300 + index);
    const dated = (days: number) =>
      Object.fromEntries(ids.map((id) => [id, START + days * DAY_MS + id * 1000]));
    for (const days of [0, 25]) {
      const trades = hourly(672, dated(days));
      expect(check(trades, size)).toMatchObject({ foreignIds: ids });
    }
  });

  it('are refused when they are the first or the last row', () => {
    const trades = hourly(100, { 100: START + 9 * DAY_MS, 199: START });
    expect(check(trades, size).foreignIds).toEqual([100, 199]);
  });

  it('are refused outside the dates of the file', () => {
    const trades = hourly(24, { 101: START - 1, 123: START + DAY_MS });
    const range = { startMs: START, endMs: START + DAY_MS };
    expect(check(trades, size, range).foreignIds).toEqual([101, 123]);
  });

  it('pass when they lie less than an hour before their hour', () => {
    const at = (index: number) => START + index * HOUR_MS + 1000;
    const trades = hourly(48, { 110: at(10) - 3_599_000, 120: at(20) - 1 });
    expect(check(trades, size).passedIds).toEqual(without(trades, []));
  });

  it('pass when they lie exactly an hour before their hour, and not a microsecond earlier', () => {
    const trades = hourly(30);
    const [hourUs, boundUs] = [(START + 20 * HOUR_MS) * 1000, HOUR_MS * 1000];
    const dated = (timeUs: number) =>
      trades.map((trade) => (trade.aggId === 121 ? { ...trade, timeUs } : trade));
    // Row 121 follows row 120, which lies in hour 20.
    expect(check(dated(hourUs - boundUs), size).foreignIds).toEqual([]);
    expect(check(dated(hourUs - boundUs - 1), size).foreignIds).toEqual([121]);
  });

  it('pass in the last microsecond of the file’s dates, and are refused in the next', () => {
    const trades = hourly(24);
    const endUs = (START + DAY_MS) * 1000;
    const dated = (timeUs: number) =>
      trades.map((trade) => (trade.aggId === 123 ? { ...trade, timeUs } : trade));
    const range = { startMs: START, endMs: START + DAY_MS };
    expect(check(dated(endUs - 1), size, range).foreignIds).toEqual([]);
    expect(check(dated(endUs), size, range).foreignIds).toEqual([123]);
  });

  it('are refused also when ids are missing around them', () => {
    const trades = hourly(672, { 200: START + 14 * DAY_MS, 400: START + DAY_MS }).filter(
      ({ aggId }) => aggId !== 201 && aggId !== 399,
    );
    expect(check(trades, size).foreignIds).toEqual([200, 400]);
  });

  it('are refused when they are late by less time than the rows that are compared cover', () => {
    expect(check(hourly(672, { 400: timeOfHour(300 + 48) }), size).foreignIds).toEqual([400]);
  });

  it('pass in two interleaved streams, in which no row continues the one before', () => {
    const early = hourly(50);
    const late = Array.from({ length: 50 }, (_, index) =>
      tradeOf(9_000 + index, START + 26 * DAY_MS + index),
    );
    const trades = early.flatMap((trade, index) => [trade, late[index] ?? trade]);
    expect(check(trades, size).passedIds).toEqual(without(trades, []));
  });
});

it('keeps the first thousand rows for evidence, and counts the others', () => {
  const foreign = new ForeignRows({ startMs: 0, endMs: START });
  expect(foreign.push(blockOf(hourly(1_024)))).toEqual([]);
  expect(foreign.count).toBe(1_024);
  expect(foreign.named).toHaveLength(1_000);
});

describe('an hour’s run from REST', () => {
  const HOUR = START + 10 * HOUR_MS;
  const start = (expectedId: number) => createHourRun({ hourMs: HOUR }, { expectedId });
  const inside = (id: number) => tradeOf(id, HOUR + id);
  const foreignRow = (id: number, days: number) => tradeOf(id, HOUR + days * DAY_MS);

  it.each([[-10], [10]])(
    'leaves out a row that is dated %i days off; its id counts as missing',
    (days) => {
      const run = start(7);
      const page = [
        tradeOf(7, HOUR - 2),
        tradeOf(8, HOUR - 1),
        inside(9),
        foreignRow(10, days),
        inside(11),
        tradeOf(12, HOUR + HOUR_MS),
        tradeOf(13, HOUR + HOUR_MS + 1),
      ];
      const { kept, holes, done } = run.accept(page);
      expect(done).toBe(true);
      expect(kept.map(({ aggId }) => aggId)).toEqual([9, 11]);
      const [hole] = holes;
      expect(holes).toHaveLength(1);
      expect(hole).toMatchObject({ fromId: 10, toId: 11, foreign: { id: 10 } });
      expect(run.facts).toMatchObject({
        rows: 2,
        first: { id: 9 },
        last: { id: 11 },
        next: { id: 12 },
      });
    },
  );

  it('does not end at a late row whose next id is missing, nor at a late row near its end', () => {
    const [end, late] = [HOUR + HOUR_MS, HOUR + 2.5 * HOUR_MS];
    const page = [
      inside(9),
      tradeOf(10, late),
      inside(12),
      tradeOf(13, end - 2),
      tradeOf(14, late),
    ];
    const run = start(9);
    run.accept([...page, tradeOf(15, end - 1), tradeOf(16, end), tradeOf(17, end + 1)]);
    expect(run.facts).toMatchObject({ rows: 4, last: { id: 15 }, next: { id: 16 } });
  });

  it('of a quiet symbol continues after a row that is dated a few hours late', () => {
    const run = start(9);
    const quiet = Array.from({ length: 60 }, (_, row) => tradeOf(10 + row, HOUR + row * 180_000));
    run.accept([tradeOf(9, HOUR - 1), ...quiet.with(3, tradeOf(13, HOUR + 3 * HOUR_MS))]);
    expect(run.facts).toMatchObject({ rows: 19, last: { id: 29 }, next: { id: 30 } });
  });

  it('does not end at a row that is dated late, nor begin after one that is dated early', () => {
    const run = start(7);
    const page = [
      tradeOf(7, HOUR - 1),
      foreignRow(8, -10),
      inside(9),
      foreignRow(10, 3),
      inside(11),
    ];
    expect(run.accept(page).done).toBe(false);
    run.accept([]);
    // An hour whose first trade may be the one with the wrong date is not proven from there on.
    expect(run.facts).toMatchObject({
      prev: { id: 7 },
      first: { id: 9 },
      last: { id: 11 },
      rows: 2,
    });
    expect(run.facts.next).toBeUndefined();
  });

  it('leaves the last row of a full page to the next page when only that can decide', () => {
    const run = start(9);
    const silence = tradeOf(11, HOUR + 5 * HOUR_MS);
    expect(run.accept([inside(9), inside(10), silence], true)).toMatchObject({
      done: false,
      nextId: 11,
    });
    expect(run.accept([silence, inside(12), inside(13)], true)).toMatchObject({
      holes: [{ fromId: 11, toId: 12 }],
      done: false,
    });
    // No row follows a page that is not full, so its last row is accepted.
    expect(run.accept([tradeOf(14, HOUR + 5 * HOUR_MS)])).toMatchObject({ done: true, nextId: 14 });
  });

  it('counts the rows whose time lies in the hour before, with their sums', () => {
    const run = start(9);
    run.accept([
      tradeOf(9, HOUR),
      tradeOf(10, HOUR - 1, { qty: '2.50000000' }),
      tradeOf(11, HOUR - 2, { qty: '0.25000000', isBuyerMaker: true }),
      tradeOf(12, HOUR - HOUR_MS, { price: '0' }),
      inside(13),
      tradeOf(14, HOUR + HOUR_MS),
    ]);
    expect(run.facts).toMatchObject({
      rows: 5,
      reachBack: { rows: 3, invalidRows: 1, buyE8: 250_000_000n, sellE8: 25_000_000n },
    });
    const blocks = start(9);
    blocks.acceptBlock(
      blockOf([tradeOf(9, HOUR), tradeOf(10, HOUR - 1, { qty: '2.50000000' }), inside(11)]),
      0,
    );
    expect(blocks.facts.reachBack).toEqual({
      rows: 1,
      invalidRows: 0,
      buyE8: 250_000_000n,
      sellE8: 0n,
    });
  });
});
