-- The views of bars, all intervals alike. DOUBLE: the exact value rounded once. [x] stands for the DOUBLE
-- of a DECIMAL with eight places: where its 1e-8ths fit into 2^53, by way of LONG, which is rounded once
-- too (in the division) and takes QuestDB a third of the time of a cast.

-- `unit` says what open … close, delta and the volumes count: the base asset, or contracts. The base_
-- columns count the base asset on every market. vwap is quote worth ÷ base volume on every market.
-- trades_delta: trades of buying takers less those of selling ones.
-- each: 1m 3m 5m 15m 30m 1h 4h 1d
CREATE OR REPLACE VIEW cdv_{interval} AS (
  SELECT ts, market, symbol,
    [open] open, [high] high, [low] low, [close] close,
    [delta] delta, [high - close + delta] delta_high, [low - close + delta] delta_low,
    [buy_volume] buy_volume, [sell_volume] sell_volume, quote_delta::double quote_delta,
    agg_trades, trades,
    [price_open] price_open, [price_high] price_high,
    [price_low] price_low, [price_close] price_close,
    quote_volume::double / CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume
      ELSE [buy_volume + sell_volume] END vwap,
    first_id, last_id,
    CASE WHEN status = 'partial' AND dateadd('{unit}', {count}, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing,
    CASE WHEN market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN market = 'binance_cm' THEN [buy_volume + sell_volume] END contracts,
    CASE WHEN market = 'binance_cm' THEN base_buy_volume ELSE [buy_volume] END base_buy_volume,
    CASE WHEN market = 'binance_cm' THEN base_sell_volume ELSE [sell_volume] END base_sell_volume,
    quote_volume::double quote_volume,
    (quote_volume + quote_delta)::double / 2 / CASE WHEN market = 'binance_cm' THEN base_buy_volume ELSE [buy_volume] END buy_vwap,
    (quote_volume - quote_delta)::double / 2 / CASE WHEN market = 'binance_cm' THEN base_sell_volume ELSE [sell_volume] END sell_vwap,
    2 * buy_trades - trades trades_delta, 2 * buy_agg_trades - agg_trades agg_trades_delta
  FROM cdv_exact_{interval}
  WHERE status <> 'void'
);

-- The hint: without it, each bar is searched back through the anchors of all symbols, and at 200 symbols a month
-- of minutes takes three times as long.
-- each: 1m 3m 5m 15m 30m 1h 4h 1d
CREATE OR REPLACE VIEW cdv_{interval}_total AS (
  SELECT /*+ asof_dense(b a) */ b.ts, b.market, b.symbol,
    CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN [a.base + b.open] END open,
    CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN [a.base + b.high] END high,
    CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN [a.base + b.low] END low,
    CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN [a.base + b.close] END close,
    [b.delta] delta, [b.high - b.close + b.delta] delta_high, [b.low - b.close + b.delta] delta_low,
    [b.buy_volume] buy_volume, [b.sell_volume] sell_volume, b.quote_delta::double quote_delta,
    b.agg_trades, b.trades,
    [b.price_open] price_open, [b.price_high] price_high,
    [b.price_low] price_low, [b.price_close] price_close,
    b.quote_volume::double / CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume + b.base_sell_volume
      ELSE [b.buy_volume + b.sell_volume] END vwap,
    b.first_id, b.last_id,
    CASE WHEN b.status = 'partial' AND dateadd('{unit}', {count}, b.ts) > now() THEN 'forming' ELSE b.status END status,
    a.origin level_from,
    CASE WHEN a.ts <> timestamp_floor('d', b.ts) THEN NULL
         WHEN b.ts >= a.origin THEN a.missing + b.level_missing
         ELSE a.missing END level_missing,
    CASE WHEN b.market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN b.market = 'binance_cm' THEN [b.buy_volume + b.sell_volume] END contracts,
    CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume ELSE [b.buy_volume] END base_buy_volume,
    CASE WHEN b.market = 'binance_cm' THEN b.base_sell_volume ELSE [b.sell_volume] END base_sell_volume,
    b.quote_volume::double quote_volume,
    (b.quote_volume + b.quote_delta)::double / 2 / CASE WHEN b.market = 'binance_cm' THEN b.base_buy_volume ELSE [b.buy_volume] END buy_vwap,
    (b.quote_volume - b.quote_delta)::double / 2 / CASE WHEN b.market = 'binance_cm' THEN b.base_sell_volume ELSE [b.sell_volume] END sell_vwap,
    2 * b.buy_trades - b.trades trades_delta, 2 * b.buy_agg_trades - b.agg_trades agg_trades_delta
  FROM cdv_exact_{interval} b ASOF JOIN anchors a ON (market, symbol)
  WHERE b.status <> 'void'
);

-- Join signals by ASOF on ts_end, not on ts: a bar is known when it ends.
-- each: 1m 3m 5m 15m 30m 1h 4h 1d
CREATE OR REPLACE VIEW bars_{interval} AS (
  SELECT ts, dateadd('{unit}', {count}, ts) ts_end, market, symbol,
    [price_open] open, [price_high] high, [price_low] low, [price_close] close,
    [buy_volume + sell_volume] volume,
    quote_volume::double / CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume
      ELSE [buy_volume + sell_volume] END vwap,
    [open] cdv_open, [high] cdv_high, [low] cdv_low, [close] cdv_close,
    [delta] delta, [buy_volume] buy_volume, [sell_volume] sell_volume,
    agg_trades, trades,
    CASE WHEN status = 'partial' AND dateadd('{unit}', {count}, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing,
    CASE WHEN market = 'binance_cm' THEN 'contracts' ELSE 'base' END unit,
    CASE WHEN market = 'binance_cm' THEN [buy_volume + sell_volume] END contracts,
    CASE WHEN market = 'binance_cm' THEN base_buy_volume + base_sell_volume ELSE [buy_volume + sell_volume] END base_volume
  FROM cdv_exact_{interval}
  WHERE status <> 'void'
);

-- All minutes of tiers, each with the tier's last stored row of the same hour: its own if row_ts = ts. d: the
-- tiers that a series has ever had; those that an hour does not have have no row in it. Without the hint a
-- tier that trades rarely takes ten times as long. `t.ts <= m.ts` is always true: without it the server drops
-- the column that the join is ordered by, when nobody asks for it.
CREATE OR REPLACE VIEW minutes_of_tiers AS (
  SELECT * FROM (
    SELECT /*+ asof_index(m t) */ m.ts ts, m.market market, m.symbol symbol, m.tier tier, t.ts row_ts,
      t.open open, t.high high, t.low low, t.close close, t.buy_volume buy_volume, t.sell_volume sell_volume,
      t.agg_trades agg_trades, t.trades trades,
      m.status status, m.level_from level_from, m.level_missing level_missing, m.series_tier series_tier
    FROM (
      SELECT b.ts ts, b.market market, b.symbol symbol, d.tier tier, b.status status,
        b.level_from level_from, b.level_missing level_missing, d.series_tier series_tier
      FROM cdv_exact_1m b JOIN (
        SELECT market, symbol, tier, series_tier FROM tiers_exact_1d LATEST ON ts PARTITION BY series_tier
      ) d ON d.market = b.market AND d.symbol = b.symbol
      WHERE b.status <> 'void'
    ) m ASOF JOIN tier_minutes t ON (series_tier) TOLERANCE 1h
    WHERE t.ts <= m.ts AND t.ts >= timestamp_floor('h', m.ts) AND t.close IS NOT NULL
  ) TIMESTAMP(ts)
);

-- A minute without a row of its own has the level after the tier's last one, and no trades.
CREATE OR REPLACE VIEW tiers_exact_1m AS (
  SELECT ts, market, symbol, tier,
    CASE WHEN row_ts = ts THEN open ELSE close END open,
    CASE WHEN row_ts = ts THEN high ELSE close END high,
    CASE WHEN row_ts = ts THEN low ELSE close END low,
    close,
    CASE WHEN row_ts = ts THEN buy_volume - sell_volume ELSE 0m END delta,
    CASE WHEN row_ts = ts THEN buy_volume ELSE 0m END buy_volume,
    CASE WHEN row_ts = ts THEN sell_volume ELSE 0m END sell_volume,
    CASE WHEN row_ts = ts THEN agg_trades ELSE 0 END agg_trades,
    CASE WHEN row_ts = ts THEN trades ELSE 0 END trades,
    status, level_from, level_missing, series_tier
  FROM minutes_of_tiers
);

-- The trades of one size apart, from the worth tier_from in quote currency up to the next tier's. Minutes do
-- not come by way of tiers_exact_1m, which would compute each value several times.
-- each: 1m
CREATE OR REPLACE VIEW tiers_{interval} AS (
  SELECT ts, market, symbol, tier, tier::double tier_from,
    CASE WHEN row_ts = ts THEN [open] ELSE [close] END open,
    CASE WHEN row_ts = ts THEN [high] ELSE [close] END high,
    CASE WHEN row_ts = ts THEN [low] ELSE [close] END low,
    [close] close,
    CASE WHEN row_ts = ts THEN [buy_volume - sell_volume] ELSE 0.0 END delta,
    CASE WHEN row_ts = ts THEN [buy_volume] ELSE 0.0 END buy_volume,
    CASE WHEN row_ts = ts THEN [sell_volume] ELSE 0.0 END sell_volume,
    CASE WHEN row_ts = ts THEN agg_trades ELSE 0 END agg_trades,
    CASE WHEN row_ts = ts THEN trades ELSE 0 END trades,
    CASE WHEN status = 'partial' AND dateadd('{unit}', {count}, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing
  FROM minutes_of_tiers
);

-- each: 1h 1d
CREATE OR REPLACE VIEW tiers_{interval} AS (
  SELECT ts, market, symbol, tier, tier::double tier_from,
    [open] open, [high] high, [low] low, [close] close,
    [delta] delta, [buy_volume] buy_volume, [sell_volume] sell_volume,
    agg_trades, trades,
    CASE WHEN status = 'partial' AND dateadd('{unit}', {count}, ts) > now() THEN 'forming' ELSE status END status,
    level_from, level_missing
  FROM tiers_exact_{interval}
  WHERE status <> 'void'
);
