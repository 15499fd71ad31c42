import { createSql } from '../../src/adapters/questdb/sql.ts';
import { backfillDays } from './backfill.ts';
import { SYMBOL } from './day-files.ts';
import { stoppedBytes } from './disk.ts';
import { backfillMade } from './many.ts';
import { madeSeries, prepareManyFiles } from './many-files.ts';
import type { Line, Measurement } from './measurement.ts';
import { cdvault, freshStore, startHost, type Store } from './place.ts';

const THIN_DAYS = 10;

/** Tables by what they hold; the ledger and other records are in neither. */
const isOfTrades = (table: string): boolean => table.startsWith('agg_trades_');
const isOfBars = (table: string): boolean =>
  /^(cdv|tiers)_exact_/.test(table) || ['tier_minutes', 'anchors'].includes(table);

export const atRest: Measurement = {
  name: 'at-rest',
  about:
    'Disk blocks of stored data with QuestDB stopped, measured once because they do not vary: a trade, and bars, ' +
    'tiers and levels of a symbol-day, at all intervals. *Day*: the day of *day*, alone in its store. *Thin*: ' +
    `${THIN_DAYS} days of a thin series of *many*, alone in its store. *Native*: as written. *Compacted*: the trades of ` +
    'the same day after `bin/cdvault compact`, as the command reports them.',
  async run({ say }) {
    const lines: Line[] = [];
    {
      await using host = await startHost(say);
      await using store = await freshStore();
      await backfillDays({ store, host }, { first: 0, days: 1, source: 'auto' });
      lines.push(...(await linesOf('day, native', store)));
    }
    lines.push(await compacted(say));
    await using store = await freshStore();
    const [range, thin] = [{ first: 0, days: THIN_DAYS }, madeSeries('thin', 1)];
    await backfillMade(store, await prepareManyFiles(thin, range, say), thin, range);
    return [...lines, ...(await linesOf('thin, native', store))];
  },
};

/** Two days are stored, because the newest partition stays native. */
async function compacted(say: (line: string) => void): Promise<Line> {
  await using host = await startHost(say);
  await using store = await freshStore();
  await backfillDays({ store, host }, { first: 0, days: 2, source: 'auto' });
  const { lines } = await cdvault(['compact', SYMBOL, '--older-than', '0h', '--json'], { store });
  const done = lines.find(({ state }) => state === 'converted') as Converted | undefined;
  if (done === undefined) throw new Error(`nothing was converted: ${JSON.stringify(lines)}`);
  return oneLook('at rest, day, compacted: a trade', done.bytesAfter / done.partition.rows);
}

interface Converted {
  readonly bytesAfter: number;
  readonly partition: { readonly rows: number };
}

async function linesOf(what: string, store: Store): Promise<Line[]> {
  const { trades, days } = await countsOf(store);
  const bytesOf = await stoppedBytes(store);
  return [
    oneLook(`at rest, ${what}: a trade`, bytesOf(isOfTrades) / trades),
    oneLook(`at rest, ${what}: bars of a symbol-day`, bytesOf(isOfBars) / days),
  ];
}

async function countsOf({ urls }: Store): Promise<{ trades: number; days: number }> {
  const sql = createSql(urls.questdbReadonlyPgUrl, 1);
  try {
    const [row] = await sql.query('SELECT sum(agg_trades) trades, count() days FROM cdv_1d');
    return { trades: Number(row?.['trades']), days: Number(row?.['days']) };
  } finally {
    await sql.close();
  }
}

function oneLook(what: string, bytes: number): Line {
  return { what, unit: 'bytes', samples: [{ value: bytes }], note: 'measured once' };
}
