import { describe, expect, it } from 'vitest';
import { HOUR_MS } from '../../../src/domain/time/hour.ts';
import { claims, missingIds, verdictOf } from '../../../src/domain/proof/ledger.ts';
import { recordOf } from '../../support/trades.ts';

const HOUR = Date.UTC(2024, 0, 1, 10);
const START_US = HOUR * 1000;
const END_US = (HOUR + HOUR_MS) * 1000;

describe('the verdict on an hour', () => {
  it('is proven when its ids are contiguous and continue those before and after the hour', () => {
    expect(verdictOf(recordOf(HOUR, 100, 50))).toBe('proven');
  });

  it('is proven without trades when the ids around it are consecutive', () => {
    expect(verdictOf(recordOf(HOUR, 100, 0))).toBe('proven');
  });

  it('is a gap without trades when the ids around it are not', () => {
    const record = recordOf(HOUR, 100, 0, { next: { id: 103, timeUs: END_US } });
    expect([missingIds(record), verdictOf(record)]).toEqual([3, 'gap']);
  });

  it('is proven from id 0 without a predecessor, and for the empty hour before it', () => {
    expect(verdictOf(recordOf(HOUR, 0, 50))).toBe('proven');
    expect(verdictOf(recordOf(HOUR, 0, 0))).toBe('proven');
  });

  it('is proven without a predecessor from id 1 on futures, which have no id 0', () => {
    for (const market of ['binance_um', 'binance_cm'] as const) {
      const first = recordOf(HOUR, 1, 50, { market, prev: undefined });
      const second = recordOf(HOUR, 2, 50, { market, prev: undefined });
      const empty = recordOf(HOUR, 1, 0, { market, prev: undefined });
      expect([first, second, empty].map(verdictOf)).toEqual(['proven', 'gap', 'proven']);
      expect([first, second].map(missingIds)).toEqual([0, undefined]);
    }
    const onSpot = recordOf(HOUR, 1, 50, { prev: undefined });
    expect([missingIds(onSpot), verdictOf(onSpot)]).toEqual([undefined, 'gap']);
  });

  it('is a gap when an id after the first has no predecessor, with or without trades; the missing ids can’t be counted', () => {
    const withTrades = recordOf(HOUR, 437, 50, { prev: undefined });
    const without = recordOf(HOUR, 437, 0, { prev: undefined });
    expect([missingIds(withTrades), verdictOf(withTrades)]).toEqual([undefined, 'gap']);
    expect([missingIds(without), verdictOf(without)]).toEqual([undefined, 'gap']);
  });

  it('is open as long as no later trade exists', () => {
    expect(verdictOf(recordOf(HOUR, 100, 50, { next: undefined }))).toBe('open');
    expect(verdictOf(recordOf(HOUR, 100, 0, { next: undefined }))).toBe('open');
  });

  it('is proven without a later trade once the symbol has ended, unless ids are missing', () => {
    const ended = { next: undefined, endedAtMs: HOUR + 2 * HOUR_MS };
    expect(verdictOf(recordOf(HOUR, 100, 50, ended))).toBe('proven');
    expect(verdictOf(recordOf(HOUR, 100, 0, ended))).toBe('proven');
    expect(verdictOf(recordOf(HOUR, 100, 50, { ...ended, rows: 49 }))).toBe('gap');
  });

  it('is a gap when an id is missing inside, before or after', () => {
    expect(missingIds(recordOf(HOUR, 100, 50, { rows: 48 }))).toBe(2);
    expect(missingIds(recordOf(HOUR, 100, 50, { prev: { id: 95, timeUs: START_US - 1 } }))).toBe(4);
    expect(missingIds(recordOf(HOUR, 100, 50, { next: { id: 160, timeUs: END_US } }))).toBe(10);
  });

  it('is a gap when a neighbour lies inside the hour', () => {
    expect(verdictOf(recordOf(HOUR, 100, 50, { prev: { id: 99, timeUs: START_US } }))).toBe('gap');
    expect(verdictOf(recordOf(HOUR, 100, 50, { next: { id: 150, timeUs: END_US - 1 } }))).toBe(
      'gap',
    );
  });

  it('takes a trade exactly at the end of the hour as the first of the next hour', () => {
    expect(verdictOf(recordOf(HOUR, 100, 50, { next: { id: 150, timeUs: END_US } }))).toBe(
      'proven',
    );
    expect(verdictOf(recordOf(HOUR, 100, 50, { prev: { id: 99, timeUs: START_US - 1 } }))).toBe(
      'proven',
    );
  });
});

describe('claims', () => {
  it('are the ids from the first to the last of the run, and none in an hour without trades', () => {
    const record = recordOf(HOUR, 100, 50);
    expect([99, 100, 149, 150].map((id) => claims(record, id))).toEqual([false, true, true, false]);
    expect(claims(recordOf(HOUR, 100, 0), 100)).toBe(false);
  });
});
