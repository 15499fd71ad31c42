import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../../src/domain/time/hour.ts';
import type { Verdict } from '../../../src/domain/proof/ledger.ts';
import { type DayCoverage, isResting, planWork } from '../../../src/domain/plan/plan.ts';

const DAY = Date.UTC(2024, 1, 29);
const hour = (index: number): number => DAY + index * HOUR_MS;

function covered(
  verdicts: Readonly<Record<number, Verdict>>,
  barsFresh = true,
  dayMs = DAY,
): DayCoverage {
  const entries = Object.entries(verdicts).map(
    ([index, verdict]) => [dayMs + Number(index) * HOUR_MS, verdict] as const,
  );
  return { dayMs, verdicts: new Map(entries), barsFresh };
}

describe('planWork', () => {
  const range = { startMs: hour(10), endMs: hour(13) };

  it('asks for exactly the hours wanted when nothing is known', () => {
    expect(planWork(range, [])).toEqual([{ dayMs: DAY, hours: [hour(10), hour(11), hour(12)] }]);
  });

  it('asks for nothing twice', () => {
    expect(planWork(range, [covered({ 10: 'proven', 11: 'proven', 12: 'proven' })])).toEqual([]);
  });

  it('asks again for gaps and for hours that were still open', () => {
    expect(planWork(range, [covered({ 10: 'gap', 11: 'proven', 12: 'open' })])).toEqual([
      { dayMs: DAY, hours: [hour(10), hour(12)] },
    ]);
  });

  it('asks for bars only when the hours are newer than their bars', () => {
    const stale = covered({ 10: 'proven', 11: 'proven', 12: 'proven' }, false);
    expect(planWork(range, [stale])).toEqual([{ dayMs: DAY, hours: [] }]);
  });

  it('leaves stale days outside the range alone', () => {
    expect(planWork({ startMs: DAY + DAY_MS, endMs: DAY + DAY_MS }, [covered({}, false)])).toEqual(
      [],
    );
  });

  it('splits a range over midnight into its days', () => {
    const work = planWork({ startMs: hour(23), endMs: hour(25) }, []);
    expect(work).toEqual([
      { dayMs: DAY, hours: [hour(23)] },
      { dayMs: DAY + DAY_MS, hours: [hour(24)] },
    ]);
  });
});

describe('an hour that was requested and is still not proven', () => {
  const seenAtMs = DAY;
  const restsAt = (askedAtMs: number, nowMs: number) => isResting({ seenAtMs, askedAtMs }, nowMs);

  it('rests for as long as it had been known at the last request', () => {
    expect(restsAt(DAY + 10 * HOUR_MS, DAY + 20 * HOUR_MS - 1)).toBe(true);
    expect(restsAt(DAY + 10 * HOUR_MS, DAY + 20 * HOUR_MS)).toBe(false);
  });

  it('rests for at least half an hour, so that the next tick asks again, and for at most a week', () => {
    expect(restsAt(DAY, DAY + HOUR_MS / 2 - 1)).toBe(true);
    expect(restsAt(DAY, DAY + HOUR_MS / 2)).toBe(false);
    const late = DAY + 100 * DAY_MS;
    expect(restsAt(late, late + 7 * DAY_MS - 1)).toBe(true);
    expect(restsAt(late, late + 7 * DAY_MS)).toBe(false);
  });
});
