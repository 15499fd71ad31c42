import { describe, expect, it } from 'vitest';
import {
  barStatus,
  type DayInputs,
  dayInputs,
  holdsReach,
  isBuiltFrom,
} from '../../../src/domain/bars/day.ts';
import { restatementOf } from '../../../src/domain/bars/restatement.ts';
import { HOUR_MS, MINUTE_MS } from '../../../src/domain/time/hour.ts';
import type { SliceRecord } from '../../../src/domain/proof/ledger.ts';
import { recordOf } from '../../support/trades.ts';

const DAY = Date.UTC(2024, 0, 1);
const hour = (index: number): number => DAY + index * HOUR_MS;
const endUs = (index: number): number => hour(index + 1) * 1000;

function inputsOf(...records: SliceRecord[]): DayInputs {
  const inputs = dayInputs(DAY, records);
  if (inputs === undefined) throw new Error('nothing known of the day');
  return inputs;
}

const levelMissing = (...records: SliceRecord[]): (number | undefined)[] =>
  inputsOf(...records).hours.map((known) => known.levelMissing);

describe('the inputs of a day’s bars', () => {
  it('are undefined when nothing is known', () => {
    expect(dayInputs(DAY, [])).toBeUndefined();
    expect(
      dayInputs(DAY, [recordOf(hour(3), 0, 0, { prev: undefined, next: undefined })]),
    ).toBeUndefined();
  });

  it('add up proven hours, in any order', () => {
    const inputs = inputsOf(recordOf(hour(1), 110, 5), recordOf(hour(0), 100, 10));
    expect(inputs).toMatchObject({
      levelFromMs: DAY,
      rows: 15,
      idStart: 100,
      idEnd: 115,
      missing: 0,
    });
    expect(inputs.deltaE8).toBe(300_000_000n);
    expect(inputs.volumeE8).toBe(900_000_000n);
    expect(inputs.hours.map(({ levelMissing }) => levelMissing)).toEqual([0, 0]);
    expect(inputs.inputs).toMatch(/^00=proven:100-10e{10} 01=proven:110-5e{11}$/);
  });

  it('count from the first possible id, which is 1 on futures', () => {
    const first = { prev: undefined, market: 'binance_um' } as const;
    expect(inputsOf(recordOf(hour(1), 1, 5, first)).missing).toBe(0);
    expect(inputsOf(recordOf(hour(1), 2, 5, first)).missing).toBeUndefined();
    expect(inputsOf(recordOf(hour(1), 1, 5, { prev: undefined })).missing).toBeUndefined();
  });

  it('start the level at the first stored hour when that is not midnight', () => {
    expect(inputsOf(recordOf(hour(10), 100, 10))).toMatchObject({
      levelFromMs: hour(10),
      missing: 0,
      idStart: 100,
    });
  });

  it('count the ids of hours in between that were not fetched', () => {
    expect(levelMissing(recordOf(hour(0), 100, 10), recordOf(hour(2), 130, 10))).toEqual([0, 20]);
  });

  it('have no missing ids across a silent hour that was not fetched', () => {
    expect(levelMissing(recordOf(hour(0), 100, 10), recordOf(hour(2), 110, 10))).toEqual([0, 0]);
  });

  it('have an empty range of ids in a day without trades', () => {
    const inputs = inputsOf(recordOf(hour(0), 100, 0), recordOf(hour(1), 100, 0));
    expect(inputs).toMatchObject({ rows: 0, idStart: 100, idEnd: 100, missing: 0 });
  });

  it('are exact from the listing on', () => {
    expect(inputsOf(recordOf(hour(0), 0, 0), recordOf(hour(1), 0, 7))).toMatchObject({
      idStart: 0,
      idEnd: 7,
      missing: 0,
    });
  });
});

