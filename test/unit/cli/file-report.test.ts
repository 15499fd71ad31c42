import { describe, expect, test } from 'vitest';
import { wasThin } from '../../../src/cli/print/file-report.ts';
import { HOUR_MS } from '../../../src/domain/time/hour.ts';
import type { SliceRecord } from '../../../src/domain/proof/ledger.ts';
import { recordOf } from '../../support/trades.ts';

const DAY = Date.UTC(2024, 1, 10);
const FILE = { verdict: 'truncated' } as const;

/** Twenty hours of ten trades each from the file, then four hours without trades. */
function day(change: (hour: number) => Partial<SliceRecord> = () => ({})): SliceRecord[] {
  return Array.from({ length: 24 }, (_, hour) => {
    const [firstId, rows] = hour < 20 ? [100 + 10 * hour, 10] : [300, 0];
    const record = recordOf(DAY + hour * HOUR_MS, firstId, rows, {
      source: hour < 20 ? 'archive' : 'rest',
    });
    return { ...record, ...change(hour) };
  });
}

describe('a file that ends before its day', () => {
  test('belongs to a day that went quiet when all hours are proven with its trades alone', () => {
    expect(wasThin(FILE, day())).toBe(true);
  });

  test('is cut when another source had trades after its end', () => {
    const mended = day((hour) => (hour === 19 ? { source: 'rest' } : {}));
    expect(wasThin(FILE, mended)).toBe(false);
  });

  test('is cut as long as an hour is not proven, or not in the ledger', () => {
    expect(
      wasThin(
        FILE,
        day((hour) => (hour === 23 ? { next: undefined } : {})),
      ),
    ).toBe(false);
    expect(wasThin(FILE, day().slice(0, 23))).toBe(false);
  });

  test('is reported when it has holes, whatever came later', () => {
    expect(wasThin({ verdict: 'holes' }, day())).toBe(false);
  });
});
