import { BASE_SCALE } from '../../domain/bars/contract.ts';
import type { DayBar } from '../../domain/bars/day-bars.ts';
import { formatDecimal, PRICE_SCALE, QTY_SCALE, QUOTE_SCALE } from '../../domain/trade/decimal.ts';
import { INTERVAL_MS, INTERVALS } from '../../domain/time/interval.ts';
import type { Series } from '../../domain/market.ts';
import { TIER_INTERVALS, type TierBounds } from '../../domain/bars/tier.ts';
import type { DayToWrite } from '../../ports/bar-store.ts';

/** Where a row of bars is, apart from its series. */
export interface BarPlace {
  readonly openMs: number;
  /** As stored; undefined for bars of all trades. */
  readonly tier: string | undefined;
}

/** The lines of one table, for one day of a series. */
export interface TableLines {
  readonly table: string;
  readonly intervalMs: number;
  readonly lines: readonly string[];
  /** The rows that these lines write, by `placeKey`. */
  readonly places: ReadonlySet<string>;
}

/**
 * A day's bars as lines of QuestDB's line protocol: `d` marks a decimal, `i` a LONG, `t` microseconds; a
 * column without a field is NULL.
 */
export function barLines(written: DayToWrite, tiers: TierBounds): TableLines[] {
  const ofAll = INTERVALS.map((interval) =>
    tableLines(`cdv_exact_${interval}`, INTERVAL_MS[interval], written, [
      { tier: undefined, bars: written.bars.bars.get(interval) ?? [] },
    ]),
  );
  const ofTiers = TIER_INTERVALS.map((interval) =>
    tableLines(
      `tiers_exact_${interval}`,
      INTERVAL_MS[interval],
      written,
      (written.bars.tiers.get(interval) ?? []).map((bars, index) => ({
        tier: String(tiers[index]),
        bars,
      })),
    ),
  );
  return [...ofAll, ...ofTiers];
}

export function placeKey({ openMs, tier = '' }: BarPlace): string {
  return `${openMs} ${tier}`;
}

/** A line that marks a row as no bar. */
export function voidLine(table: string, series: Series, { openMs, tier }: BarPlace): string {
  return `${headOf(table, series, tier)},status=void agg_trades=0i ${openMs}000t\n`;
}

function tableLines(
  table: string,
  intervalMs: number,
  written: DayToWrite,
  groups: readonly { readonly tier: string | undefined; readonly bars: readonly DayBar[] }[],
): TableLines {
  const { series, day, fromMs } = written;
  const lines: string[] = [];
  const places = new Set<string>();
  const levelFrom = `,level_from=${day.levelFromMs}000t`;
  for (const { tier, bars } of groups) {
    const head = headOf(table, series, tier);
    for (const bar of bars) {
      if (bar.openMs + intervalMs <= fromMs) continue;
      const rest = tier === undefined ? wholeFields(bar, written) : '';
      const missing = bar.levelMissing === undefined ? '' : `,level_missing=${bar.levelMissing}i`;
      lines.push(
        `${head},status=${bar.status} ${sumFields(bar)}${rest}${levelFrom}${missing} ${bar.openMs}000t\n`,
      );
      places.add(placeKey({ openMs: bar.openMs, tier }));
    }
  }
  return { table, intervalMs, lines, places };
}

function headOf(table: string, { market, symbol }: Series, tier: string | undefined): string {
  const head = `${table},market=${escaped(market)},symbol=${escaped(symbol)}`;
  return tier === undefined ? head : `${head},tier=${tier}`;
}

/** The columns that bars and tiers have in common. */
function sumFields(bar: DayBar): string {
  return (
    `open=${e8(bar.open)}d,high=${e8(bar.high)}d,low=${e8(bar.low)}d,close=${e8(bar.close)}d,` +
    `delta=${e8(bar.buyE8 - bar.sellE8)}d,buy_volume=${e8(bar.buyE8)}d,sell_volume=${e8(bar.sellE8)}d,` +
    `agg_trades=${bar.aggTrades}i,trades=${bar.trades}i`
  );
}

/** The columns that only bars of all trades have. */
function wholeFields({ traded }: DayBar, { contract }: DayToWrite): string {
  const isWorthKnown = contract === undefined || contract.size !== undefined;
  const hasBase = contract?.size !== undefined;
  if (traded === undefined) {
    const quote = isWorthKnown ? ',quote_delta=0d,quote_volume=0d' : '';
    const base = hasBase ? ',base_buy_volume=0,base_sell_volume=0' : '';
    return `${quote}${base},buy_agg_trades=0i,buy_trades=0i`;
  }
  const { quoteE16, baseE24 } = traded;
  const quote =
    quoteE16 === undefined
      ? ''
      : `,quote_delta=${e16(quoteE16.buy - quoteE16.sell)}d,quote_volume=${e16(quoteE16.buy + quoteE16.sell)}d`;
  const base =
    baseE24 === undefined
      ? ''
      : `,base_buy_volume=${rounded(baseE24.buy)},base_sell_volume=${rounded(baseE24.sell)}`;
  return (
    `${quote}${base},buy_agg_trades=${traded.buyAggTrades}i,buy_trades=${traded.buyTrades}i,` +
    `price_open=${price(traded.priceOpen)}d,price_high=${price(traded.priceHigh)}d,` +
    `price_low=${price(traded.priceLow)}d,price_close=${price(traded.priceClose)}d,` +
    `first_id=${traded.firstId}i,last_id=${traded.lastId}i`
  );
}

function e8(units: bigint): string {
  return formatDecimal(units, QTY_SCALE);
}

function e16(units: bigint): string {
  return formatDecimal(units, QUOTE_SCALE);
}

function price(units: bigint): string {
  return formatDecimal(units, PRICE_SCALE);
}

/** The nearest DOUBLE. */
function rounded(unitsE24: bigint): number {
  return Number(formatDecimal(unitsE24, BASE_SCALE));
}

/** Spaces, commas and equals signs end a symbol unless escaped. */
function escaped(symbol: string): string {
  return symbol.replaceAll(/[\\ ,=]/g, (character) => `\\${character}`);
}