describe('level_missing is never 0 after a hole that may lie in the level', () => {
  it('counts a hole before the first stored row', () => {
    const holed = recordOf(hour(5), 105, 10, { prev: { id: 100, timeUs: hour(5) * 1000 - 1 } });
    expect(inputsOf(holed)).toMatchObject({ missing: 4, idStart: 101 });
    expect(levelMissing(holed, recordOf(hour(6), 115, 5))).toEqual([4, 4]);
  });

  it('counts a hole after the last stored row for the hour, not for the day', () => {
    const holed = recordOf(hour(5), 100, 10, { next: { id: 115, timeUs: endUs(5) } });
    expect(levelMissing(holed)).toEqual([5]);
    // The next stored day counts it: counted here too, it would be in the chain twice.
    expect(inputsOf(holed)).toMatchObject({ missing: 0, idEnd: 110 });
  });

  it('counts a hole between two hours once', () => {
    const before = recordOf(hour(5), 100, 10, { next: { id: 115, timeUs: endUs(5) } });
    const after = recordOf(hour(6), 115, 10, { prev: { id: 109, timeUs: hour(6) * 1000 - 1 } });
    expect(levelMissing(before, after)).toEqual([5, 5]);
    expect(inputsOf(before, after).missing).toBe(5);
  });

  it('counts the ids of an empty hour whose neighbours are apart', () => {
    expect(
      levelMissing(recordOf(hour(5), 100, 0, { next: { id: 103, timeUs: endUs(5) } })),
    ).toEqual([3]);
  });

  it('counts a neighbour whose time lies inside the hour', () => {
    expect(
      levelMissing(recordOf(hour(5), 100, 10, { prev: { id: 99, timeUs: hour(5) * 1000 } })),
    ).toEqual([1]);
    expect(
      levelMissing(recordOf(hour(5), 100, 10, { next: { id: 110, timeUs: endUs(5) - 1 } })),
    ).toEqual([1]);
  });

  it('is unknown when the trade before the level’s start was never seen', () => {
    const forgotten = recordOf(hour(5), 437, 10, { prev: undefined });
    expect(levelMissing(forgotten, recordOf(hour(6), 447, 5))).toEqual([undefined, undefined]);
    expect(inputsOf(forgotten)).toMatchObject({ missing: undefined, idStart: 437, idEnd: 447 });
    const silent = recordOf(hour(4), 437, 0, { prev: undefined });
    expect(levelMissing(silent, recordOf(hour(5), 437, 10))).toEqual([undefined, undefined]);
  });

  it('goes on counting after a later hour whose predecessor was not seen', () => {
    const later = recordOf(hour(6), 115, 5, { prev: undefined });
    expect(levelMissing(recordOf(hour(5), 100, 10), later)).toEqual([0, 5]);
  });
});

describe('the status of a bar', () => {
  const open = recordOf(hour(2), 120, 10, { next: undefined });
  const day = inputsOf(recordOf(hour(0), 100, 10), recordOf(hour(1), 110, 10), open);

  it('is final when all its hours are proven', () => {
    expect(barStatus(day, hour(0), MINUTE_MS)).toBe('final');
    expect(barStatus(day, hour(1) + 59 * MINUTE_MS, MINUTE_MS)).toBe('final');
  });

  it('is partial when one of its hours is not proven or absent', () => {
    expect(barStatus(day, hour(0), 2 * HOUR_MS)).toBe('final');
    expect(barStatus(day, hour(2), MINUTE_MS)).toBe('partial');
    expect(barStatus(day, hour(3), HOUR_MS)).toBe('partial');
    expect(barStatus(day, hour(0), 4 * HOUR_MS)).toBe('partial');
  });
});

describe('bars are built from an hour', () => {
  const record = recordOf(hour(1), 110, 5);
  const { inputs } = inputsOf(recordOf(hour(0), 100, 10), record);

  it('if it has not changed since, whatever other hours the day has now', () => {
    expect(isBuiltFrom(inputs, record)).toBe(true);
    expect(isBuiltFrom(inputs, { ...record, contentHash: 'f'.repeat(64) })).toBe(false);
    expect(isBuiltFrom(inputs, recordOf(hour(2), 115, 5))).toBe(false);
    expect(isBuiltFrom('', record)).toBe(false);
  });

  it('of which not even an id is known, though their inputs do not mention it', () => {
    const unknown = recordOf(hour(3), 0, 0, { prev: undefined, next: undefined });
    expect(isBuiltFrom(inputs, unknown)).toBe(true);
  });
});

