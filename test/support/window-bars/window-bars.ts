import type { Sql } from '../../../src/adapters/questdb/sql.ts';
import { int } from '../../../src/adapters/questdb/sql.ts';
import type { Contract } from '../../../src/domain/bars/contract.ts';
import type { DayInputs } from '../../../src/domain/bars/day.ts';
import { DEFAULT_TIERS, TIER_INTERVALS } from '../../../src/domain/bars/tier.ts';
import type { Series } from '../../../src/domain/market.ts';
import { INTERVALS } from '../../../src/domain/time/interval.ts';
import { minuteBars, rolledUpBars, withinDay } from './bars-sql.ts';
import { tradesTable } from '../store.ts';
import { hasNoTiers, rolledUpTiers, tierMinutes, tierNames } from './tiers-sql.ts';

/**
 * A third way to a day's bars, beside the distilled hours and the bigint pass: the database computes them
 * from its stored rows, by window functions. It selects rows by time, so it is right only where the rows of
 * the day's hours are exactly those that the ledger counts.
 */
export async function buildByWindows(
  sql: Sql,
  { from, into }: { readonly from: Series; readonly into: Series },
  day: DayInputs,
  contract?: Contract,
): Promise<void> {
  const run = async (table: string, statement: string) => {
    await sql.query(statement);
    await sql.waitApplied(table);
  };
  const names = { table: await tradesTable(sql, from.symbol, from.market), into };
  const [row] = await sql.query(
    'SELECT count() AS falls FROM (SELECT agg_id, lag(agg_id) OVER () AS before ' +
      `FROM ${names.table} WHERE ${withinDay(day)}) WHERE agg_id < before`,
  );
  const order = row !== undefined && int(row, 'falls') === 0 ? 'stored' : 'sorted';
  await run('cdv_exact_1m', minuteBars(names, day, order, contract));
  const bounds = DEFAULT_TIERS;
  for (const interval of INTERVALS)
    if (interval !== '1m') await run(`cdv_exact_${interval}`, rolledUpBars(into, day, interval));
  if (hasNoTiers(contract)) return;
  await run('tier_minutes', tierMinutes(names, day, { bounds, order, contract }));
  await run('tiers_exact_1d', tierNames(into, day, bounds));
  for (const interval of TIER_INTERVALS)
    if (interval !== '1m') await run(`tiers_exact_${interval}`, rolledUpTiers(into, day, interval));
}
