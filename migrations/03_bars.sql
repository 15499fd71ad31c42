-- A statement after a line `-- each: 1m 5m by DAY, 1h by MONTH` stands for one of each interval: {interval} is
-- 5m, {unit} m, {count} 5, {partition} DAY. (Such a line belongs to its statement alone.)

-- Exact bars. open, high, low, close: CDV since level_from (UTC midnight, or the first stored hour of a
-- day of which the start was not asked for), after the bar's first trade, highest, lowest, after its
-- last. COIN-M bars count contracts, exactly; what they are worth in the base asset is a quotient, so
-- base_… are DOUBLE and not exact (NULL on the other markets, whose volumes are base). buy_…: of
-- agg_trades and trades those whose taker bought; the rest sold. One table an interval: a SAMPLE BY view
-- would read the whole history for every query. All series share a table, and a commit rewrites what lies
-- behind its rows in the partition: so partitions are of a size that stays below about 50 MB at 200 series
-- (80 MB for minutes; there is nothing between HOUR and DAY).
-- each: 1m 3m 5m by DAY, 15m 30m by WEEK, 1h 4h by MONTH, 1d by YEAR
CREATE TABLE IF NOT EXISTS cdv_exact_{interval} (
  ts TIMESTAMP,
  market SYMBOL,
  symbol SYMBOL,
  open DECIMAL(38,8),
  high DECIMAL(38,8),
  low DECIMAL(38,8),
  close DECIMAL(38,8),
  delta DECIMAL(38,8),
  buy_volume DECIMAL(38,8),
  sell_volume DECIMAL(38,8),
  quote_delta DECIMAL(38,16),
  quote_volume DECIMAL(38,16),
  agg_trades LONG,
  trades LONG,
  price_open DECIMAL(18,8),
  price_high DECIMAL(18,8),
  price_low DECIMAL(18,8),
  price_close DECIMAL(18,8),
  first_id LONG,
  last_id LONG,
  status SYMBOL,
  level_from TIMESTAMP,
  level_missing LONG,
  base_buy_volume DOUBLE,
  base_sell_volume DOUBLE,
  buy_agg_trades LONG,
  buy_trades LONG
) TIMESTAMP(ts) PARTITION BY {partition} WAL DEDUP UPSERT KEYS(ts, market, symbol);

-- CDV of trades of one size apart. tier: the lower bound of the trade's worth in quote currency. Every
-- bar has a row in each tier, so that the tiers of a bar add up to it. series_tier: market, symbol and tier
-- with spaces between them, as one symbol, because an ASOF join over several keys is slow.
-- each: 1h by WEEK, 1d by YEAR
CREATE TABLE IF NOT EXISTS tiers_exact_{interval} (
  ts TIMESTAMP,
  market SYMBOL,
  symbol SYMBOL,
  tier SYMBOL,
  open DECIMAL(38,8),
  high DECIMAL(38,8),
  low DECIMAL(38,8),
  close DECIMAL(38,8),
  delta DECIMAL(38,8),
  buy_volume DECIMAL(38,8),
  sell_volume DECIMAL(38,8),
  agg_trades LONG,
  trades LONG,
  status SYMBOL,
  level_from TIMESTAMP,
  level_missing LONG,
  series_tier SYMBOL
) TIMESTAMP(ts) PARTITION BY {partition} WAL DEDUP UPSERT KEYS(ts, market, symbol, tier);

-- Minutes of tiers, only those in which the tier traded; and of each hour's first bar one row in every tier,
-- which tells a tier that did not trade from one that is not known. The view tiers_exact_1m has all minutes,
-- with what cdv_exact_1m says about each. A row without close is no bar. The index takes a twelfth of the bytes,
-- and a month of a tier half the time above that of a dense table; 64 suits tiers that trade rarely.
CREATE TABLE IF NOT EXISTS tier_minutes (
  ts TIMESTAMP,
  series_tier SYMBOL INDEX CAPACITY 64,
  open DECIMAL(38,8),
  high DECIMAL(38,8),
  low DECIMAL(38,8),
  close DECIMAL(38,8),
  buy_volume DECIMAL(38,8),
  sell_volume DECIMAL(38,8),
  agg_trades LONG,
  trades LONG
) TIMESTAMP(ts) PARTITION BY DAY WAL DEDUP UPSERT KEYS(ts, series_tier);

-- Which slice contents each day's bars were computed from, and in which layout (shape of the release, and
-- tiers): bars are due when either differs.
CREATE TABLE IF NOT EXISTS bar_days (
  ts TIMESTAMP,
  market SYMBOL,
  symbol SYMBOL,
  inputs VARCHAR,
  level_from TIMESTAMP,
  rows LONG,
  id_start LONG,
  id_end LONG,
  missing LONG,
  delta DECIMAL(38,8),
  built_at TIMESTAMP,
  layout VARCHAR
) TIMESTAMP(ts) PARTITION BY MONTH WAL DEDUP UPSERT KEYS(ts, market, symbol);

-- Continuous CDV at each stored midnight, 0 at the pinned origin. missing: ids that are not stored
-- between the origin and this day, NULL when they can't be counted.
CREATE TABLE IF NOT EXISTS anchors (
  ts TIMESTAMP,
  market SYMBOL,
  symbol SYMBOL,
  base DECIMAL(38,8),
  missing LONG,
  origin TIMESTAMP
) TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, market, symbol);

-- Levels that people may have seen and that changed; ts is the first hour (bars) or midnight (anchor).
CREATE TABLE IF NOT EXISTS restatements (
  ts TIMESTAMP,
  market SYMBOL,
  symbol SYMBOL,
  what SYMBOL,
  old_level DECIMAL(38,8),
  new_level DECIMAL(38,8),
  reason VARCHAR,
  seen_at TIMESTAMP
) TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, market, symbol, what, seen_at);
