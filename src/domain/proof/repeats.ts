import { type AggTrade, canonicalLine, describeTrade } from '../trade/agg-trade.ts';

/** Rows of a page that share one id. */
export interface Repeat {
  readonly kept: AggTrade;
  readonly others: readonly AggTrade[];
}

/**
 * Removes repeated ids from a page. Of rows with the same id the first is kept; all of them are returned
 * as `repeats`, so that none is dropped without a record.
 * @param page ascending by id, except for repeats
 */
export function withoutRepeats(page: readonly AggTrade[]): {
  readonly rows: readonly AggTrade[];
  readonly repeats: readonly Repeat[];
} {
  const rows = page.filter((trade, index) => trade.aggId !== page[index - 1]?.aggId);
  if (rows.length === page.length) return { rows, repeats: [] };
  const repeats = [...Map.groupBy(page, ({ aggId }) => aggId).values()].flatMap(
    ([kept, ...others]) => (kept === undefined || others.length === 0 ? [] : [{ kept, others }]),
  );
  return { rows, repeats };
}

/** Describes what was received and which row was kept, for evidence. */
export function describeRepeat({ kept, others }: Repeat): string {
  const given = `the exchange gave this id ${others.length + 1} times`;
  const different = others.filter((other) => canonicalLine(other) !== canonicalLine(kept));
  if (different.length === 0) return `${given} with equal content; one is kept`;
  const dropped = different.map(describeTrade).join('; dropped: ');
  return `${given} with different content; the first is kept: ${describeTrade(kept)}; dropped: ${dropped}`;
}
