import { describe, expect, test } from 'vitest';
import { firstChangedHour, hoursIn } from '../../../src/domain/bars/first-change.ts';
import { HOUR_MS } from '../../../src/domain/time/hour.ts';

const DAY = Date.UTC(2024, 1, 29);

describe('the first changed hour of a day', () => {
  test.each<[string, string, string, number | undefined]>([
    ['nothing', '00=proven:aa 01=proven:bb', '00=proven:aa 01=proven:bb', undefined],
    ['an added hour', '00=proven:aa', '00=proven:aa 01=open:bb', 1],
    ['a changed verdict', '00=proven:aa 01=open:bb', '00=proven:aa 01=proven:bb 02=open:cc', 1],
    [
      'other content',
      '00=proven:aa 01=proven:bb 02=proven:cc',
      '00=proven:aa 01=proven:b2 02=proven:cc',
      1,
    ],
    ['other neighbours of a gap', '03=gap:aa/1-9', '03=gap:aa/2-9', 3],
    ['an earlier hour', '05=proven:aa', '03=proven:cc 05=proven:aa', 3],
    ['a lost hour', '03=proven:cc 05=proven:aa', '03=proven:cc', 5],
    [
      'rows that reach into the hour before',
      '05=proven:aa 06=proven:bb',
      '05=proven:aa 06=proven:b2<2',
      5,
    ],
    [
      'rows that reached into the hour before',
      '05=proven:aa 06=proven:bb<1',
      '05=proven:aa 06=proven:bb',
      5,
    ],
    ['rows of the next day', '23=proven:aa', '23=proven:aa next=bb<1', 23],
    ['rows that reach into the day before', '00=proven:aa', '00=proven:aa<1', 0],
    ['everything', '', '04=proven:aa', 4],
  ])('%s', (_, before, inputs, hour) => {
    expect(firstChangedHour(before, { dayMs: DAY, inputs })).toBe(
      hour === undefined ? undefined : DAY + hour * HOUR_MS,
    );
  });
});

test('the hours of a stamp are those of the day itself', () => {
  const hours = hoursIn('00=proven:aa 23=gap:bb/1-2 next=cc<1', DAY);
  expect([...hours]).toEqual([DAY, DAY + 23 * HOUR_MS]);
  expect(hoursIn('', DAY).size).toBe(0);
});
