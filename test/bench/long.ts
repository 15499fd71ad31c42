import { rmSync } from 'node:fs';
import path from 'node:path';
import { backfillDays } from './backfill.ts';
import { DAYS, dayName, SYMBOL } from './day-files.ts';
import { type Line, type Measurement, repeat, type Sample } from './measurement.ts';
import { BENCH_DIR, cdvault, freshStore, startHost } from './place.ts';

const OUT = path.join(BENCH_DIR, 'exported');

export const long: Measurement = {
  name: 'long',
  about:
    `Export and verification of one stored day and of ${DAYS}, which must not need more memory. *Export*: ` +
    '`bin/cdvault export` into a new folder, trades or bars of one hour. *Verify*: as in *again*.',
  async run({ runs, say }) {
    await using host = await startHost(say);
    await using store = await freshStore();
    const place = { store, host };
    const { trades } = await backfillDays(place, { first: 0, days: DAYS, source: 'auto' });
    const over = (days: number, command: string, ...more: readonly string[]) => {
      const range = ['--from', dayName(0), '--to', dayName(days)];
      return async (): Promise<Sample> => {
        rmSync(OUT, { recursive: true, force: true });
        const { wallS, uses } = await cdvault([command, SYMBOL, ...range, ...more], place);
        return { value: wallS, uses, rows: (trades / DAYS) * days };
      };
    };
    const once = async (what: string, run: () => Promise<Sample>): Promise<Line> => ({
      what,
      unit: 's',
      samples: [await run()],
      note: 'measured once',
    });
    try {
      const day = await repeat(runs, over(1, 'export', '--out', OUT));
      return [
        { what: 'a stored day: export', unit: 's', samples: day },
        await once(`${DAYS} stored days: export`, over(DAYS, 'export', '--out', OUT)),
        await once(
          `${DAYS} stored days: export of bars of 1h`,
          over(DAYS, 'export', '--out', OUT, '--what', 'bars', '--interval', '1h'),
        ),
        await once(`${DAYS} stored days: verify`, over(DAYS, 'verify')),
      ];
    } finally {
      rmSync(OUT, { recursive: true, force: true });
    }
  },
};
