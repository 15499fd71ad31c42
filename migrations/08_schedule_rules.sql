-- Rules of the schedule: series that are kept complete because the exchange lists them; ts is always 1970-01-01.
-- top: only so many, by volume; NULL: all. scheduled_from: NULL when the rule has ended.
CREATE TABLE IF NOT EXISTS schedule_rules (
  ts TIMESTAMP,
  market SYMBOL,
  quote SYMBOL,
  top LONG,
  scheduled_from TIMESTAMP
) TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, market, quote);

-- The quote asset of the rule that schedules the series; NULL where somebody has named it.
ALTER TABLE series ADD COLUMN IF NOT EXISTS scheduled_by VARCHAR;
