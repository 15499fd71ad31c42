-- Futures. A series' contract size (quote currency worth of one contract, COIN-M only), pinned once.
ALTER TABLE series ADD COLUMN IF NOT EXISTS contract_size DECIMAL(18,8);

-- COIN-M bars count contracts, exactly. What they are worth in the base asset is Σ contracts × contract
-- size ÷ price, a quotient, so DOUBLE and not exact. NULL on the other markets, whose volumes are base.
ALTER TABLE cdv_exact_1m ADD COLUMN IF NOT EXISTS base_buy_volume DOUBLE;
ALTER TABLE cdv_exact_1m ADD COLUMN IF NOT EXISTS base_sell_volume DOUBLE;
ALTER TABLE cdv_exact_5m ADD COLUMN IF NOT EXISTS base_buy_volume DOUBLE;
ALTER TABLE cdv_exact_5m ADD COLUMN IF NOT EXISTS base_sell_volume DOUBLE;
ALTER TABLE cdv_exact_15m ADD COLUMN IF NOT EXISTS base_buy_volume DOUBLE;
ALTER TABLE cdv_exact_15m ADD COLUMN IF NOT EXISTS base_sell_volume DOUBLE;
ALTER TABLE cdv_exact_1h ADD COLUMN IF NOT EXISTS base_buy_volume DOUBLE;
ALTER TABLE cdv_exact_1h ADD COLUMN IF NOT EXISTS base_sell_volume DOUBLE;
ALTER TABLE cdv_exact_4h ADD COLUMN IF NOT EXISTS base_buy_volume DOUBLE;
ALTER TABLE cdv_exact_4h ADD COLUMN IF NOT EXISTS base_sell_volume DOUBLE;
ALTER TABLE cdv_exact_1d ADD COLUMN IF NOT EXISTS base_buy_volume DOUBLE;
ALTER TABLE cdv_exact_1d ADD COLUMN IF NOT EXISTS base_sell_volume DOUBLE;

-- The verdict of every fetched hour. The same rule as domain/ledger.ts, held equal by a test. A symbol's
-- ids begin with 0 on spot and with 1 on futures.
CREATE OR REPLACE VIEW coverage AS (
  SELECT ts, market, symbol,
    CASE WHEN missing <> 0 OR prev_ts >= ts OR next_ts < dateadd('h', 1, ts) THEN 'gap'
         WHEN next_id IS NULL AND ended_at IS NULL THEN 'open'
         ELSE 'proven' END verdict,
    CASE WHEN prev_id IS NULL AND coalesce(first_id, next_id) = start_id THEN 'listing'
         WHEN next_id IS NULL AND ended_at IS NOT NULL THEN 'end_of_symbol' END edge,
    rows, missing, first_id, last_id, first_ts, last_ts, prev_id, next_id, invalid_rows, backward_rows,
    (buy_qty - sell_qty)::double delta, content_hash, source, run_id, code_version, fetched_at, ended_at
  FROM (
    SELECT *,
      CASE WHEN first_id IS NOT NULL
           THEN (first_id - coalesce(prev_id + 1, start_id)) + (last_id - first_id + 1 - rows)
                + CASE WHEN next_id IS NULL THEN 0L ELSE next_id - last_id - 1 END
           WHEN next_id IS NOT NULL THEN next_id - coalesce(prev_id + 1, start_id)
           ELSE 0L END missing
    FROM (SELECT *, CASE WHEN market = 'binance_spot' THEN 0L ELSE 1L END start_id FROM slices)
  )
);

-- Valid trades with the taker's side; qty, and delta (+qty when the taker bought, -qty when it sold), are
-- in the base asset on every market: on COIN-M converted, so not exact, and NULL while the contract size
-- is unknown; contracts is exact.
CREATE OR REPLACE VIEW trades AS (
  SELECT ts, market, symbol, agg_id, price, qty, side, CASE WHEN is_buyer_maker THEN -qty ELSE qty END delta,
    first_id, last_id, is_buyer_maker, contracts
  FROM (
    SELECT t.ts, t.market, t.symbol, t.agg_id, t.price::double price,
      CASE WHEN t.market = 'binance_cm' THEN t.qty::double * s.contract_size::double / t.price::double
           ELSE t.qty::double END qty,
      CASE WHEN t.is_buyer_maker THEN 'sell' ELSE 'buy' END side,
      t.first_id, t.last_id, t.is_buyer_maker,
      CASE WHEN t.market = 'binance_cm' THEN t.qty::double END contracts
    FROM agg_trades t ASOF JOIN series s ON (market, symbol)
    WHERE t.first_id >= 0 AND t.qty > 0m AND t.price > 0m
  )
);

