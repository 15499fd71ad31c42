-- Conversions of partitions of trades to Parquet; ts is the partition's first instant. bytes_after is NULL
-- until the trades were compared after the conversion. A Parquet partition is converted again when it has no
-- such row, or when an hour of it was fetched after compacted_at.
CREATE TABLE IF NOT EXISTS compactions (
  ts TIMESTAMP,
  market SYMBOL,
  symbol SYMBOL,
  rows LONG,
  bytes_before LONG,
  bytes_after LONG,
  compacted_at TIMESTAMP
) TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, market, symbol);
