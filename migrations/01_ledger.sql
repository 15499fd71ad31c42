-- The ledger: one row per hour that was fetched, in the fetch's own facts. `proven` is derived from
-- them in the view `coverage`. ended_at: up to when it is known that no trade followed the hour's last
-- one, of a symbol that the exchange no longer trades. back_…: rows of the hour's run whose time lies in
-- the hour before, and their sums; they count in the bars of that hour.
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
  fetched_at TIMESTAMP,
  ended_at TIMESTAMP,
  back_rows LONG,
  back_invalid_rows LONG,
  back_buy_qty DECIMAL(38,8),
  back_sell_qty DECIMAL(38,8)
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

-- Facts of a series that outlive every run; ts is always 1970-01-01. trades_table holds the series' raw
-- trades, trades_view shows them to people. The table's name has the generation in it: the name of a
-- dropped table is never used again, because QuestDB can lose the first write after DROP and CREATE.
-- contract_size: worth of one contract in quote currency (COIN-M only).
CREATE TABLE IF NOT EXISTS series (
  ts TIMESTAMP,
  market SYMBOL,
  symbol SYMBOL,
  origin TIMESTAMP,
  scheduled_from TIMESTAMP,
  contract_size DECIMAL(18,8),
  generation LONG,
  trades_table VARCHAR,
  trades_view VARCHAR
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

-- What the exchange's files were worth when they were read: one row for each day and file. `name` is
-- that of the day's file, or of its month's where the days are taken from that.
CREATE TABLE IF NOT EXISTS archive_files (
  ts TIMESTAMP,
  market SYMBOL,
  symbol SYMBOL,
  name VARCHAR,
  etag VARCHAR,
  sha256 VARCHAR,
  bytes LONG,
  verdict SYMBOL,
  evidence VARCHAR,
  seen_at TIMESTAMP
) TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, market, symbol, name);

-- The verdict of every fetched hour. `missing` is NULL, and the hour a gap, where the trade before it was
-- never seen and the first one known is not the lowest id that there can be. Ids begin with 0 on spot and
-- with 1 on futures. The same rule as domain/proof/ledger.ts, held equal by a test.
CREATE OR REPLACE VIEW coverage AS (
  SELECT ts, market, symbol,
    CASE WHEN missing IS NULL OR missing <> 0 OR prev_ts >= ts OR next_ts < dateadd('h', 1, ts) THEN 'gap'
         WHEN next_id IS NULL AND ended_at IS NULL THEN 'open'
         ELSE 'proven' END verdict,
    CASE WHEN prev_id IS NULL AND head_id = start_id THEN 'listing'
         WHEN next_id IS NULL AND ended_at IS NOT NULL THEN 'end_of_symbol' END edge,
    rows, missing, first_id, last_id, first_ts, last_ts, prev_id, next_id, invalid_rows, backward_rows,
    (buy_qty - sell_qty)::double delta, content_hash, source, run_id, code_version, fetched_at, ended_at
  FROM (
    SELECT *,
      CASE WHEN prev_id IS NULL AND head_id IS NOT NULL AND head_id <> start_id THEN NULL
           WHEN first_id IS NOT NULL
           THEN (first_id - coalesce(prev_id + 1, start_id)) + (last_id - first_id + 1 - rows)
                + CASE WHEN next_id IS NULL THEN 0L ELSE next_id - last_id - 1 END
           WHEN next_id IS NOT NULL THEN next_id - coalesce(prev_id + 1, start_id)
           ELSE 0L END missing
    FROM (
      SELECT *, coalesce(first_id, next_id) head_id, CASE WHEN market = 'binance_spot' THEN 0L ELSE 1L END start_id
      FROM slices
    )
  )
);
