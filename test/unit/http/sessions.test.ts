import { expect, test } from 'vitest';
import { createSessions } from '../../../src/adapters/http/sessions.ts';

test('a session ends after twelve hours, used or not', () => {
  let nowMs = 1;
  const sessions = createSessions(() => nowMs);
  const secret = sessions.begin();
  nowMs += 12 * 3_600_000 - 1;
  expect(sessions.has(secret)).toBe(true);
  nowMs += 2;
  expect(sessions.has(secret)).toBe(false);
  expect(sessions.has(undefined)).toBe(false);
});

test('there are at most 500 sessions; the one used least recently ends', () => {
  const sessions = createSessions();
  const [first = '', second = ''] = Array.from({ length: 500 }, () => sessions.begin());
  expect(sessions.has(first)).toBe(true);
  sessions.begin();
  expect([first, second].map((secret) => sessions.has(secret))).toEqual([true, false]);
});
