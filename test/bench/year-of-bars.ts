import type { Sql } from '../../src/adapters/questdb/sql.ts';
import { type Interval, INTERVALS } from '../../src/domain/time/interval.ts';
import { TIER_INTERVALS, type TierInterval } from '../../src/domain/bars/tier.ts';
import { SYMBOL } from './day-files.ts';

export const SYMBOLS = 20;
/** 2024 without its last day. */
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 30] as const;

/** Copies the stored day to every day of every symbol, with ascending ids and times and continuous levels. */
export async function fillYear(sql: Sql): Promise<void> {
  let day = 0;
  for (const days of MONTH_DAYS) {
    for (const interval of INTERVALS) await sql.query(monthOfBars(interval, day, days));
    for (const interval of TIER_INTERVALS) await sql.query(monthOfTiers(interval, day, days));
    await sql.query(monthOfAnchors(day, days));
    day += days;
  }
  for (const interval of INTERVALS) await sql.waitApplied(`cdv_exact_${interval}`);
  for (const interval of TIER_INTERVALS) await sql.waitApplied(`tiers_exact_${interval}`);
  await sql.waitApplied('anchors');
}

const BAR_COLUMNS =
  'ts, market, symbol, open, high, low, close, delta, buy_volume, sell_volume, quote_delta, quote_volume, agg_trades, ' +
  'trades, price_open, price_high, price_low, price_close, first_id, last_id, status, level_from, level_missing, ' +
  'base_buy_volume, base_sell_volume, buy_agg_trades, buy_trades';

function monthOfBars(interval: Interval, day: number, days: number): string {
  const moved = "dateadd('d', d.day, b.ts), b.market, s.symbol";
  const levels =
    'b.open, b.high, b.low, b.close, b.delta, b.buy_volume, b.sell_volume, b.quote_delta, b.quote_volume';
  const rest =
    'b.agg_trades, b.trades, b.price_open, b.price_high, b.price_low, b.price_close, ' +
    "b.first_id + d.day * t.trades, b.last_id + d.day * t.trades, b.status, dateadd('d', d.day, b.level_from), b.level_missing, " +
    'b.base_buy_volume, b.base_sell_volume, b.buy_agg_trades, b.buy_trades';
  return (
    `INSERT INTO cdv_exact_${interval} (${BAR_COLUMNS}) SELECT ${moved}, ${levels}, ${rest} FROM ` +
    `(SELECT * FROM cdv_exact_${interval} WHERE symbol = '${SYMBOL}') b CROSS JOIN ` +
    `(SELECT agg_trades trades FROM cdv_exact_1d WHERE symbol = '${SYMBOL}') t ` +
    copies(day, days)
  );
}

const TIER_COLUMNS =
  'ts, market, symbol, tier, open, high, low, close, delta, buy_volume, sell_volume, agg_trades, trades, status, ' +
  'level_from, level_missing';

function monthOfTiers(interval: TierInterval, day: number, days: number): string {
  const kept = TIER_COLUMNS.split(', ')
    .slice(3, -2)
    .map((name) => `b.${name}`);
  return (
    `INSERT INTO tiers_exact_${interval} (${TIER_COLUMNS}) SELECT dateadd('d', d.day, b.ts), b.market, s.symbol, ` +
    `${kept.join(', ')}, dateadd('d', d.day, b.level_from), b.level_missing FROM ` +
    `(SELECT * FROM tiers_exact_${interval} WHERE symbol = '${SYMBOL}') b ${copies(day, days)}`
  );
}

function monthOfAnchors(day: number, days: number): string {
  return (
    `INSERT INTO anchors SELECT dateadd('d', d.day, b.ts), b.market, s.symbol, (b.delta * d.day)::decimal(38,8), 0, b.level_from ` +
    `FROM (SELECT * FROM cdv_exact_1d WHERE symbol = '${SYMBOL}') b ` +
    copies(day, days)
  );
}

function copies(day: number, days: number): string {
  return (
    `CROSS JOIN (SELECT (x - 1 + ${day})::int day FROM long_sequence(${days})) d ` +
    `CROSS JOIN (SELECT concat('YEAR', x) symbol FROM long_sequence(${SYMBOLS})) s`
  );
}