-- `unit` says what open … close, delta and the volumes count: the base asset, or contracts. The base_
-- columns count the base asset on every market. vwap is quote worth ÷ base volume on every market.
CREATE OR REPLACE VIEW cdv_1m AS (
  SELECT ts, market, symbol,
    open::double open, high::double high, low::double low, close::double close,
    delta::double delta, (high - close + delta)::double delta_high, (low - close + delta)::double delta_low,
    buy_volume::double buy_volume, sell_volume::double sell_volume, quote_delta::double quote_delta,
    agg_trades, trades,
    price_open::double price_open, price_high::double price_high,
    price_low::double price_low, price_close::double price_close,
    quote_volume::double / CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume
      ELSE (buy_volume + sell_volume)::double END vwap,
    first_id, last_id,
    CASE WHEN status = 'partial' AND dateadd('m', 1, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing,
    CASE WHEN market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN market = 'binance_cm' THEN (buy_volume + sell_volume)::double END contracts,
    CASE WHEN market = 'binance_cm' THEN base_buy_volume ELSE buy_volume::double END base_buy_volume,
    CASE WHEN market = 'binance_cm' THEN base_sell_volume ELSE sell_volume::double END base_sell_volume
  FROM cdv_exact_1m
  WHERE status <> 'void'
);

CREATE OR REPLACE VIEW cdv_1m_total AS (
  SELECT b.ts, b.market, b.symbol,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.open END)::double open,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.high END)::double high,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.low END)::double low,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.close END)::double close,
    b.delta::double delta, (b.high - b.close + b.delta)::double delta_high, (b.low - b.close + b.delta)::double delta_low,
    b.buy_volume::double buy_volume, b.sell_volume::double sell_volume, b.quote_delta::double quote_delta,
    b.agg_trades, b.trades,
    b.price_open::double price_open, b.price_high::double price_high,
    b.price_low::double price_low, b.price_close::double price_close,
    b.quote_volume::double / CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume + b.base_sell_volume
      ELSE (b.buy_volume + b.sell_volume)::double END vwap,
    b.first_id, b.last_id,
    CASE WHEN b.status = 'partial' AND dateadd('m', 1, b.ts) > now() THEN 'forming' ELSE b.status END status,
    a.origin level_from,
    CASE WHEN a.ts <> timestamp_floor('d', b.ts) THEN NULL
         WHEN b.ts >= a.origin THEN a.missing + b.level_missing
         ELSE a.missing END level_missing,
    CASE WHEN b.market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN b.market = 'binance_cm' THEN (b.buy_volume + b.sell_volume)::double END contracts,
    CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume ELSE b.buy_volume::double END base_buy_volume,
    CASE WHEN b.market = 'binance_cm' THEN b.base_sell_volume ELSE b.sell_volume::double END base_sell_volume
  FROM cdv_exact_1m b ASOF JOIN anchors a ON (market, symbol)
  WHERE b.status <> 'void'
);

