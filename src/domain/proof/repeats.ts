import { type AggTrade, canonicalLine, describeTrade } from '../trade/agg-trade.ts';

/** Rows that stand under an id that another row of the page has already. */
export interface Repeat {
  readonly kept: AggTrade;
  readonly others: readonly AggTrade[];
}

/**
 * A page in which each id stands once: of rows with one id the first is kept, and all are returned, so
 * that none is dropped in silence.
 * @param page ids rising, but for such repeats
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

/** What was given, and what became of it. */
export function describeRepeat({ kept, others }: Repeat): string {
  const given = `the exchange gave this id ${others.length + 1} times`;
  const different = others.filter((other) => canonicalLine(other) !== canonicalLine(kept));
  if (different.length === 0) return `${given} with equal content; one is kept`;
  const dropped = different.map(describeTrade).join('; and not ');
  return `${given} with different content; the first is kept: ${describeTrade(kept)}; and not ${dropped}`;
}
