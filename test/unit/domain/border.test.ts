import { describe, expect, it } from 'vitest';
import { borderAt, joinAcross, type Outside } from '../../../src/domain/proof/border.ts';
import { DAY_MS, HOUR_MS } from '../../../src/domain/time/hour.ts';
import { type SliceRecord, verdictOf } from '../../../src/domain/proof/ledger.ts';
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

function join(
  records: readonly SliceRecord[],
  asked: readonly number[] = [],
  outside: Outside = {},
): readonly SliceRecord[] {
  return across(records, asked, outside).changed;
}

function across(records: readonly SliceRecord[], asked: readonly number[], outside: Outside = {}) {
  const sorted = records.toSorted((one, other) => one.hourMs - other.hourMs);
  return joinAcross(sorted, borderAt(sorted, asked, MIDNIGHT), outside);
}

const verdicts = (records: readonly SliceRecord[]) =>
  records.map((record) => [record.hourMs, verdictOf(record)]);

describe('two days at midnight', () => {
  it('prove each other where their ids are consecutive', () => {
    expect([left, right].map(verdictOf)).toEqual(['open', 'gap']);
    const joined = join([right, left]);
    expect(verdicts(joined)).toEqual([
      [H23, 'proven'],
      [H0, 'proven'],
    ]);
  });

  it('show which ids neither file has', () => {
    const later = recordOf(H0, 160, 20, { prev: undefined });
    expect(verdicts(join([left, later]))).toEqual([
      [H23, 'gap'],
      [H0, 'gap'],
    ]);
  });

  it('join over silent hours up to the first hour with trades, and no further', () => {
    const records = [
      recordOf(H22, 100, 50, { next: undefined }),
      silent(H23, { prev: recordOf(H22, 100, 50).last }),
      silent(H0, { next: { id: 150, timeUs: H1 * 1000 + 1 } }),
      recordOf(H1, 150, 20, { prev: undefined }),
      recordOf(H22 - HOUR_MS, 90, 10, { next: undefined }),
    ];
    expect(verdicts(join(records))).toEqual([
      [H23, 'proven'],
      [H22, 'proven'],
      [H0, 'proven'],
      [H1, 'proven'],
    ]);
  });

  it('change nothing while one of them is missing, or when both know each other already', () => {
    expect(join([left])).toEqual([]);
    expect(join([right])).toEqual([]);
    expect(join([recordOf(H23, 100, 50), recordOf(H0, 150, 20)])).toEqual([]);
  });

  it('are not joined when the ids run backwards', () => {
    expect(join([left, recordOf(H0, 120, 20, { prev: undefined })])).toEqual([]);
  });
});

describe('days without a file, between two days in the ledger', () => {
  const later = recordOf(H0 + DAY_MS, 150, 20, { prev: undefined });
  const asked = [H0, H1, H0 + DAY_MS - HOUR_MS];

  it('are empty when the ids around them are consecutive; the hours next to them are proven too', () => {
    const { changed, silent } = across([left, later], asked);
    expect(verdicts(changed)).toEqual([
      [H23, 'proven'],
      [later.hourMs, 'proven'],
    ]);
    expect(silent).toEqual(
      asked.map((hourMs) => ({ hourMs, prev: left.last, next: later.first, endedAtMs: undefined })),
    );
  });

  it('are not empty when an id is missing between them: it may be a trade of these days', () => {
    const skipping = recordOf(later.hourMs, 151, 20, { prev: undefined });
    expect(across([left, skipping], asked)).toEqual({ changed: [], silent: [] });
  });

  it('are empty between two trades from files that are only looked at', () => {
    const tail = { id: 149, timeUs: H0 * 1000 + 5 };
    const head = { id: 150, timeUs: (H0 + DAY_MS) * 1000 };
    const { changed, silent } = across([recordOf(H22, 90, 5)], asked, { tail, head });
    expect(changed).toEqual([]);
    // Other trades may have come earlier in the hour of the tail trade.
    expect(silent.map(({ hourMs }) => hourMs)).toEqual(asked.slice(1));
  });

  it('are empty after the symbol’s last trade, in hours for which its end is known', () => {
    const ended = { untilMs: H1 + HOUR_MS, atMs: H0 + 40 * DAY_MS };
    const { changed, silent } = across([left], asked, { ended });
    expect(verdicts(changed)).toEqual([[H23, 'proven']]);
    expect(silent).toEqual(
      [H0, H1].map((hourMs) => ({
        hourMs,
        prev: left.last,
        next: undefined,
        endedAtMs: ended.atMs,
      })),
    );
    expect(across([left], asked, { ended: { ...ended, untilMs: H23 } })).toEqual({
      changed: [],
      silent: [],
    });
  });

  it('are not empty when the ledger has a later trade', () => {
    const ended = { untilMs: H1 + HOUR_MS, atMs: H0 + 40 * DAY_MS };
    const skipping = recordOf(later.hourMs, 151, 20, { prev: undefined });
    expect(across([left, skipping], asked, { ended })).toEqual({ changed: [], silent: [] });
  });
});
