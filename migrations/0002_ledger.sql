-- The ledger: one row per hour that was fetched, in the fetch's own facts. `proven` is derived from
-- them in the view `coverage`.
CREATE TABLE IF NOT EXISTS slices (
  ts TIMESTAMP,
  market SYMBOL,
  symbol SYMBOL,
  rows LONG,
  first_id LONG,
  first_ts TIMESTAMP,
  last_id LONG,
  last_ts TIMESTAMP,
  prev_id LONG,
  prev_ts TIMESTAMP,
  next_id LONG,
  next_ts TIMESTAMP,
  invalid_rows LONG,
  backward_rows LONG,
  buy_qty DECIMAL(38,8),
  sell_qty DECIMAL(38,8),
  content_hash VARCHAR,
  source SYMBOL,
  run_id VARCHAR,
  code_version VARCHAR,
  fetched_at TIMESTAMP
) TIMESTAMP(ts) PARTITION BY MONTH WAL DEDUP UPSERT KEYS(ts, market, symbol);

-- What is not proven and why, with evidence; ids are a half-open range.
CREATE TABLE IF NOT EXISTS gaps (
  ts TIMESTAMP,
  market SYMBOL,
  symbol SYMBOL,
  class SYMBOL,
  from_id LONG,
  to_id LONG,
  evidence VARCHAR,
  seen_at TIMESTAMP,
  resolved_at TIMESTAMP
) TIMESTAMP(ts) PARTITION BY MONTH WAL DEDUP UPSERT KEYS(ts, market, symbol, class, from_id);

-- Facts of a series that outlive every run; ts is always 1970-01-01.
CREATE TABLE IF NOT EXISTS series (
  ts TIMESTAMP,
  market SYMBOL,
  symbol SYMBOL,
  origin TIMESTAMP,
  scheduled_from TIMESTAMP
) TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, market, symbol);

-- The exchange's limits and a ban to remember, for each egress address; ts is always 1970-01-01.
CREATE TABLE IF NOT EXISTS exchange_state (
  ts TIMESTAMP,
  market SYMBOL,
  egress SYMBOL,
  weight_limit LONG,
  window_ms LONG,
  limits_at TIMESTAMP,
  banned_until TIMESTAMP
) TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, market, egress);
