-- Up to when it is known that no trade followed the hour's last one, of a symbol that the exchange no
-- longer trades: such an hour has no successor to prove its end by.
ALTER TABLE slices ADD COLUMN IF NOT EXISTS ended_at TIMESTAMP;

-- The verdict of every fetched hour. The same rule as domain/ledger.ts, held equal by a test.
CREATE OR REPLACE VIEW coverage AS (
  SELECT ts, market, symbol,
    CASE WHEN missing <> 0 OR prev_ts >= ts OR next_ts < dateadd('h', 1, ts) THEN 'gap'
         WHEN next_id IS NULL AND ended_at IS NULL THEN 'open'
         ELSE 'proven' END verdict,
    CASE WHEN prev_id IS NULL AND coalesce(first_id, next_id) = 0 THEN 'listing'
         WHEN next_id IS NULL AND ended_at IS NOT NULL THEN 'end_of_symbol' END edge,
    rows, missing, first_id, last_id, first_ts, last_ts, prev_id, next_id, invalid_rows, backward_rows,
    (buy_qty - sell_qty)::double delta, content_hash, source, run_id, code_version, fetched_at, ended_at
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
