-- What people query: DOUBLE, the exact value rounded once. DECIMAL columns don't compare with plain
-- numbers, take no window functions and arrive in pandas as objects.

-- The verdict of every fetched hour. The same rule as domain/ledger.ts, held equal by a test.
CREATE OR REPLACE VIEW coverage AS (
  SELECT ts, market, symbol,
    CASE WHEN missing <> 0 OR prev_ts >= ts OR next_ts < dateadd('h', 1, ts) THEN 'gap'
         WHEN next_id IS NULL THEN 'open'
         ELSE 'proven' END verdict,
    CASE WHEN prev_id IS NULL AND coalesce(first_id, next_id) = 0 THEN 'listing' END edge,
    rows, missing, first_id, last_id, first_ts, last_ts, prev_id, next_id, invalid_rows, backward_rows,
    (buy_qty - sell_qty)::double delta, content_hash, source, run_id, code_version, fetched_at
  FROM (
    SELECT *,
      CASE WHEN first_id IS NOT NULL
           THEN (first_id - coalesce(prev_id, -1L) - 1) + (last_id - first_id + 1 - rows)
                + CASE WHEN next_id IS NULL THEN 0L ELSE next_id - last_id - 1 END
           WHEN next_id IS NOT NULL THEN next_id - coalesce(prev_id, -1L) - 1
           ELSE 0L END missing
    FROM slices
  )
);

-- Valid trades with the taker's side; delta is +qty when the taker bought, -qty when it sold.
CREATE OR REPLACE VIEW trades AS (
  SELECT ts, market, symbol, agg_id, price::double price, qty::double qty,
    CASE WHEN is_buyer_maker THEN 'sell' ELSE 'buy' END side,
    (CASE WHEN is_buyer_maker THEN -qty ELSE qty END)::double delta,
    first_id, last_id, is_buyer_maker
  FROM agg_trades
  WHERE first_id >= 0 AND qty > 0m AND price > 0m
);

