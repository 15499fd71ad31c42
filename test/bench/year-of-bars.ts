import type { Sql } from '../../src/adapters/questdb/sql.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { type Interval, INTERVAL_MS, INTERVALS } from '../../src/domain/time/interval.ts';
import { TIER_INTERVALS, type TierInterval } from '../../src/domain/bars/tier.ts';
import { SYMBOL } from './day-files.ts';

export const SYMBOLS = 200;
/** The symbol that the queries ask for: it alone has the whole year of bars below 1h. */
export const ASKED_SYMBOL = 'YEAR7';
/** 2024 without its last day. */
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 30] as const;
/** May, in which all symbols have bars at every interval. A whole year would be half a billion rows. */
const FULL_MONTH = 4;

/** Days and symbols that one statement fills. */
interface Copies {
  readonly day: number;
  readonly days: number;
  /** A condition on the number `x` of a symbol. */
  readonly symbols: string;
}

const ALL = 'true';
const ASKED_ALONE = `x = ${ASKED_SYMBOL.slice('YEAR'.length)}`;

/** Copies the stored day to days of other symbols, with ascending ids and times and continuous levels. */
export async function fillYear(sql: Sql): Promise<void> {
  let day = 0;
  for (const [month, days] of MONTH_DAYS.entries()) {
    const whole = [{ day, days, symbols: ALL }];
    // Day by day: a month of minutes of all symbols is too much for one commit.
    const byDay = Array.from({ length: days }, (_, index) => ({
      day: day + index,
      days: 1,
      symbols: ALL,
    }));
    const fine = month === FULL_MONTH ? byDay : [{ day, days, symbols: ASKED_ALONE }];
    const copiesOf = (interval: Interval) => (INTERVAL_MS[interval] < HOUR_MS ? fine : whole);
    for (const interval of INTERVALS)
      for (const copies of copiesOf(interval)) await sql.query(copyBars(interval, copies));
    for (const interval of TIER_INTERVALS)
      for (const copies of copiesOf(interval)) await sql.query(copyTiers(interval, copies));
    for (const copies of whole) await sql.query(copyAnchors(copies));
    day += days;
  }
  for (const interval of INTERVALS) await sql.waitApplied(`cdv_exact_${interval}`);
  for (const table of ['tier_minutes', 'tiers_exact_1h', 'tiers_exact_1d'])
    await sql.waitApplied(table);
  await sql.waitApplied('anchors');
}

const BAR_COLUMNS =
  'ts, market, symbol, open, high, low, close, delta, buy_volume, sell_volume, quote_delta, quote_volume, agg_trades, ' +
  'trades, price_open, price_high, price_low, price_close, first_id, last_id, status, level_from, level_missing, ' +
  'base_buy_volume, base_sell_volume, buy_agg_trades, buy_trades';

function copyBars(interval: Interval, copies: Copies): string {
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
    crossJoin(copies)
  );
}

const TIER_SUMS = 'open, high, low, close, buy_volume, sell_volume, agg_trades, trades';

/** Minutes are stored without what the minute's bar says. */
function copyTiers(interval: TierInterval, copies: Copies): string {
  const ts = "dateadd('d', d.day, b.ts)";
  const sums = TIER_SUMS.split(', ')
    .map((name) => `b.${name}`)
    .join(', ');
  const seriesTier = `replace(b.series_tier, '${SYMBOL}', s.symbol)`;
  if (interval === '1m')
    return (
      `INSERT INTO tier_minutes (ts, series_tier, ${TIER_SUMS}) SELECT ${ts}, ${seriesTier}, ${sums} FROM ` +
      `(SELECT * FROM tier_minutes WHERE starts_with(series_tier, 'binance_spot ${SYMBOL} ')) b ${crossJoin(copies)}`
    );
  return (
    `INSERT INTO tiers_exact_${interval} (ts, market, symbol, tier, delta, status, level_from, level_missing, series_tier, ${TIER_SUMS}) ` +
    `SELECT ${ts}, b.market, s.symbol, b.tier, b.delta, b.status, dateadd('d', d.day, b.level_from), b.level_missing, ${seriesTier}, ${sums} ` +
    `FROM (SELECT * FROM tiers_exact_${interval} WHERE symbol = '${SYMBOL}') b ${crossJoin(copies)}`
  );
}

function copyAnchors(copies: Copies): string {
  return (
    `INSERT INTO anchors SELECT dateadd('d', d.day, b.ts), b.market, s.symbol, (b.delta * d.day)::decimal(38,8), 0, b.level_from ` +
    `FROM (SELECT * FROM cdv_exact_1d WHERE symbol = '${SYMBOL}') b ` +
    crossJoin(copies)
  );
}

function crossJoin({ day, days, symbols }: Copies): string {
  return (
    `CROSS JOIN (SELECT (x - 1 + ${day})::int day FROM long_sequence(${days})) d ` +
    `CROSS JOIN (SELECT concat('YEAR', x) symbol FROM long_sequence(${SYMBOLS}) WHERE ${symbols}) s`
  );
}
