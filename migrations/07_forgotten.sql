-- Series that were forgotten. QuestDB has no DELETE: their rows in slices, gaps, bar_days, anchors, restatements,
-- archive_files and prunings have neither market nor symbol, their bars are void. Of a forgotten series, `series`
-- keeps a row without origin, since a table's name is never used again: generation is that of the next table.
-- While trades_table is still there, the series is being forgotten.

-- As before, without the hours of forgotten series.
CREATE OR REPLACE VIEW coverage AS (
  SELECT ts, market, symbol,
    CASE WHEN missing IS NULL OR missing <> 0 OR prev_ts >= ts OR next_ts < dateadd('h', 1, ts) THEN 'gap'
         WHEN next_id IS NULL AND ended_at IS NULL THEN 'open'
         ELSE 'proven' END verdict,
    CASE WHEN prev_id IS NULL AND head_id = start_id THEN 'listing'
         WHEN next_id IS NULL AND ended_at IS NOT NULL THEN 'end_of_symbol' END edge,
    rows, missing, first_id, last_id, first_ts, last_ts, prev_id, next_id, invalid_rows, backward_rows,
    (buy_qty - sell_qty)::double delta, content_hash, source, run_id, code_version, fetched_at, ended_at
  FROM (
    SELECT *,
      CASE WHEN prev_id IS NULL AND head_id IS NOT NULL AND head_id <> start_id THEN NULL
           WHEN first_id IS NOT NULL
           THEN (first_id - coalesce(prev_id + 1, start_id)) + (last_id - first_id + 1 - rows)
                + CASE WHEN next_id IS NULL THEN 0L ELSE next_id - last_id - 1 END
           WHEN next_id IS NOT NULL THEN next_id - coalesce(prev_id + 1, start_id)
           ELSE 0L END missing
    FROM (
      SELECT *, coalesce(first_id, next_id) head_id, CASE WHEN market = 'binance_spot' THEN 0L ELSE 1L END start_id
      FROM slices WHERE market IS NOT NULL
    )
  )
);
