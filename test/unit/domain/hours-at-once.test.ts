import { describe, expect, test } from 'vitest';
import { HOURS_AT_ONCE, type Load, nextHours } from '../../../src/domain/plan/hours-at-once.ts';

const FREE: Load = {
  isFull: true,
  weight: 0,
  isWeightSure: true,
  thread: 0.2,
  cores: 0.3,
  memory: 0.2,
  store: 0,
};

describe('hours at a time', () => {
  test.for<[what: string, load: Partial<Load>, hours: number, limit: string | undefined]>([
    ['nothing is at its limit', {}, 13, undefined],
    ['not all hours are in use', { isFull: false }, 12, undefined],
    ['a tenth of the time is spent waiting for weight', { weight: 0.1 }, 12, 'weight'],
    ['six tenths of the time are spent waiting for weight', { weight: 0.6 }, 9, 'weight'],
    ['so it seems, early in a window', { weight: 0.9, isWeightSure: false }, 12, 'weight'],
    ['the thread is nearly busy', { thread: 0.9 }, 12, 'thread'],
    ['the thread is busy', { thread: 0.99 }, 9, 'thread'],
    ['all cores are busy', { cores: 1 }, 12, 'cores'],
    ['memory is short', { memory: 0.9 }, 12, 'memory'],
    ['memory is nearly used up', { memory: 0.96 }, 9, 'memory'],
    ['the store is behind', { store: 300 }, 12, 'store'],
    ['the store is far behind', { store: 5_000 }, 9, 'store'],
    ['the store does not answer', { store: undefined }, 12, 'store'],
    ['one limit is reached and another exceeded', { weight: 0.2, store: 5_000 }, 9, 'store'],
    ['too few are in use, and a limit is exceeded', { isFull: false, thread: 1 }, 9, 'thread'],
  ])('%s: 12 become %3$s', ([, load, hours, limit]) => {
    expect(nextHours(12, { ...FREE, ...load })).toEqual({ hours, limit });
  });

  test('there is always one, and never more than may be', () => {
    expect(nextHours(1, { ...FREE, thread: 1 })).toEqual({ hours: 1, limit: 'thread' });
    expect(nextHours(HOURS_AT_ONCE.most, FREE).hours).toBe(HOURS_AT_ONCE.most);
  });
});