CREATE OR REPLACE VIEW bars_1m AS (
  SELECT ts, dateadd('m', 1, ts) ts_end, market, symbol,
    price_open::double open, price_high::double high, price_low::double low, price_close::double close,
    (buy_volume + sell_volume)::double volume,
    quote_volume::double / CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume
      ELSE (buy_volume + sell_volume)::double END vwap,
    open::double cdv_open, high::double cdv_high, low::double cdv_low, close::double cdv_close,
    delta::double delta, buy_volume::double buy_volume, sell_volume::double sell_volume,
    agg_trades, trades,
    CASE WHEN status = 'partial' AND dateadd('m', 1, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing,
    CASE WHEN market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN market = 'binance_cm' THEN (buy_volume + sell_volume)::double END contracts,
    CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume ELSE (buy_volume + sell_volume)::double END base_volume
  FROM cdv_exact_1m
  WHERE status <> 'void'
);

CREATE OR REPLACE VIEW cdv_5m AS (
  SELECT ts, market, symbol,
    open::double open, high::double high, low::double low, close::double close,
    delta::double delta, (high - close + delta)::double delta_high, (low - close + delta)::double delta_low,
    buy_volume::double buy_volume, sell_volume::double sell_volume, quote_delta::double quote_delta,
    agg_trades, trades,
    price_open::double price_open, price_high::double price_high,
    price_low::double price_low, price_close::double price_close,
    quote_volume::double / CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume
      ELSE (buy_volume + sell_volume)::double END vwap,
    first_id, last_id,
    CASE WHEN status = 'partial' AND dateadd('m', 5, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing,
    CASE WHEN market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN market = 'binance_cm' THEN (buy_volume + sell_volume)::double END contracts,
    CASE WHEN market = 'binance_cm' THEN base_buy_volume ELSE buy_volume::double END base_buy_volume,
    CASE WHEN market = 'binance_cm' THEN base_sell_volume ELSE sell_volume::double END base_sell_volume
  FROM cdv_exact_5m
  WHERE status <> 'void'
);

CREATE OR REPLACE VIEW cdv_5m_total AS (
  SELECT b.ts, b.market, b.symbol,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.open END)::double open,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.high END)::double high,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.low END)::double low,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.close END)::double close,
    b.delta::double delta, (b.high - b.close + b.delta)::double delta_high, (b.low - b.close + b.delta)::double delta_low,
    b.buy_volume::double buy_volume, b.sell_volume::double sell_volume, b.quote_delta::double quote_delta,
    b.agg_trades, b.trades,
    b.price_open::double price_open, b.price_high::double price_high,
    b.price_low::double price_low, b.price_close::double price_close,
    b.quote_volume::double / CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume + b.base_sell_volume
      ELSE (b.buy_volume + b.sell_volume)::double END vwap,
    b.first_id, b.last_id,
    CASE WHEN b.status = 'partial' AND dateadd('m', 5, b.ts) > now() THEN 'forming' ELSE b.status END status,
    a.origin level_from,
    CASE WHEN a.ts <> timestamp_floor('d', b.ts) THEN NULL
         WHEN b.ts >= a.origin THEN a.missing + b.level_missing
         ELSE a.missing END level_missing,
    CASE WHEN b.market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN b.market = 'binance_cm' THEN (b.buy_volume + b.sell_volume)::double END contracts,
    CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume ELSE b.buy_volume::double END base_buy_volume,
    CASE WHEN b.market = 'binance_cm' THEN b.base_sell_volume ELSE b.sell_volume::double END base_sell_volume
  FROM cdv_exact_5m b ASOF JOIN anchors a ON (market, symbol)
  WHERE b.status <> 'void'
);

CREATE OR REPLACE VIEW bars_5m AS (
  SELECT ts, dateadd('m', 5, ts) ts_end, market, symbol,
    price_open::double open, price_high::double high, price_low::double low, price_close::double close,
    (buy_volume + sell_volume)::double volume,
    quote_volume::double / CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume
      ELSE (buy_volume + sell_volume)::double END vwap,
    open::double cdv_open, high::double cdv_high, low::double cdv_low, close::double cdv_close,
    delta::double delta, buy_volume::double buy_volume, sell_volume::double sell_volume,
    agg_trades, trades,
    CASE WHEN status = 'partial' AND dateadd('m', 5, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing,
    CASE WHEN market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN market = 'binance_cm' THEN (buy_volume + sell_volume)::double END contracts,
    CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume ELSE (buy_volume + sell_volume)::double END base_volume
  FROM cdv_exact_5m
  WHERE status <> 'void'
);

CREATE OR REPLACE VIEW cdv_15m AS (
  SELECT ts, market, symbol,
    open::double open, high::double high, low::double low, close::double close,
    delta::double delta, (high - close + delta)::double delta_high, (low - close + delta)::double delta_low,
    buy_volume::double buy_volume, sell_volume::double sell_volume, quote_delta::double quote_delta,
    agg_trades, trades,
    price_open::double price_open, price_high::double price_high,
    price_low::double price_low, price_close::double price_close,
    quote_volume::double / CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume
      ELSE (buy_volume + sell_volume)::double END vwap,
    first_id, last_id,
    CASE WHEN status = 'partial' AND dateadd('m', 15, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing,
    CASE WHEN market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN market = 'binance_cm' THEN (buy_volume + sell_volume)::double END contracts,
    CASE WHEN market = 'binance_cm' THEN base_buy_volume ELSE buy_volume::double END base_buy_volume,
    CASE WHEN market = 'binance_cm' THEN base_sell_volume ELSE sell_volume::double END base_sell_volume
  FROM cdv_exact_15m
  WHERE status <> 'void'
);

CREATE OR REPLACE VIEW cdv_15m_total AS (
  SELECT b.ts, b.market, b.symbol,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.open END)::double open,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.high END)::double high,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.low END)::double low,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.close END)::double close,
    b.delta::double delta, (b.high - b.close + b.delta)::double delta_high, (b.low - b.close + b.delta)::double delta_low,
    b.buy_volume::double buy_volume, b.sell_volume::double sell_volume, b.quote_delta::double quote_delta,
    b.agg_trades, b.trades,
    b.price_open::double price_open, b.price_high::double price_high,
    b.price_low::double price_low, b.price_close::double price_close,
    b.quote_volume::double / CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume + b.base_sell_volume
      ELSE (b.buy_volume + b.sell_volume)::double END vwap,
    b.first_id, b.last_id,
    CASE WHEN b.status = 'partial' AND dateadd('m', 15, b.ts) > now() THEN 'forming' ELSE b.status END status,
    a.origin level_from,
    CASE WHEN a.ts <> timestamp_floor('d', b.ts) THEN NULL
         WHEN b.ts >= a.origin THEN a.missing + b.level_missing
         ELSE a.missing END level_missing,
    CASE WHEN b.market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN b.market = 'binance_cm' THEN (b.buy_volume + b.sell_volume)::double END contracts,
    CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume ELSE b.buy_volume::double END base_buy_volume,
    CASE WHEN b.market = 'binance_cm' THEN b.base_sell_volume ELSE b.sell_volume::double END base_sell_volume
  FROM cdv_exact_15m b ASOF JOIN anchors a ON (market, symbol)
  WHERE b.status <> 'void'
);

