import pg from 'pg';
import { differenceOf, factsOfSeries, factsOfStore } from '../demo/own-sums.ts';
import { query } from './samples.ts';
import { FIRST_DAY_MS, HOUR_MS, type SoakSymbol } from './story.ts';

const DAY_MS = 24 * HOUR_MS;

/**
 * Ids, sums and all minutes of every symbol and day against the made-up trades, without any code of cdvault.
 * @returns the differences, in words
 */
export async function differences(
  url: string,
  symbols: readonly SoakSymbol[],
  endMs: number,
): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: url, types: { getTypeParser: () => String } });
  await client.connect();
  const found: string[] = [];
  try {
    for (const { symbol, trades } of symbols) {
      let rows = 0;
      for (let dayMs = FIRST_DAY_MS; dayMs < endMs; dayMs += DAY_MS) {
        const toUs = Math.min(dayMs + DAY_MS, endMs) * 1000;
        const stretch = { symbol, fromUs: dayMs * 1000, toUs };
        const expected = factsOfSeries(trades, stretch);
        const stored = await factsOfStore(client, stretch);
        rows += stored.rows;
        const difference = differenceOf(expected, stored);
        if (difference !== undefined)
          found.push(`${symbol} ${new Date(dayMs).toISOString().slice(0, 10)}: ${difference}`);
      }
      // Nothing is stored outside the days that were compared, but hours that came after the end.
      if (rows === 0) found.push(`${symbol}: nothing is stored`);
    }
  } finally {
    await client.end();
  }
  return found;
}

/** Gaps that are not resolved, of these symbols. */
export async function openGaps(url: string, symbols: readonly SoakSymbol[]): Promise<number> {
  const names = symbols.map(({ symbol }) => `'${symbol}'`).join(', ');
  const [row] = await query(
    url,
    `SELECT count() AS gaps FROM gaps WHERE resolved_at IS NULL AND symbol IN (${names})`,
  );
  return Number(row?.['gaps']);
}
