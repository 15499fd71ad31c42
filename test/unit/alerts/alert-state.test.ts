import { expect, test } from 'vitest';
import { nextState } from '../../../src/app/alerts/alert-state.ts';
import type { RuleState } from '../../../src/ports/alerts.ts';

const MINUTE = 60_000;

/** Looks once a minute at these names; the messages, with the minute. */
function tell(looks: readonly string[], forMs: number): string[] {
  let state: RuleState | undefined;
  return looks.flatMap((text, minute) => {
    const names = text === '' ? [] : text.split(' ');
    const step = nextState(state, names, { nowMs: (100 + minute) * MINUTE, forMs });
    state = step.state;
    return step.tell === undefined ? [] : [`${minute} ${step.tell} ${state.told.join(' ')}`.trim()];
  });
}

const times = (count: number, text: string) => Array.from({ length: count }, () => text);

test('a name fires once it has been wrong for the whole time, and is told once', () => {
  expect(tell([...times(9, 'A'), ...times(20, 'A'), ''], 10 * MINUTE)).toEqual([
    '10 firing A',
    '29 resolved',
  ]);
});

test('a break starts the time again', () => {
  expect(tell([...times(8, 'A'), '', ...times(8, 'A')], 10 * MINUTE)).toEqual([]);
});

test('without a time it fires at once', () => {
  expect(tell(['A', 'A', ''], 0)).toEqual(['0 firing A', '2 resolved']);
});

test('two hundred names that fall behind one after another are few messages', () => {
  const all = Array.from({ length: 200 }, (_, index) => `S${index}`);
  const wave = all.map((_, index) => all.slice(0, index + 1).join(' '));
  const told = tell(wave, 0);
  expect(told[0]).toBe('0 firing S0');
  expect(told).toHaveLength(40);
  // Names that recover while others do not are told with the next message.
  expect(tell(['A B', 'A', 'A', 'A', 'A', 'A', 'A'], 0)).toEqual(['0 firing A B', '5 firing A']);
});
