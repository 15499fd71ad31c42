-- A statement after `-- each series` is applied to every series, to those of one market after
-- `-- each series of MARKET`; new series get all of these statements. {trades_table} and {trades_view} are
-- names from the table `series`; {market} and {symbol} are literals.

-- Raw aggregate trades of one series, exactly as the exchange gave them. The key has the trade's time
-- because QuestDB wants the designated timestamp in it; domain/trade/agg-trade.ts keeps that time the same
-- for ever. A row that must go is overwritten by a tombstone: qty 0, first_id = last_id = -2. (The
-- exchange's own invalid rows have -1.)
-- each series
CREATE TABLE IF NOT EXISTS {trades_table} (
  ts TIMESTAMP,
  agg_id LONG,
  price DECIMAL(18,8),
  qty DECIMAL(28,8),
  first_id LONG,
  last_id LONG,
  is_buyer_maker BOOLEAN
) TIMESTAMP(ts) PARTITION BY {partition} WAL DEDUP UPSERT KEYS(ts, agg_id);

-- Valid trades with the taker's side; qty, and delta (+qty when the taker bought, -qty when it sold), are
-- in the base asset on every market. contracts is NULL where quantities are no contracts.
-- each series of binance_spot binance_um
CREATE OR REPLACE VIEW {trades_view} AS (
  SELECT ts, {market} market, {symbol} symbol, agg_id, price::double price, qty::double qty,
    CASE WHEN is_buyer_maker THEN 'sell' ELSE 'buy' END side,
    CASE WHEN is_buyer_maker THEN -qty::double ELSE qty::double END delta,
    first_id, last_id, is_buyer_maker, NULL::double contracts
  FROM {trades_table}
  WHERE first_id >= 0 AND qty > 0m AND price > 0m
);

-- The same for contracts: qty and delta are converted to the base asset, so not exact, and NULL while the
-- contract size is unknown; contracts is exact.
-- each series of binance_cm
CREATE OR REPLACE VIEW {trades_view} AS (
  SELECT ts, {market} market, {symbol} symbol, agg_id, price, qty,
    CASE WHEN is_buyer_maker THEN 'sell' ELSE 'buy' END side,
    CASE WHEN is_buyer_maker THEN -qty ELSE qty END delta,
    first_id, last_id, is_buyer_maker, contracts
  FROM (
    SELECT t.ts, t.agg_id, t.price::double price, t.qty::double * s.contract_size::double / t.price::double qty,
      t.first_id, t.last_id, t.is_buyer_maker, t.qty::double contracts
    FROM {trades_table} t CROSS JOIN (SELECT contract_size FROM series WHERE market = {market} AND symbol = {symbol}) s
    WHERE t.first_id >= 0 AND t.qty > 0m AND t.price > 0m
  )
);
