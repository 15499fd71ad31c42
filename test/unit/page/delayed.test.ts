import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Delayed } from '../../../src/page/delayed.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test.each([
  ['soon', [3, 7, 9]],
  ['whenQuiet', [9]],
] as const)('tasks that come every 3 ms, run %s with a delay of 10 ms', (how, expected) => {
  const delayed = new Delayed(10);
  const ran: number[] = [];
  for (let at = 0; at < 10; at += 1) {
    delayed[how](() => void ran.push(at));
    vi.advanceTimersByTime(3);
  }
  vi.advanceTimersByTime(20);
  expect(ran).toEqual(expected);
});

test('a task that is taken back does not run', () => {
  const delayed = new Delayed(10);
  const task = vi.fn();
  delayed.soon(task);
  delayed.cancel();
  vi.advanceTimersByTime(20);
  expect(task).not.toHaveBeenCalled();
});
