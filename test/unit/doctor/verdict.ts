import { expect, test } from 'vitest';
import type { Verdict } from '../../../src/app/doctor/check.ts';

/** What is judged, the state, and words of the fact and of the cure. */
export type Row = readonly [
  what: string,
  verdict: Verdict,
  state: Verdict['state'],
  fact: RegExp,
  cure?: RegExp,
];

/** A test of each row. WARN and FAIL have a cure, and nothing else has. */
export function judged(rows: readonly Row[]): void {
  for (const [what, verdict, state, fact, cure] of rows)
    test(what, () => {
      expect(verdict.state).toBe(state);
      expect(verdict.fact).toMatch(fact);
      if (cure !== undefined) expect(verdict.cure).toMatch(cure);
      expect(verdict.cure === undefined).toBe(state === 'ok' || state === 'skipped');
    });
}
