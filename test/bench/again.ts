import { compose } from '../../src/cli/compose.ts';
import { loadConfig } from '../../src/config.ts';
import { backfillDays } from './backfill.ts';
import { dayFile, dayName, FIRST_DAY_MS, SYMBOL } from './day-files.ts';
import { type Measurement, repeat, type Sample } from './measurement.ts';
import { cdvault, freshStore, startHost, type Store } from './place.ts';
import { whileWatching } from './process-meter.ts';
import { barsOfStoredDay } from './stored-bars.ts';

const SERIES = { market: 'binance_spot', symbol: SYMBOL } as const;

export const again: Measurement = {
  name: 'again',
  about:
    'Work on a day that is already stored. *Bars*: its bars at all intervals, added up from its distilled ' +
    'minutes and written again (without the job around it). *Verify*: `bin/cdvault verify`, every trade, bar and level and ' +
    'the exchange’s candles. *Audit*: `bin/cdvault audit` of the file on disk. *Backfill*: the command that stored ' +
    'the day, run again.',
  async run({ runs, say }) {
    await using host = await startHost(say);
    await using store = await freshStore();
    const place = { store, host };
    const { trades } = await backfillDays(place, { first: 0, days: 1, source: 'auto' });
    const range = ['--from', dayName(0), '--to', dayName(1)];
    const command = async (...args: string[]): Promise<Sample[]> =>
      repeat(runs, async () => {
        const { wallS, uses } = await cdvault(args, place);
        return { value: wallS, uses, rows: trades };
      });
    return [
      { what: 'a stored day: bars', unit: 's', samples: await buildBars(store, runs, trades) },
      {
        what: 'a stored day: verify',
        unit: 's',
        samples: await command('verify', SYMBOL, ...range),
      },
      {
        what: 'a file: audit',
        unit: 's',
        samples: await command('audit', dayFile(host.folder, 0)),
      },
      {
        what: 'a stored day: backfill',
        unit: 's',
        samples: await command('backfill', SYMBOL, ...range, '--source', 'auto'),
        note: 'nothing to do; rows/s counts the proven trades',
      },
    ];
  },
};

async function buildBars(store: Store, runs: number, rows: number): Promise<Sample[]> {
  const app = compose(loadConfig(), store.urls);
  try {
    const write = await barsOfStoredDay(app, { ...SERIES, dayMs: FIRST_DAY_MS });
    return await repeat(runs, async () => {
      const { wallS, uses } = await whileWatching(store.pids, write);
      return { value: wallS, uses, rows };
    });
  } finally {
    await app.close();
  }
}