CREATE OR REPLACE VIEW bars_15m AS (
  SELECT ts, dateadd('m', 15, ts) ts_end, market, symbol,
    price_open::double open, price_high::double high, price_low::double low, price_close::double close,
    (buy_volume + sell_volume)::double volume,
    quote_volume::double / CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume
      ELSE (buy_volume + sell_volume)::double END vwap,
    open::double cdv_open, high::double cdv_high, low::double cdv_low, close::double cdv_close,
    delta::double delta, buy_volume::double buy_volume, sell_volume::double sell_volume,
    agg_trades, trades,
    CASE WHEN status = 'partial' AND dateadd('m', 15, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing,
    CASE WHEN market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN market = 'binance_cm' THEN (buy_volume + sell_volume)::double END contracts,
    CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume ELSE (buy_volume + sell_volume)::double END base_volume
  FROM cdv_exact_15m
  WHERE status <> 'void'
);

CREATE OR REPLACE VIEW cdv_1h AS (
  SELECT ts, market, symbol,
    open::double open, high::double high, low::double low, close::double close,
    delta::double delta, (high - close + delta)::double delta_high, (low - close + delta)::double delta_low,
    buy_volume::double buy_volume, sell_volume::double sell_volume, quote_delta::double quote_delta,
    agg_trades, trades,
    price_open::double price_open, price_high::double price_high,
    price_low::double price_low, price_close::double price_close,
    quote_volume::double / CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume
      ELSE (buy_volume + sell_volume)::double END vwap,
    first_id, last_id,
    CASE WHEN status = 'partial' AND dateadd('h', 1, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing,
    CASE WHEN market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN market = 'binance_cm' THEN (buy_volume + sell_volume)::double END contracts,
    CASE WHEN market = 'binance_cm' THEN base_buy_volume ELSE buy_volume::double END base_buy_volume,
    CASE WHEN market = 'binance_cm' THEN base_sell_volume ELSE sell_volume::double END base_sell_volume
  FROM cdv_exact_1h
  WHERE status <> 'void'
);

CREATE OR REPLACE VIEW cdv_1h_total AS (
  SELECT b.ts, b.market, b.symbol,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.open END)::double open,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.high END)::double high,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.low END)::double low,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.close END)::double close,
    b.delta::double delta, (b.high - b.close + b.delta)::double delta_high, (b.low - b.close + b.delta)::double delta_low,
    b.buy_volume::double buy_volume, b.sell_volume::double sell_volume, b.quote_delta::double quote_delta,
    b.agg_trades, b.trades,
    b.price_open::double price_open, b.price_high::double price_high,
    b.price_low::double price_low, b.price_close::double price_close,
    b.quote_volume::double / CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume + b.base_sell_volume
      ELSE (b.buy_volume + b.sell_volume)::double END vwap,
    b.first_id, b.last_id,
    CASE WHEN b.status = 'partial' AND dateadd('h', 1, b.ts) > now() THEN 'forming' ELSE b.status END status,
    a.origin level_from,
    CASE WHEN a.ts <> timestamp_floor('d', b.ts) THEN NULL
         WHEN b.ts >= a.origin THEN a.missing + b.level_missing
         ELSE a.missing END level_missing,
    CASE WHEN b.market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN b.market = 'binance_cm' THEN (b.buy_volume + b.sell_volume)::double END contracts,
    CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume ELSE b.buy_volume::double END base_buy_volume,
    CASE WHEN b.market = 'binance_cm' THEN b.base_sell_volume ELSE b.sell_volume::double END base_sell_volume
  FROM cdv_exact_1h b ASOF JOIN anchors a ON (market, symbol)
  WHERE b.status <> 'void'
);

