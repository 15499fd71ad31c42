-- The views of bars, all intervals alike. DOUBLE: the exact value rounded once.

-- `unit` says what open … close, delta and the volumes count: the base asset, or contracts. The base_
-- columns count the base asset on every market. vwap is quote worth ÷ base volume on every market.
-- trades_delta: trades of buying takers less those of selling ones.
-- each: 1m 3m 5m 15m 30m 1h 4h 1d
CREATE OR REPLACE VIEW cdv_{interval} AS (
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
    CASE WHEN status = 'partial' AND dateadd('{unit}', {count}, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing,
    CASE WHEN market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN market = 'binance_cm' THEN (buy_volume + sell_volume)::double END contracts,
    CASE WHEN market = 'binance_cm' THEN base_buy_volume ELSE buy_volume::double END base_buy_volume,
    CASE WHEN market = 'binance_cm' THEN base_sell_volume ELSE sell_volume::double END base_sell_volume,
    quote_volume::double quote_volume,
    ((quote_volume + quote_delta) * 0.5m)::double / CASE WHEN market = 'binance_cm' THEN base_buy_volume ELSE buy_volume::double END buy_vwap,
    ((quote_volume - quote_delta) * 0.5m)::double / CASE WHEN market = 'binance_cm' THEN base_sell_volume ELSE sell_volume::double END sell_vwap,
    2 * buy_trades - trades trades_delta, 2 * buy_agg_trades - agg_trades agg_trades_delta
  FROM cdv_exact_{interval}
  WHERE status <> 'void'
);

-- each: 1m 3m 5m 15m 30m 1h 4h 1d
CREATE OR REPLACE VIEW cdv_{interval}_total AS (
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
    CASE WHEN b.status = 'partial' AND dateadd('{unit}', {count}, b.ts) > now() THEN 'forming' ELSE b.status END status,
    a.origin level_from,
    CASE WHEN a.ts <> timestamp_floor('d', b.ts) THEN NULL
         WHEN b.ts >= a.origin THEN a.missing + b.level_missing
         ELSE a.missing END level_missing,
    CASE WHEN b.market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN b.market = 'binance_cm' THEN (b.buy_volume + b.sell_volume)::double END contracts,
    CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume ELSE b.buy_volume::double END base_buy_volume,
    CASE WHEN b.market = 'binance_cm' THEN b.base_sell_volume ELSE b.sell_volume::double END base_sell_volume,
    b.quote_volume::double quote_volume,
    ((b.quote_volume + b.quote_delta) * 0.5m)::double / CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume ELSE b.buy_volume::double END buy_vwap,
    ((b.quote_volume - b.quote_delta) * 0.5m)::double / CASE WHEN b.market = 'binance_cm' THEN b.base_sell_volume ELSE b.sell_volume::double END sell_vwap,
    2 * b.buy_trades - b.trades trades_delta, 2 * b.buy_agg_trades - b.agg_trades agg_trades_delta
  FROM cdv_exact_{interval} b ASOF JOIN anchors a ON (market, symbol)
  WHERE b.status <> 'void'
);

-- Join signals by ASOF on ts_end, not on ts: a bar is known when it ends.
-- each: 1m 3m 5m 15m 30m 1h 4h 1d
CREATE OR REPLACE VIEW bars_{interval} AS (
  SELECT ts, dateadd('{unit}', {count}, ts) ts_end, market, symbol,
    price_open::double open, price_high::double high, price_low::double low, price_close::double close,
    (buy_volume + sell_volume)::double volume,
    quote_volume::double / CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume
      ELSE (buy_volume + sell_volume)::double END vwap,
    open::double cdv_open, high::double cdv_high, low::double cdv_low, close::double cdv_close,
    delta::double delta, buy_volume::double buy_volume, sell_volume::double sell_volume,
    agg_trades, trades,
    CASE WHEN status = 'partial' AND dateadd('{unit}', {count}, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing,
    CASE WHEN market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN market = 'binance_cm' THEN (buy_volume + sell_volume)::double END contracts,
    CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume ELSE (buy_volume + sell_volume)::double END base_volume
  FROM cdv_exact_{interval}
  WHERE status <> 'void'
);

-- The trades of one size apart, from the worth tier_from in quote currency up to the next tier's.
-- each: 1m 1h 1d
CREATE OR REPLACE VIEW tiers_{interval} AS (
  SELECT ts, market, symbol, tier, tier::double tier_from,
    open::double open, high::double high, low::double low, close::double close,
    delta::double delta, buy_volume::double buy_volume, sell_volume::double sell_volume,
    agg_trades, trades,
    CASE WHEN status = 'partial' AND dateadd('{unit}', {count}, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing
  FROM tiers_exact_{interval}
  WHERE status <> 'void'
);
