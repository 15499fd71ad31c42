import fc from 'fast-check';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import type { SliceRecord } from '../../src/domain/proof/ledger.ts';
import { recordOf } from '../support/trades.ts';

/** A day of hours with consecutive ids; some hours are absent, some have lost their first, last or a middle row. */
export function damagedDay(dayMs: number): fc.Arbitrary<SliceRecord[]> {
  return fc
    .array(
      fc.record({
        rows: fc.nat(5),
        state: fc.constantFrom('whole', 'whole', 'absent', 'lost_head', 'lost_tail', 'lost_middle'),
      }),
      { minLength: 24, maxLength: 24 },
    )
    .map((plan) => {
      let nextId = 50;
      return plan.flatMap(({ rows, state }, index) => {
        const whole = recordOf(dayMs + index * HOUR_MS, nextId, rows);
        nextId += rows;
        return state === 'absent' ? [] : [damaged(whole, state)];
      });
    });
}

function damaged(whole: SliceRecord, state: string): SliceRecord {
  const { first, last, rows } = whole;
  if (first === undefined || last === undefined || rows < 3) return whole;
  if (state === 'lost_head')
    return { ...whole, rows: rows - 1, first: { ...first, id: first.id + 1 } };
  if (state === 'lost_tail')
    return { ...whole, rows: rows - 1, last: { ...last, id: last.id - 1 } };
  return state === 'lost_middle' ? { ...whole, rows: rows - 1 } : whole;
}
