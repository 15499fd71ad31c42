-- A statement behind a line `-- each: 1m 5m …` stands for one of each interval: {interval} is 5m, {unit}
-- m, {count} 5. (A line that says for which intervals belongs to its statement alone.)

-- Intervals of 3 and 30 minutes.
-- each: 3m 30m
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
  base_sell_volume DOUBLE
) TIMESTAMP(ts) PARTITION BY MONTH WAL DEDUP UPSERT KEYS(ts, market, symbol);

-- Of agg_trades and trades those whose taker bought; the rest sold.
-- each: 1m 3m 5m 15m 30m 1h 4h 1d
ALTER TABLE cdv_exact_{interval} ADD COLUMN IF NOT EXISTS buy_agg_trades LONG;
-- each: 1m 3m 5m 15m 30m 1h 4h 1d
ALTER TABLE cdv_exact_{interval} ADD COLUMN IF NOT EXISTS buy_trades LONG;

-- CDV of trades of one size apart. tier: the lower bound of the trade's worth in quote currency. Every
-- bar has a row in each tier, so that the tiers of a bar add up to it.
-- each: 1m
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
  level_missing LONG
) TIMESTAMP(ts) PARTITION BY MONTH WAL DEDUP UPSERT KEYS(ts, market, symbol, tier);

-- each: 1h 1d
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
  level_missing LONG
) TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, market, symbol, tier);

-- In which shape a day's bars were built, which release and which tiers: bars of another are due.
ALTER TABLE bar_days ADD COLUMN IF NOT EXISTS layout VARCHAR;