describe('restatements', () => {
  const before = inputsOf(recordOf(hour(10), 100, 10), recordOf(hour(11), 110, 10)).inputs;
  const later = recordOf(hour(12), 120, 10);
  const both = [recordOf(hour(10), 100, 10), recordOf(hour(11), 110, 10)] as const;

  it('are none when hours are added at the end, and none for a first build', () => {
    expect(restatementOf(before, inputsOf(...both, later))).toBeUndefined();
    expect(restatementOf('', inputsOf(...both))).toBeUndefined();
  });

  it('are none when only a verdict changes: the trades are the same', () => {
    const open = inputsOf(recordOf(hour(10), 100, 10, { next: undefined })).inputs;
    expect(open).toContain('open');
    expect(restatementOf(open, inputsOf(recordOf(hour(10), 100, 10)))).toBeUndefined();
  });

  it('start at the first stored hour when earlier hours are added', () => {
    const after = inputsOf(recordOf(hour(9), 90, 10), ...both);
    expect(restatementOf(before, after)).toMatchObject({ hourMs: hour(10) });
    expect(restatementOf(before, after)?.reason).toContain('2024-01-01T09Z');
  });

  it('start at the hour whose trades changed', () => {
    const changed = recordOf(hour(11), 110, 10, { contentHash: 'f'.repeat(64) });
    expect(restatementOf(before, inputsOf(both[0], changed))).toMatchObject({ hourMs: hour(11) });
  });

  it('start after an hour that was inserted', () => {
    const apart = inputsOf(recordOf(hour(8), 80, 10), recordOf(hour(10), 100, 10)).inputs;
    const filled = inputsOf(
      recordOf(hour(8), 80, 10),
      recordOf(hour(9), 90, 10),
      recordOf(hour(10), 100, 10),
    );
    expect(restatementOf(apart, filled)).toMatchObject({ hourMs: hour(10) });
  });

  it('name an hour that left the ledger', () => {
    expect(restatementOf(before, inputsOf(both[0]))?.reason).toContain('no longer in the ledger');
  });
});

describe('rows whose time lies in another hour than their ids', () => {
  const back = (rows: number, buyE8: bigint, sellE8 = 0n) => ({
    reachBack: { rows, invalidRows: 0, buyE8, sellE8 },
  });
  const records = [
    recordOf(hour(0), 100, 10, back(2, 50_000_000n)),
    recordOf(hour(1), 110, 10, back(1, 0n, 25_000_000n)),
    ...Array.from({ length: 22 }, (_, index) => recordOf(hour(2 + index), 120 + index, 1)),
  ];
  const nextDay = recordOf(hour(24), 142, 5, back(1, 100_000_000n));

  it('count in the hour of their time: the hour’s own rows, less those that reach out of it, plus those that reach into it', () => {
    const day = dayInputs(DAY, [...records, nextDay]);
    expect(day?.hours[0]).toMatchObject({
      rows: 10 - 2 + 1,
      validRows: 9,
      buyE8: 250_000_000n,
      sellE8: 175_000_000n,
      isReached: true,
    });
    expect(day?.hours[1]).toMatchObject({ rows: 9, sellE8: 125_000_000n, isReached: true });
    expect(day?.hours[2]).toMatchObject({ rows: 1, isReached: false });
    expect(day?.hours[23]).toMatchObject({ rows: 2, buyE8: 400_000_000n, isReached: true });
    // Two rows went to the day before, one came from the next day: +1.5 an hour, −0.5 out, +1 in.
    expect(day?.deltaE8).toBe(24n * 150_000_000n - 50_000_000n + 100_000_000n);
    // Ids are counted in their own run: those of the next day's run are not counted here.
    expect(day).toMatchObject({ rows: 42, idEnd: 142, missing: 0 });
  });

  it('make bars due for the day whose last hour they lie in, but not for a day without that hour', () => {
    const alone = dayInputs(DAY, records)?.inputs ?? '';
    const reached = dayInputs(DAY, [...records, nextDay])?.inputs ?? '';
    expect(reached).not.toBe(alone);
    expect(holdsReach(alone, nextDay)).toBe(false);
    expect(holdsReach(reached, nextDay)).toBe(true);
    expect(holdsReach(reached, { ...nextDay, contentHash: 'f'.repeat(64) })).toBe(false);
    expect(holdsReach('', nextDay)).toBe(true);
    const short = records.slice(0, 23);
    expect(dayInputs(DAY, [...short, nextDay])?.inputs).toBe(dayInputs(DAY, short)?.inputs);
    const unreaching = recordOf(hour(24), 142, 5);
    expect(dayInputs(DAY, [...records, unreaching])?.inputs).toBe(alone);
  });

  it('restate the hour that they reach into when they are added or changed', () => {
    const before = dayInputs(DAY, records)?.inputs ?? '';
    const after = dayInputs(DAY, [...records, nextDay]);
    if (after === undefined) throw new Error('a day without hours');
    expect(restatementOf(before, after)?.hourMs).toBe(hour(23));
    expect(restatementOf(after.inputs, after)).toBeUndefined();
    const first = dayInputs(DAY, records.slice(0, 1))?.inputs ?? '';
    expect(restatementOf(first, after)?.hourMs).toBe(hour(0));
  });
});
