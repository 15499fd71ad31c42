-- Conversions of partitions to Parquet: of a table of a series' trades, or of bars. ts is the partition's first
-- instant. bytes_after is NULL until the rows were compared after the conversion; digest: of the rows of bars
-- before it, so that they can be compared after it was killed, too. A Parquet partition is
-- converted again when it has no such row, or when trades were fetched or bars built after compacted_at.
CREATE TABLE IF NOT EXISTS compactions (
  ts TIMESTAMP,
  table_name SYMBOL,
  rows LONG,
  bytes_before LONG,
  bytes_after LONG,
  digest VARCHAR,
  compacted_at TIMESTAMP
) TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, table_name);
