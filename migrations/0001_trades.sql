-- Raw aggregate trades, exactly as the exchange gave them. The key has the trade's time because
-- QuestDB wants the designated timestamp in it; domain/agg-trade.ts keeps that time the same for ever.
-- A row that must go is overwritten by a tombstone: qty 0, first_id = last_id = -2. (The exchange's own
-- invalid rows have -1.)
CREATE TABLE IF NOT EXISTS agg_trades (
  ts TIMESTAMP,
  market SYMBOL,
  symbol SYMBOL,
  agg_id LONG,
  price DECIMAL(18,8),
  qty DECIMAL(28,8),
  first_id LONG,
  last_id LONG,
  is_buyer_maker BOOLEAN
) TIMESTAMP(ts) PARTITION BY DAY WAL DEDUP UPSERT KEYS(ts, market, symbol, agg_id);
