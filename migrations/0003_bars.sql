-- Exact bars. open, high, low, close: CDV since level_from (UTC midnight, or the first stored hour of a
-- day of which the start was not asked for), after the bar's first trade, highest, lowest, after its
-- last. One table an interval: a SAMPLE BY view would read the whole history for every query.
CREATE TABLE IF NOT EXISTS cdv_exact_1m (
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
  level_missing LONG
) TIMESTAMP(ts) PARTITION BY MONTH WAL DEDUP UPSERT KEYS(ts, market, symbol);

CREATE TABLE IF NOT EXISTS cdv_exact_5m (
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
  level_missing LONG
) TIMESTAMP(ts) PARTITION BY MONTH WAL DEDUP UPSERT KEYS(ts, market, symbol);

CREATE TABLE IF NOT EXISTS cdv_exact_15m (
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
  level_missing LONG
) TIMESTAMP(ts) PARTITION BY MONTH WAL DEDUP UPSERT KEYS(ts, market, symbol);

CREATE TABLE IF NOT EXISTS cdv_exact_1h (
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
  level_missing LONG
) TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, market, symbol);

CREATE TABLE IF NOT EXISTS cdv_exact_4h (
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
  level_missing LONG
) TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, market, symbol);

CREATE TABLE IF NOT EXISTS cdv_exact_1d (
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
  level_missing LONG
) TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, market, symbol);

-- Which slice contents each day's bars were computed from: bars are due when they differ.
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
  built_at TIMESTAMP
) TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, market, symbol);

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
