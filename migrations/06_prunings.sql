-- Days whose raw trades were dropped after every hour of them was proven and their bars were built: ts is the
-- day's midnight, rows what the ledger counts in its hours. Ledger, hashes and bars stay. It is written before
-- the trades are dropped, so it may name a day whose trades are still there: the next prune drops them.
-- fetched_again_at: since then the day's trades are stored and proven again.
CREATE TABLE IF NOT EXISTS prunings (
  ts TIMESTAMP,
  market SYMBOL,
  symbol SYMBOL,
  rows LONG,
  pruned_at TIMESTAMP,
  fetched_again_at TIMESTAMP
) TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, market, symbol);
