import { type Market, marketName } from '../market.ts';
import { isSymbol } from '../symbols.ts';

/** Series that the schedule keeps complete because a rule covers them, not because somebody named them. */
export interface ScheduleRule {
  readonly market: Market;
  /** Quote asset: USDT. A market has one rule for each. */
  readonly quote: string;
  /** The symbols of the greatest volume only, so many; undefined: all. */
  readonly top: number | undefined;
  /** Start of the range to keep complete. A symbol that is listed later begins with its listing. */
  readonly fromMs: number;
}

/** A symbol as the exchange lists it. */
export interface ListedSymbol {
  readonly symbol: string;
  readonly quote: string;
  readonly isTrading: boolean;
  /** When its trading began; undefined where the exchange does not say (spot). */
  readonly listedMs: number | undefined;
}

/** What a rule finds. Series that are covered and stay covered are in none of the lists. */
export interface RuleFindings {
  readonly joining: readonly ListedSymbol[];
  /** Covered until now, and no longer among the greatest. */
  readonly leaving: readonly string[];
  /** Covered, and no longer traded or listed. */
  readonly ended: readonly string[];
  /** Listed under names that no command or job takes. They can't be scheduled. */
  readonly unusable: readonly string[];
}

export interface RuleFacts {
  readonly listed: readonly ListedSymbol[];
  /** Volume of the last 24 hours in the quote asset, by symbol; only needed with `top`. */
  readonly volumes: ReadonlyMap<string, number>;
  /** Symbols that the rule covers now. */
  readonly covered: ReadonlySet<string>;
}

/**
 * A symbol comes in at rank `top`, and goes out only behind this rank: at the edge, where volumes change places
 * every hour, it would otherwise be scheduled and unscheduled in turn.
 */
export function lastRank(top: number): number {
  return top + Math.ceil(top / 4);
}

export function applyRule(
  { quote, top }: Pick<ScheduleRule, 'quote' | 'top'>,
  { listed, volumes, covered }: RuleFacts,
): RuleFindings {
  const all = listed.filter((one) => one.isTrading && one.quote === quote);
  const trading = all.filter(({ symbol }) => isSymbol(symbol));
  const unusable = all.map(({ symbol }) => symbol).filter((symbol) => !isSymbol(symbol));
  const names = new Set(trading.map(({ symbol }) => symbol));
  const ended = [...covered].filter((symbol) => !names.has(symbol));
  const isNew = ({ symbol }: ListedSymbol) => !covered.has(symbol);
  if (top === undefined) return { joining: trading.filter(isNew), leaving: [], ended, unusable };
  const volumeOf = ({ symbol }: ListedSymbol) => volumes.get(symbol) ?? 0;
  const ranked = trading.toSorted(
    (left, right) => volumeOf(right) - volumeOf(left) || (left.symbol < right.symbol ? -1 : 1),
  );
  return {
    joining: ranked.slice(0, top).filter(isNew),
    leaving: ranked
      .slice(lastRank(top))
      .map(({ symbol }) => symbol)
      .filter((symbol) => covered.has(symbol)),
    ended,
    unusable,
  };
}

/** `the top 100 of USDT on um` */
export function ruleText({
  market,
  quote,
  top,
}: Pick<ScheduleRule, 'market' | 'quote' | 'top'>): string {
  return `${top === undefined ? 'all' : `the top ${top}`} of ${quote} on ${marketName(market)}`;
}
