import { describe, expect, it } from 'vitest';
import { joinAcross } from '../../../src/domain/border.ts';
import { HOUR_MS } from '../../../src/domain/hour.ts';
import { type SliceRecord, verdictOf } from '../../../src/domain/ledger.ts';
import { recordOf } from '../../support/trades.ts';

const MIDNIGHT = Date.UTC(2024, 2, 5);
const [H22, H23, H0, H1] = [-2, -1, 0, 1].map((hour) => MIDNIGHT + hour * HOUR_MS) as [
  number,
  number,
  number,
  number,
];

/** Hours of two days that were read from files: nothing is known across midnight. */
const left = recordOf(H23, 100, 50, { next: undefined });
const right = recordOf(H0, 150, 20, { prev: undefined });

function silent(hourMs: number, rest: Partial<SliceRecord>): SliceRecord {
  return recordOf(hourMs, 1, 0, { prev: undefined, next: undefined, ...rest });
}

const verdicts = (records: readonly SliceRecord[]) =>
  records.map((record) => [record.hourMs, verdictOf(record)]);

describe('two days at midnight', () => {
  it('prove each other where their ids meet', () => {
    expect([left, right].map(verdictOf)).toEqual(['open', 'gap']);
    const joined = joinAcross([right, left], MIDNIGHT);
    expect(verdicts(joined)).toEqual([
      [H23, 'proven'],
      [H0, 'proven'],
    ]);
  });

  it('show what neither file has', () => {
    const later = recordOf(H0, 160, 20, { prev: undefined });
    expect(verdicts(joinAcross([left, later], MIDNIGHT))).toEqual([
      [H23, 'gap'],
      [H0, 'gap'],
    ]);
  });

  it('reach over silent hours to the first with trades, and no further', () => {
    const records = [
      recordOf(H22, 100, 50, { next: undefined }),
      silent(H23, { prev: recordOf(H22, 100, 50).last }),
      silent(H0, { next: { id: 150, timeUs: H1 * 1000 + 1 } }),
      recordOf(H1, 150, 20, { prev: undefined }),
      recordOf(H22 - HOUR_MS, 90, 10, { next: undefined }),
    ];
    expect(verdicts(joinAcross(records, MIDNIGHT))).toEqual([
      [H23, 'proven'],
      [H22, 'proven'],
      [H0, 'proven'],
      [H1, 'proven'],
    ]);
  });

  it('say nothing while one of them is not there, or knows already', () => {
    expect(joinAcross([left], MIDNIGHT)).toEqual([]);
    expect(joinAcross([right], MIDNIGHT)).toEqual([]);
    expect(joinAcross([recordOf(H23, 100, 50), recordOf(H0, 150, 20)], MIDNIGHT)).toEqual([]);
  });

  it('are not joined backwards', () => {
    expect(joinAcross([left, recordOf(H0, 120, 20, { prev: undefined })], MIDNIGHT)).toEqual([]);
  });
});
