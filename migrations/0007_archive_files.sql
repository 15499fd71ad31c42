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
