import { expect, test } from 'vitest';
import { RowDigests } from '../../../src/adapters/questdb/row-digests.ts';

const HEADER = '"ts","close"\r\n';
const FIRST = '"2024-01-01T00:00:00.000000Z","1.5"\r\n';
const SECOND = '"2024-01-01T00:00:00.000000Z","2.5"\r\n';
const NEXT_DAY = '"2024-01-02T00:00:00.000000Z","1.5"\r\n';
const DAY = Date.UTC(2024, 0, 1);

function digests(text: string, size = text.length) {
  const rows = new RowDigests();
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += size)
    rows.push(bytes.subarray(from, from + size));
  return rows.end();
}

test('a digest depends on the rows, not on their order or the pieces they come in', () => {
  const whole = digests(HEADER + FIRST + SECOND + NEXT_DAY);
  expect([...whole.byDay.keys()]).toEqual([DAY, Date.UTC(2024, 0, 2)]);
  expect(digests(HEADER + NEXT_DAY + SECOND + FIRST)).toEqual(whole);
  for (const size of [1, 7, 40])
    expect(digests(HEADER + FIRST + SECOND + NEXT_DAY, size)).toEqual(whole);
});

test('a digest changes with a digit, with a row more or less, and with a row twice instead of another', () => {
  const texts = [
    FIRST + SECOND,
    FIRST + SECOND.replace('2.5', '2.6'),
    FIRST,
    FIRST + FIRST,
    SECOND + SECOND,
    FIRST + SECOND + SECOND,
    FIRST + FIRST + FIRST + SECOND,
  ];
  const found = texts.map((text) => digests(HEADER + text).all);
  expect(new Set(found).size).toBe(texts.length);
});

test('an answer that is cut off is no answer', () => {
  expect(() => digests(HEADER + FIRST + SECOND.slice(0, -3))).toThrow('cut off');
});
