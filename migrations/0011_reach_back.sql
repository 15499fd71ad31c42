-- Rows of an hour's run whose time lies in the hour before: how many, and their sums. They count in the
-- bars of that hour.
ALTER TABLE slices ADD COLUMN IF NOT EXISTS back_rows LONG;
ALTER TABLE slices ADD COLUMN IF NOT EXISTS back_invalid_rows LONG;
ALTER TABLE slices ADD COLUMN IF NOT EXISTS back_buy_qty DECIMAL(38,8);
ALTER TABLE slices ADD COLUMN IF NOT EXISTS back_sell_qty DECIMAL(38,8);