CREATE OR REPLACE VIEW bars_1h AS (
  SELECT ts, dateadd('h', 1, ts) ts_end, market, symbol,
    price_open::double open, price_high::double high, price_low::double low, price_close::double close,
    (buy_volume + sell_volume)::double volume,
    quote_volume::double / CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume
      ELSE (buy_volume + sell_volume)::double END vwap,
    open::double cdv_open, high::double cdv_high, low::double cdv_low, close::double cdv_close,
    delta::double delta, buy_volume::double buy_volume, sell_volume::double sell_volume,
    agg_trades, trades,
    CASE WHEN status = 'partial' AND dateadd('h', 1, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing,
    CASE WHEN market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN market = 'binance_cm' THEN (buy_volume + sell_volume)::double END contracts,
    CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume ELSE (buy_volume + sell_volume)::double END base_volume
  FROM cdv_exact_1h
  WHERE status <> 'void'
);

CREATE OR REPLACE VIEW cdv_4h AS (
  SELECT ts, market, symbol,
    open::double open, high::double high, low::double low, close::double close,
    delta::double delta, (high - close + delta)::double delta_high, (low - close + delta)::double delta_low,
    buy_volume::double buy_volume, sell_volume::double sell_volume, quote_delta::double quote_delta,
    agg_trades, trades,
    price_open::double price_open, price_high::double price_high,
    price_low::double price_low, price_close::double price_close,
    quote_volume::double / CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume
      ELSE (buy_volume + sell_volume)::double END vwap,
    first_id, last_id,
    CASE WHEN status = 'partial' AND dateadd('h', 4, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing,
    CASE WHEN market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN market = 'binance_cm' THEN (buy_volume + sell_volume)::double END contracts,
    CASE WHEN market = 'binance_cm' THEN base_buy_volume ELSE buy_volume::double END base_buy_volume,
    CASE WHEN market = 'binance_cm' THEN base_sell_volume ELSE sell_volume::double END base_sell_volume
  FROM cdv_exact_4h
  WHERE status <> 'void'
);

CREATE OR REPLACE VIEW cdv_4h_total AS (
  SELECT b.ts, b.market, b.symbol,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.open END)::double open,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.high END)::double high,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.low END)::double low,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.close END)::double close,
    b.delta::double delta, (b.high - b.close + b.delta)::double delta_high, (b.low - b.close + b.delta)::double delta_low,
    b.buy_volume::double buy_volume, b.sell_volume::double sell_volume, b.quote_delta::double quote_delta,
    b.agg_trades, b.trades,
    b.price_open::double price_open, b.price_high::double price_high,
    b.price_low::double price_low, b.price_close::double price_close,
    b.quote_volume::double / CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume + b.base_sell_volume
      ELSE (b.buy_volume + b.sell_volume)::double END vwap,
    b.first_id, b.last_id,
    CASE WHEN b.status = 'partial' AND dateadd('h', 4, b.ts) > now() THEN 'forming' ELSE b.status END status,
    a.origin level_from,
    CASE WHEN a.ts <> timestamp_floor('d', b.ts) THEN NULL
         WHEN b.ts >= a.origin THEN a.missing + b.level_missing
         ELSE a.missing END level_missing,
    CASE WHEN b.market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN b.market = 'binance_cm' THEN (b.buy_volume + b.sell_volume)::double END contracts,
    CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume ELSE b.buy_volume::double END base_buy_volume,
    CASE WHEN b.market = 'binance_cm' THEN b.base_sell_volume ELSE b.sell_volume::double END base_sell_volume
  FROM cdv_exact_4h b ASOF JOIN anchors a ON (market, symbol)
  WHERE b.status <> 'void'
);

