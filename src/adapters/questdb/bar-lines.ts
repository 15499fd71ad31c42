import { BASE_SCALE } from '../../domain/bars/contract.ts';
import type { BarStatus } from '../../domain/bars/day.ts';
import type { DayBar } from '../../domain/bars/day-bars.ts';
import { formatDecimal, PRICE_SCALE, QTY_SCALE, QUOTE_SCALE } from '../../domain/trade/decimal.ts';
import { floorTo, HOUR_MS } from '../../domain/time/hour.ts';
import { INTERVAL_MS, INTERVALS } from '../../domain/time/interval.ts';
import type { Series } from '../../domain/market.ts';
import { TIER_INTERVALS, type TierBounds } from '../../domain/bars/tier.ts';
import type { DayToWrite } from '../../ports/bar-store.ts';

/** Where a row of bars is, apart from its series. */
export interface BarPlace {
  readonly openMs: number;
  /** As stored; undefined for bars of all trades. */
  readonly tier: string | undefined;
  /**
   * The level of a minute of a tier that exists without trades: later minutes take theirs from its row. A
   * place without it is no bar.
   */
  readonly level?: bigint | undefined;
}

/** The table with the minutes in which tiers traded. */
export const TIER_MINUTES = 'tier_minutes';

/** The lines of one table, for one day of a series. */
export interface TableLines {
  readonly table: string;
  readonly intervalMs: number;
  readonly lines: readonly string[];
  /** The rows that these lines write, by `placeKey`. */
  readonly places: () => ReadonlySet<string>;
  /** The tiers' minutes, by tier as stored; only for TIER_MINUTES. */
  readonly minutes: ReadonlyMap<string, readonly DayBar[]>;
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
  const ofTier = (bars: readonly DayBar[], index: number) => ({ tier: String(tiers[index]), bars });
  const ofTiers = TIER_INTERVALS.map((interval) => {
    const groups = (written.bars.tiers.get(interval) ?? []).map(ofTier);
    if (interval !== '1m')
      return tableLines(`tiers_exact_${interval}`, INTERVAL_MS[interval], written, groups);
    const minutes = new Map(groups.map(({ tier, bars }) => [tier, bars]));
    const stored = groups.map(({ tier, bars }) => ({ tier, bars: bars.filter(isStoredMinute) }));
    return { ...tableLines(TIER_MINUTES, INTERVAL_MS[interval], written, stored), minutes };
  });
  return [...ofAll, ...ofTiers];
}

/** Minutes in which the tier traded, and each hour's first bar. */
function isStoredMinute({ openMs, aggTrades }: DayBar, index: number, bars: readonly DayBar[]) {
  if (aggTrades > 0) return true;
  const before = bars[index - 1];
  return before === undefined || floorTo(before.openMs, HOUR_MS) < floorTo(openMs, HOUR_MS);
}

export function placeKey({ openMs, tier = '' }: BarPlace): string {
  return `${openMs} ${tier}`;
}

/**
 * The place of a row that an earlier build has left, in this build: no bar, or of a tier that still exists
 * a minute in which it did not trade.
 */
export function leftPlace(place: BarPlace, { minutes }: TableLines): BarPlace {
  const ofTier = minutes.get(place.tier ?? '');
  return { ...place, level: ofTier?.findLast(({ openMs }) => openMs <= place.openMs)?.close };
}

/** A line for a row that an earlier build has left. */
export function voidLine(table: string, series: Series, { openMs, tier, level }: BarPlace): string {
  const head = headOf(table, series, tier);
  if (level === undefined)
    return `${head}${statusTag(table, 'void')} agg_trades=0i ${openMs}000t\n`;
  const levels = { open: level, high: level, low: level, close: level };
  return `${head} ${levelFields(levels)},${sumFields(NO_SUMS)} ${openMs}000t\n`;
}

function tableLines(
  table: string,
  intervalMs: number,
  written: DayToWrite,
  groups: readonly { readonly tier: string | undefined; readonly bars: readonly DayBar[] }[],
): TableLines {
  const { series, day, fromMs } = written;
  const lines: string[] = [];
  const levelFrom = `,level_from=${day.levelFromMs}000t`;
  for (const { tier, bars } of groups) {
    const head = headOf(table, series, tier);
    const lineOf = (bar: DayBar) => {
      const tag = statusTag(table, bar.status);
      const delta = `,delta=${e8(bar.buyE8 - bar.sellE8)}d`;
      const whole = tier === undefined ? wholeFields(bar, written) : '';
      const missing = bar.levelMissing === undefined ? '' : `,level_missing=${bar.levelMissing}i`;
      const rest = table === TIER_MINUTES ? '' : `${delta}${whole}${levelFrom}${missing}`;
      return `${head}${tag} ${levelFields(bar)},${sumFields(bar)}${rest}`;
    };
    let before: DayBar | undefined;
    let line = '';
    for (const bar of bars) {
      if (bar.openMs + intervalMs <= fromMs) continue;
      // Most minutes of a thin series have no trades, and but for its time the line of the minute before.
      if (before === undefined || !isSilentAgain(before, bar)) line = lineOf(bar);
      before = bar;
      lines.push(`${line} ${bar.openMs}000t\n`);
    }
  }
  const places = () =>
    new Set(
      groups.flatMap(({ tier, bars }) =>
        bars
          .filter(({ openMs }) => openMs + intervalMs > fromMs)
          .map(({ openMs }) => placeKey({ openMs, tier })),
      ),
    );
  return { table, intervalMs, lines, places, minutes: new Map() };
}

/** Whether two bars in a row have no trades and the same level. */
function isSilentAgain(before: DayBar, bar: DayBar): boolean {
  return (
    bar.aggTrades === 0 &&
    before.aggTrades === 0 &&
    bar.close === before.close &&
    bar.status === before.status &&
    bar.levelMissing === before.levelMissing
  );
}

/** What all values of `series_tier` of a series begin with. */
export function seriesPrefix({ market, symbol }: Series): string {
  return `${market} ${symbol} `;
}

function headOf(table: string, { market, symbol }: Series, tier: string | undefined): string {
  const seriesTier = `series_tier=${escaped(`${seriesPrefix({ market, symbol })}${tier}`)}`;
  if (table === TIER_MINUTES) return `${table},${seriesTier}`;
  const head = `${table},market=${escaped(market)},symbol=${escaped(symbol)}`;
  return tier === undefined ? head : `${head},tier=${tier},${seriesTier}`;
}

/** Minutes of tiers have the status of the minute's bar. */
function statusTag(table: string, status: BarStatus | 'void'): string {
  return table === TIER_MINUTES ? '' : `,status=${status}`;
}

type Levels = Pick<DayBar, 'open' | 'high' | 'low' | 'close'>;

function levelFields({ open, high, low, close }: Levels): string {
  return `open=${e8(open)}d,high=${e8(high)}d,low=${e8(low)}d,close=${e8(close)}d`;
}

type TierSums = Pick<DayBar, 'buyE8' | 'sellE8' | 'aggTrades' | 'trades'>;

const NO_SUMS: TierSums = { buyE8: 0n, sellE8: 0n, aggTrades: 0, trades: 0 };

function sumFields({ buyE8, sellE8, aggTrades, trades }: TierSums): string {
  return `buy_volume=${e8(buyE8)}d,sell_volume=${e8(sellE8)}d,agg_trades=${aggTrades}i,trades=${trades}i`;
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