CREATE OR REPLACE VIEW cdv_1m AS (
  SELECT ts, market, symbol,
    open::double open, high::double high, low::double low, close::double close,
    delta::double delta, (high - close + delta)::double delta_high, (low - close + delta)::double delta_low,
    buy_volume::double buy_volume, sell_volume::double sell_volume, quote_delta::double quote_delta,
    agg_trades, trades,
    price_open::double price_open, price_high::double price_high,
    price_low::double price_low, price_close::double price_close,
    quote_volume::double / (buy_volume + sell_volume)::double vwap,
    first_id, last_id,
    CASE WHEN status = 'partial' AND dateadd('m', 1, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing
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
    b.quote_volume::double / (b.buy_volume + b.sell_volume)::double vwap,
    b.first_id, b.last_id,
    CASE WHEN b.status = 'partial' AND dateadd('m', 1, b.ts) > now() THEN 'forming' ELSE b.status END status,
    a.origin level_from,
    CASE WHEN a.ts <> timestamp_floor('d', b.ts) THEN NULL
         WHEN b.ts >= a.origin THEN a.missing + b.level_missing
         ELSE a.missing END level_missing
  FROM cdv_exact_1m b ASOF JOIN anchors a ON (market, symbol)
  WHERE b.status <> 'void'
);

CREATE OR REPLACE VIEW bars_1m AS (
  SELECT ts, dateadd('m', 1, ts) ts_end, market, symbol,
    price_open::double open, price_high::double high, price_low::double low, price_close::double close,
    (buy_volume + sell_volume)::double volume,
    quote_volume::double / (buy_volume + sell_volume)::double vwap,
    open::double cdv_open, high::double cdv_high, low::double cdv_low, close::double cdv_close,
    delta::double delta, buy_volume::double buy_volume, sell_volume::double sell_volume,
    agg_trades, trades,
    CASE WHEN status = 'partial' AND dateadd('m', 1, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing
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
    quote_volume::double / (buy_volume + sell_volume)::double vwap,
    first_id, last_id,
    CASE WHEN status = 'partial' AND dateadd('m', 5, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing
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
    b.quote_volume::double / (b.buy_volume + b.sell_volume)::double vwap,
    b.first_id, b.last_id,
    CASE WHEN b.status = 'partial' AND dateadd('m', 5, b.ts) > now() THEN 'forming' ELSE b.status END status,
    a.origin level_from,
    CASE WHEN a.ts <> timestamp_floor('d', b.ts) THEN NULL
         WHEN b.ts >= a.origin THEN a.missing + b.level_missing
         ELSE a.missing END level_missing
  FROM cdv_exact_5m b ASOF JOIN anchors a ON (market, symbol)
  WHERE b.status <> 'void'
);

CREATE OR REPLACE VIEW bars_5m AS (
  SELECT ts, dateadd('m', 5, ts) ts_end, market, symbol,
    price_open::double open, price_high::double high, price_low::double low, price_close::double close,
    (buy_volume + sell_volume)::double volume,
    quote_volume::double / (buy_volume + sell_volume)::double vwap,
    open::double cdv_open, high::double cdv_high, low::double cdv_low, close::double cdv_close,
    delta::double delta, buy_volume::double buy_volume, sell_volume::double sell_volume,
    agg_trades, trades,
    CASE WHEN status = 'partial' AND dateadd('m', 5, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing
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
    quote_volume::double / (buy_volume + sell_volume)::double vwap,
    first_id, last_id,
    CASE WHEN status = 'partial' AND dateadd('m', 15, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing
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
    b.quote_volume::double / (b.buy_volume + b.sell_volume)::double vwap,
    b.first_id, b.last_id,
    CASE WHEN b.status = 'partial' AND dateadd('m', 15, b.ts) > now() THEN 'forming' ELSE b.status END status,
    a.origin level_from,
    CASE WHEN a.ts <> timestamp_floor('d', b.ts) THEN NULL
         WHEN b.ts >= a.origin THEN a.missing + b.level_missing
         ELSE a.missing END level_missing
  FROM cdv_exact_15m b ASOF JOIN anchors a ON (market, symbol)
  WHERE b.status <> 'void'
);

CREATE OR REPLACE VIEW bars_15m AS (
  SELECT ts, dateadd('m', 15, ts) ts_end, market, symbol,
    price_open::double open, price_high::double high, price_low::double low, price_close::double close,
    (buy_volume + sell_volume)::double volume,
    quote_volume::double / (buy_volume + sell_volume)::double vwap,
    open::double cdv_open, high::double cdv_high, low::double cdv_low, close::double cdv_close,
    delta::double delta, buy_volume::double buy_volume, sell_volume::double sell_volume,
    agg_trades, trades,
    CASE WHEN status = 'partial' AND dateadd('m', 15, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing
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
    quote_volume::double / (buy_volume + sell_volume)::double vwap,
    first_id, last_id,
    CASE WHEN status = 'partial' AND dateadd('h', 1, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing
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
    b.quote_volume::double / (b.buy_volume + b.sell_volume)::double vwap,
    b.first_id, b.last_id,
    CASE WHEN b.status = 'partial' AND dateadd('h', 1, b.ts) > now() THEN 'forming' ELSE b.status END status,
    a.origin level_from,
    CASE WHEN a.ts <> timestamp_floor('d', b.ts) THEN NULL
         WHEN b.ts >= a.origin THEN a.missing + b.level_missing
         ELSE a.missing END level_missing
  FROM cdv_exact_1h b ASOF JOIN anchors a ON (market, symbol)
  WHERE b.status <> 'void'
);

CREATE OR REPLACE VIEW bars_1h AS (
  SELECT ts, dateadd('h', 1, ts) ts_end, market, symbol,
    price_open::double open, price_high::double high, price_low::double low, price_close::double close,
    (buy_volume + sell_volume)::double volume,
    quote_volume::double / (buy_volume + sell_volume)::double vwap,
    open::double cdv_open, high::double cdv_high, low::double cdv_low, close::double cdv_close,
    delta::double delta, buy_volume::double buy_volume, sell_volume::double sell_volume,
    agg_trades, trades,
    CASE WHEN status = 'partial' AND dateadd('h', 1, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing
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
    quote_volume::double / (buy_volume + sell_volume)::double vwap,
    first_id, last_id,
    CASE WHEN status = 'partial' AND dateadd('h', 4, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing
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
    b.quote_volume::double / (b.buy_volume + b.sell_volume)::double vwap,
    b.first_id, b.last_id,
    CASE WHEN b.status = 'partial' AND dateadd('h', 4, b.ts) > now() THEN 'forming' ELSE b.status END status,
    a.origin level_from,
    CASE WHEN a.ts <> timestamp_floor('d', b.ts) THEN NULL
         WHEN b.ts >= a.origin THEN a.missing + b.level_missing
         ELSE a.missing END level_missing
  FROM cdv_exact_4h b ASOF JOIN anchors a ON (market, symbol)
  WHERE b.status <> 'void'
);

CREATE OR REPLACE VIEW bars_4h AS (
  SELECT ts, dateadd('h', 4, ts) ts_end, market, symbol,
    price_open::double open, price_high::double high, price_low::double low, price_close::double close,
    (buy_volume + sell_volume)::double volume,
    quote_volume::double / (buy_volume + sell_volume)::double vwap,
    open::double cdv_open, high::double cdv_high, low::double cdv_low, close::double cdv_close,
    delta::double delta, buy_volume::double buy_volume, sell_volume::double sell_volume,
    agg_trades, trades,
    CASE WHEN status = 'partial' AND dateadd('h', 4, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing
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
    quote_volume::double / (buy_volume + sell_volume)::double vwap,
    first_id, last_id,
    CASE WHEN status = 'partial' AND dateadd('d', 1, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing
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
    b.quote_volume::double / (b.buy_volume + b.sell_volume)::double vwap,
    b.first_id, b.last_id,
    CASE WHEN b.status = 'partial' AND dateadd('d', 1, b.ts) > now() THEN 'forming' ELSE b.status END status,
    a.origin level_from,
    CASE WHEN a.ts <> timestamp_floor('d', b.ts) THEN NULL
         WHEN b.ts >= a.origin THEN a.missing + b.level_missing
         ELSE a.missing END level_missing
  FROM cdv_exact_1d b ASOF JOIN anchors a ON (market, symbol)
  WHERE b.status <> 'void'
);

CREATE OR REPLACE VIEW bars_1d AS (
  SELECT ts, dateadd('d', 1, ts) ts_end, market, symbol,
    price_open::double open, price_high::double high, price_low::double low, price_close::double close,
    (buy_volume + sell_volume)::double volume,
    quote_volume::double / (buy_volume + sell_volume)::double vwap,
    open::double cdv_open, high::double cdv_high, low::double cdv_low, close::double cdv_close,
    delta::double delta, buy_volume::double buy_volume, sell_volume::double sell_volume,
    agg_trades, trades,
    CASE WHEN status = 'partial' AND dateadd('d', 1, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing
  FROM cdv_exact_1d
  WHERE status <> 'void'
);