CREATE OR REPLACE VIEW bars_4h AS (
  SELECT ts, dateadd('h', 4, ts) ts_end, market, symbol,
    price_open::double open, price_high::double high, price_low::double low, price_close::double close,
    (buy_volume + sell_volume)::double volume,
    quote_volume::double / CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume
      ELSE (buy_volume + sell_volume)::double END vwap,
    open::double cdv_open, high::double cdv_high, low::double cdv_low, close::double cdv_close,
    delta::double delta, buy_volume::double buy_volume, sell_volume::double sell_volume,
    agg_trades, trades,
    CASE WHEN status = 'partial' AND dateadd('h', 4, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing,
    CASE WHEN market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN market = 'binance_cm' THEN (buy_volume + sell_volume)::double END contracts,
    CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume ELSE (buy_volume + sell_volume)::double END base_volume
  FROM cdv_exact_4h
  WHERE status <> 'void'
);

CREATE OR REPLACE VIEW cdv_1d AS (
  SELECT ts, market, symbol,
    open::double open, high::double high, low::double low, close::double close,
    delta::double delta, (high - close + delta)::double delta_high, (low - close + delta)::double delta_low,
    buy_volume::double buy_volume, sell_volume::double sell_volume, quote_delta::double quote_delta,
    agg_trades, trades,
    price_open::double price_open, price_high::double price_high,
    price_low::double price_low, price_close::double price_close,
    quote_volume::double / CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume
      ELSE (buy_volume + sell_volume)::double END vwap,
    first_id, last_id,
    CASE WHEN status = 'partial' AND dateadd('d', 1, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing,
    CASE WHEN market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN market = 'binance_cm' THEN (buy_volume + sell_volume)::double END contracts,
    CASE WHEN market = 'binance_cm' THEN base_buy_volume ELSE buy_volume::double END base_buy_volume,
    CASE WHEN market = 'binance_cm' THEN base_sell_volume ELSE sell_volume::double END base_sell_volume
  FROM cdv_exact_1d
  WHERE status <> 'void'
);

CREATE OR REPLACE VIEW cdv_1d_total AS (
  SELECT b.ts, b.market, b.symbol,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.open END)::double open,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.high END)::double high,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.low END)::double low,
    (CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base + b.close END)::double close,
    b.delta::double delta, (b.high - b.close + b.delta)::double delta_high, (b.low - b.close + b.delta)::double delta_low,
    b.buy_volume::double buy_volume, b.sell_volume::double sell_volume, b.quote_delta::double quote_delta,
    b.agg_trades, b.trades,
    b.price_open::double price_open, b.price_high::double price_high,
    b.price_low::double price_low, b.price_close::double price_close,
    b.quote_volume::double / CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume + b.base_sell_volume
      ELSE (b.buy_volume + b.sell_volume)::double END vwap,
    b.first_id, b.last_id,
    CASE WHEN b.status = 'partial' AND dateadd('d', 1, b.ts) > now() THEN 'forming' ELSE b.status END status,
    a.origin level_from,
    CASE WHEN a.ts <> timestamp_floor('d', b.ts) THEN NULL
         WHEN b.ts >= a.origin THEN a.missing + b.level_missing
         ELSE a.missing END level_missing,
    CASE WHEN b.market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN b.market = 'binance_cm' THEN (b.buy_volume + b.sell_volume)::double END contracts,
    CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume ELSE b.buy_volume::double END base_buy_volume,
    CASE WHEN b.market = 'binance_cm' THEN b.base_sell_volume ELSE b.sell_volume::double END base_sell_volume
  FROM cdv_exact_1d b ASOF JOIN anchors a ON (market, symbol)
  WHERE b.status <> 'void'
);

CREATE OR REPLACE VIEW bars_1d AS (
  SELECT ts, dateadd('d', 1, ts) ts_end, market, symbol,
    price_open::double open, price_high::double high, price_low::double low, price_close::double close,
    (buy_volume + sell_volume)::double volume,
    quote_volume::double / CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume
      ELSE (buy_volume + sell_volume)::double END vwap,
    open::double cdv_open, high::double cdv_high, low::double cdv_low, close::double cdv_close,
    delta::double delta, buy_volume::double buy_volume, sell_volume::double sell_volume,
    agg_trades, trades,
    CASE WHEN status = 'partial' AND dateadd('d', 1, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing,
    CASE WHEN market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN market = 'binance_cm' THEN (buy_volume + sell_volume)::double END contracts,
    CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume ELSE (buy_volume + sell_volume)::double END base_volume
  FROM cdv_exact_1d
  WHERE status <> 'void'
);
