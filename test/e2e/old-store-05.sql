-- What a release with the migrations 01 to 05 has stored of one hour with six trades: rows of every table that it
-- writes. This text stays as it is, whatever later releases write.

INSERT INTO series (ts, market, symbol, origin, scheduled_from, contract_size, generation, trades_table, trades_view) VALUES
  ('1970-01-01T00:00:00Z', 'binance_spot', 'OLDUSDT', '2024-01-01T00:00:00Z', NULL, NULL, 1, 'agg_trades_spot_oldusdt_1', 'trades_spot_oldusdt');

INSERT INTO agg_trades_spot_oldusdt_1 (ts, agg_id, price, qty, first_id, last_id, is_buyer_maker) VALUES
  ('2024-01-01T10:08:27.523000Z', 1000, 42141.53m, 30m, 2000, 2001, false),
  ('2024-01-01T10:12:55.486000Z', 1001, 42134.94m, 800m, 2002, 2003, false),
  ('2024-01-01T10:21:18.577000Z', 1002, 42044.46m, 100m, 2004, 2005, false),
  ('2024-01-01T10:38:15.278000Z', 1003, 42052.35m, 300m, 2006, 2007, true),
  ('2024-01-01T10:45:49.156000Z', 1004, 42013.47m, 9m, 2008, 2009, false),
  ('2024-01-01T10:58:10.818000Z', 1005, 42145.21m, 5m, 2010, 2011, true);

INSERT INTO slices (ts, market, symbol, rows, first_id, first_ts, last_id, last_ts, prev_id, prev_ts, next_id, next_ts, invalid_rows, backward_rows, buy_qty, sell_qty, content_hash, source, run_id, code_version, fetched_at, ended_at, back_rows, back_invalid_rows, back_buy_qty, back_sell_qty) VALUES
  ('2024-01-01T10:00:00Z', 'binance_spot', 'OLDUSDT', 6, 1000, '2024-01-01T10:08:27.523000Z', 1005, '2024-01-01T10:58:10.818000Z', 999, '1970-01-01T00:00:00Z', 1006, '2024-01-01T11:00:00Z', 0, 0, 939m, 305m, '103ad7322e297efaa7601e2bda36324f2a4da9caec447a14415a6b6d37345ab9', 'rest', 'run-1', '0.1.0', '2024-01-02T00:00:00Z', NULL, 0, 0, 0m, 0m);

INSERT INTO bar_days (ts, market, symbol, inputs, level_from, rows, id_start, id_end, missing, delta, built_at, layout) VALUES
  ('2024-01-01T00:00:00Z', 'binance_spot', 'OLDUSDT', '10=proven:103ad7322e297efa', '2024-01-01T10:00:00Z', 6, 1000, 1006, 0, 634m, '2024-01-02T00:00:00Z', '2 0,10000,100000,1000000');

INSERT INTO anchors (ts, market, symbol, base, missing, origin) VALUES
  ('2024-01-01T00:00:00Z', 'binance_spot', 'OLDUSDT', 0m, NULL, '2024-01-01T00:00:00Z');

INSERT INTO cdv_exact_1m (ts, market, symbol, open, high, low, close, delta, buy_volume, sell_volume, quote_delta, quote_volume, agg_trades, trades, price_open, price_high, price_low, price_close, first_id, last_id, status, level_from, level_missing, base_buy_volume, base_sell_volume, buy_agg_trades, buy_trades) VALUES
  ('2024-01-01T10:00:00Z', 'binance_spot', 'OLDUSDT', 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:01:00Z', 'binance_spot', 'OLDUSDT', 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:02:00Z', 'binance_spot', 'OLDUSDT', 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:03:00Z', 'binance_spot', 'OLDUSDT', 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:04:00Z', 'binance_spot', 'OLDUSDT', 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:05:00Z', 'binance_spot', 'OLDUSDT', 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:06:00Z', 'binance_spot', 'OLDUSDT', 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:07:00Z', 'binance_spot', 'OLDUSDT', 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:08:00Z', 'binance_spot', 'OLDUSDT', 30m, 30m, 30m, 30m, 30m, 30m, 0m, 1264245.9m, 1264245.9m, 1, 2, 42141.53m, 42141.53m, 42141.53m, 42141.53m, 1000, 1000, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 1, 2),
  ('2024-01-01T10:09:00Z', 'binance_spot', 'OLDUSDT', 30m, 30m, 30m, 30m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:10:00Z', 'binance_spot', 'OLDUSDT', 30m, 30m, 30m, 30m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:11:00Z', 'binance_spot', 'OLDUSDT', 30m, 30m, 30m, 30m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:12:00Z', 'binance_spot', 'OLDUSDT', 830m, 830m, 830m, 830m, 800m, 800m, 0m, 33707952m, 33707952m, 1, 2, 42134.94m, 42134.94m, 42134.94m, 42134.94m, 1001, 1001, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 1, 2),
  ('2024-01-01T10:13:00Z', 'binance_spot', 'OLDUSDT', 830m, 830m, 830m, 830m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:14:00Z', 'binance_spot', 'OLDUSDT', 830m, 830m, 830m, 830m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:15:00Z', 'binance_spot', 'OLDUSDT', 830m, 830m, 830m, 830m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:16:00Z', 'binance_spot', 'OLDUSDT', 830m, 830m, 830m, 830m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:17:00Z', 'binance_spot', 'OLDUSDT', 830m, 830m, 830m, 830m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:18:00Z', 'binance_spot', 'OLDUSDT', 830m, 830m, 830m, 830m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:19:00Z', 'binance_spot', 'OLDUSDT', 830m, 830m, 830m, 830m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:20:00Z', 'binance_spot', 'OLDUSDT', 830m, 830m, 830m, 830m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:21:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 100m, 100m, 0m, 4204446m, 4204446m, 1, 2, 42044.46m, 42044.46m, 42044.46m, 42044.46m, 1002, 1002, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 1, 2),
  ('2024-01-01T10:22:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:23:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:24:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:25:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:26:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:27:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:28:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:29:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:30:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:31:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:32:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:33:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:34:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:35:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:36:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:37:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:38:00Z', 'binance_spot', 'OLDUSDT', 630m, 630m, 630m, 630m, -300m, 0m, 300m, -12615705m, 12615705m, 1, 2, 42052.35m, 42052.35m, 42052.35m, 42052.35m, 1003, 1003, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:39:00Z', 'binance_spot', 'OLDUSDT', 630m, 630m, 630m, 630m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:40:00Z', 'binance_spot', 'OLDUSDT', 630m, 630m, 630m, 630m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:41:00Z', 'binance_spot', 'OLDUSDT', 630m, 630m, 630m, 630m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:42:00Z', 'binance_spot', 'OLDUSDT', 630m, 630m, 630m, 630m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:43:00Z', 'binance_spot', 'OLDUSDT', 630m, 630m, 630m, 630m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:44:00Z', 'binance_spot', 'OLDUSDT', 630m, 630m, 630m, 630m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:45:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 9m, 9m, 0m, 378121.23m, 378121.23m, 1, 2, 42013.47m, 42013.47m, 42013.47m, 42013.47m, 1004, 1004, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 1, 2),
  ('2024-01-01T10:46:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:47:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:48:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:49:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:50:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:51:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:52:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:53:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:54:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:55:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:56:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:57:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:58:00Z', 'binance_spot', 'OLDUSDT', 634m, 634m, 634m, 634m, -5m, 0m, 5m, -210726.05m, 210726.05m, 1, 2, 42145.21m, 42145.21m, 42145.21m, 42145.21m, 1005, 1005, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:59:00Z', 'binance_spot', 'OLDUSDT', 634m, 634m, 634m, 634m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0);

INSERT INTO cdv_exact_3m (ts, market, symbol, open, high, low, close, delta, buy_volume, sell_volume, quote_delta, quote_volume, agg_trades, trades, price_open, price_high, price_low, price_close, first_id, last_id, status, level_from, level_missing, base_buy_volume, base_sell_volume, buy_agg_trades, buy_trades) VALUES
  ('2024-01-01T10:00:00Z', 'binance_spot', 'OLDUSDT', 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:03:00Z', 'binance_spot', 'OLDUSDT', 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:06:00Z', 'binance_spot', 'OLDUSDT', 30m, 30m, 30m, 30m, 30m, 30m, 0m, 1264245.9m, 1264245.9m, 1, 2, 42141.53m, 42141.53m, 42141.53m, 42141.53m, 1000, 1000, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 1, 2),
  ('2024-01-01T10:09:00Z', 'binance_spot', 'OLDUSDT', 30m, 30m, 30m, 30m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:12:00Z', 'binance_spot', 'OLDUSDT', 830m, 830m, 830m, 830m, 800m, 800m, 0m, 33707952m, 33707952m, 1, 2, 42134.94m, 42134.94m, 42134.94m, 42134.94m, 1001, 1001, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 1, 2),
  ('2024-01-01T10:15:00Z', 'binance_spot', 'OLDUSDT', 830m, 830m, 830m, 830m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:18:00Z', 'binance_spot', 'OLDUSDT', 830m, 830m, 830m, 830m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:21:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 100m, 100m, 0m, 4204446m, 4204446m, 1, 2, 42044.46m, 42044.46m, 42044.46m, 42044.46m, 1002, 1002, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 1, 2),
  ('2024-01-01T10:24:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:27:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:30:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:33:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:36:00Z', 'binance_spot', 'OLDUSDT', 630m, 630m, 630m, 630m, -300m, 0m, 300m, -12615705m, 12615705m, 1, 2, 42052.35m, 42052.35m, 42052.35m, 42052.35m, 1003, 1003, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:39:00Z', 'binance_spot', 'OLDUSDT', 630m, 630m, 630m, 630m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:42:00Z', 'binance_spot', 'OLDUSDT', 630m, 630m, 630m, 630m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:45:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 9m, 9m, 0m, 378121.23m, 378121.23m, 1, 2, 42013.47m, 42013.47m, 42013.47m, 42013.47m, 1004, 1004, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 1, 2),
  ('2024-01-01T10:48:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:51:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:54:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:57:00Z', 'binance_spot', 'OLDUSDT', 634m, 634m, 634m, 634m, -5m, 0m, 5m, -210726.05m, 210726.05m, 1, 2, 42145.21m, 42145.21m, 42145.21m, 42145.21m, 1005, 1005, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0);

INSERT INTO cdv_exact_5m (ts, market, symbol, open, high, low, close, delta, buy_volume, sell_volume, quote_delta, quote_volume, agg_trades, trades, price_open, price_high, price_low, price_close, first_id, last_id, status, level_from, level_missing, base_buy_volume, base_sell_volume, buy_agg_trades, buy_trades) VALUES
  ('2024-01-01T10:00:00Z', 'binance_spot', 'OLDUSDT', 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:05:00Z', 'binance_spot', 'OLDUSDT', 30m, 30m, 30m, 30m, 30m, 30m, 0m, 1264245.9m, 1264245.9m, 1, 2, 42141.53m, 42141.53m, 42141.53m, 42141.53m, 1000, 1000, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 1, 2),
  ('2024-01-01T10:10:00Z', 'binance_spot', 'OLDUSDT', 830m, 830m, 830m, 830m, 800m, 800m, 0m, 33707952m, 33707952m, 1, 2, 42134.94m, 42134.94m, 42134.94m, 42134.94m, 1001, 1001, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 1, 2),
  ('2024-01-01T10:15:00Z', 'binance_spot', 'OLDUSDT', 830m, 830m, 830m, 830m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:20:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 100m, 100m, 0m, 4204446m, 4204446m, 1, 2, 42044.46m, 42044.46m, 42044.46m, 42044.46m, 1002, 1002, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 1, 2),
  ('2024-01-01T10:25:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:30:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:35:00Z', 'binance_spot', 'OLDUSDT', 630m, 630m, 630m, 630m, -300m, 0m, 300m, -12615705m, 12615705m, 1, 2, 42052.35m, 42052.35m, 42052.35m, 42052.35m, 1003, 1003, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:40:00Z', 'binance_spot', 'OLDUSDT', 630m, 630m, 630m, 630m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:45:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 9m, 9m, 0m, 378121.23m, 378121.23m, 1, 2, 42013.47m, 42013.47m, 42013.47m, 42013.47m, 1004, 1004, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 1, 2),
  ('2024-01-01T10:50:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 639m, 639m, 0m, 0m, 0m, 0m, 0m, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:55:00Z', 'binance_spot', 'OLDUSDT', 634m, 634m, 634m, 634m, -5m, 0m, 5m, -210726.05m, 210726.05m, 1, 2, 42145.21m, 42145.21m, 42145.21m, 42145.21m, 1005, 1005, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0);

INSERT INTO cdv_exact_15m (ts, market, symbol, open, high, low, close, delta, buy_volume, sell_volume, quote_delta, quote_volume, agg_trades, trades, price_open, price_high, price_low, price_close, first_id, last_id, status, level_from, level_missing, base_buy_volume, base_sell_volume, buy_agg_trades, buy_trades) VALUES
  ('2024-01-01T10:00:00Z', 'binance_spot', 'OLDUSDT', 30m, 830m, 30m, 830m, 830m, 830m, 0m, 34972197.9m, 34972197.9m, 2, 4, 42141.53m, 42141.53m, 42134.94m, 42134.94m, 1000, 1001, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 2, 4),
  ('2024-01-01T10:15:00Z', 'binance_spot', 'OLDUSDT', 930m, 930m, 930m, 930m, 100m, 100m, 0m, 4204446m, 4204446m, 1, 2, 42044.46m, 42044.46m, 42044.46m, 42044.46m, 1002, 1002, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 1, 2),
  ('2024-01-01T10:30:00Z', 'binance_spot', 'OLDUSDT', 630m, 630m, 630m, 630m, -300m, 0m, 300m, -12615705m, 12615705m, 1, 2, 42052.35m, 42052.35m, 42052.35m, 42052.35m, 1003, 1003, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 0, 0),
  ('2024-01-01T10:45:00Z', 'binance_spot', 'OLDUSDT', 639m, 639m, 634m, 634m, 4m, 9m, 5m, 167395.18m, 588847.28m, 2, 4, 42013.47m, 42145.21m, 42013.47m, 42145.21m, 1004, 1005, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 1, 2);

INSERT INTO cdv_exact_30m (ts, market, symbol, open, high, low, close, delta, buy_volume, sell_volume, quote_delta, quote_volume, agg_trades, trades, price_open, price_high, price_low, price_close, first_id, last_id, status, level_from, level_missing, base_buy_volume, base_sell_volume, buy_agg_trades, buy_trades) VALUES
  ('2024-01-01T10:00:00Z', 'binance_spot', 'OLDUSDT', 30m, 930m, 30m, 930m, 930m, 930m, 0m, 39176643.9m, 39176643.9m, 3, 6, 42141.53m, 42141.53m, 42044.46m, 42044.46m, 1000, 1002, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 3, 6),
  ('2024-01-01T10:30:00Z', 'binance_spot', 'OLDUSDT', 630m, 639m, 630m, 634m, -296m, 9m, 305m, -12448309.82m, 13204552.28m, 3, 6, 42052.35m, 42145.21m, 42013.47m, 42145.21m, 1003, 1005, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 1, 2);

INSERT INTO cdv_exact_1h (ts, market, symbol, open, high, low, close, delta, buy_volume, sell_volume, quote_delta, quote_volume, agg_trades, trades, price_open, price_high, price_low, price_close, first_id, last_id, status, level_from, level_missing, base_buy_volume, base_sell_volume, buy_agg_trades, buy_trades) VALUES
  ('2024-01-01T10:00:00Z', 'binance_spot', 'OLDUSDT', 30m, 930m, 30m, 634m, 634m, 939m, 305m, 26728334.08m, 52381196.18m, 6, 12, 42141.53m, 42145.21m, 42013.47m, 42145.21m, 1000, 1005, 'final', '2024-01-01T10:00:00Z', 0, NULL, NULL, 4, 8);

INSERT INTO cdv_exact_4h (ts, market, symbol, open, high, low, close, delta, buy_volume, sell_volume, quote_delta, quote_volume, agg_trades, trades, price_open, price_high, price_low, price_close, first_id, last_id, status, level_from, level_missing, base_buy_volume, base_sell_volume, buy_agg_trades, buy_trades) VALUES
  ('2024-01-01T08:00:00Z', 'binance_spot', 'OLDUSDT', 30m, 930m, 30m, 634m, 634m, 939m, 305m, 26728334.08m, 52381196.18m, 6, 12, 42141.53m, 42145.21m, 42013.47m, 42145.21m, 1000, 1005, 'partial', '2024-01-01T10:00:00Z', 0, NULL, NULL, 4, 8);

INSERT INTO cdv_exact_1d (ts, market, symbol, open, high, low, close, delta, buy_volume, sell_volume, quote_delta, quote_volume, agg_trades, trades, price_open, price_high, price_low, price_close, first_id, last_id, status, level_from, level_missing, base_buy_volume, base_sell_volume, buy_agg_trades, buy_trades) VALUES
  ('2024-01-01T00:00:00Z', 'binance_spot', 'OLDUSDT', 30m, 930m, 30m, 634m, 634m, 939m, 305m, 26728334.08m, 52381196.18m, 6, 12, 42141.53m, 42145.21m, 42013.47m, 42145.21m, 1000, 1005, 'partial', '2024-01-01T10:00:00Z', 0, NULL, NULL, 4, 8);

INSERT INTO tier_minutes (ts, series_tier, open, high, low, close, buy_volume, sell_volume, agg_trades, trades) VALUES
  ('2024-01-01T10:00:00Z', 'binance_spot OLDUSDT 0', 0m, 0m, 0m, 0m, 0m, 0m, 0, 0),
  ('2024-01-01T10:00:00Z', 'binance_spot OLDUSDT 10000', 0m, 0m, 0m, 0m, 0m, 0m, 0, 0),
  ('2024-01-01T10:00:00Z', 'binance_spot OLDUSDT 100000', 0m, 0m, 0m, 0m, 0m, 0m, 0, 0),
  ('2024-01-01T10:00:00Z', 'binance_spot OLDUSDT 1000000', 0m, 0m, 0m, 0m, 0m, 0m, 0, 0),
  ('2024-01-01T10:08:00Z', 'binance_spot OLDUSDT 1000000', 30m, 30m, 30m, 30m, 30m, 0m, 1, 2),
  ('2024-01-01T10:12:00Z', 'binance_spot OLDUSDT 1000000', 830m, 830m, 830m, 830m, 800m, 0m, 1, 2),
  ('2024-01-01T10:21:00Z', 'binance_spot OLDUSDT 1000000', 930m, 930m, 930m, 930m, 100m, 0m, 1, 2),
  ('2024-01-01T10:38:00Z', 'binance_spot OLDUSDT 1000000', 630m, 630m, 630m, 630m, 0m, 300m, 1, 2),
  ('2024-01-01T10:45:00Z', 'binance_spot OLDUSDT 100000', 9m, 9m, 9m, 9m, 9m, 0m, 1, 2),
  ('2024-01-01T10:58:00Z', 'binance_spot OLDUSDT 100000', 4m, 4m, 4m, 4m, 0m, 5m, 1, 2);

INSERT INTO tiers_exact_1h (ts, market, symbol, tier, open, high, low, close, delta, buy_volume, sell_volume, agg_trades, trades, status, level_from, level_missing, series_tier) VALUES
  ('2024-01-01T10:00:00Z', 'binance_spot', 'OLDUSDT', '0', 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0, 0, 'final', '2024-01-01T10:00:00Z', 0, 'binance_spot OLDUSDT 0'),
  ('2024-01-01T10:00:00Z', 'binance_spot', 'OLDUSDT', '10000', 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0, 0, 'final', '2024-01-01T10:00:00Z', 0, 'binance_spot OLDUSDT 10000'),
  ('2024-01-01T10:00:00Z', 'binance_spot', 'OLDUSDT', '100000', 9m, 9m, 4m, 4m, 4m, 9m, 5m, 2, 4, 'final', '2024-01-01T10:00:00Z', 0, 'binance_spot OLDUSDT 100000'),
  ('2024-01-01T10:00:00Z', 'binance_spot', 'OLDUSDT', '1000000', 30m, 930m, 30m, 630m, 630m, 930m, 300m, 4, 8, 'final', '2024-01-01T10:00:00Z', 0, 'binance_spot OLDUSDT 1000000');

INSERT INTO tiers_exact_1d (ts, market, symbol, tier, open, high, low, close, delta, buy_volume, sell_volume, agg_trades, trades, status, level_from, level_missing, series_tier) VALUES
  ('2024-01-01T00:00:00Z', 'binance_spot', 'OLDUSDT', '0', 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0, 0, 'partial', '2024-01-01T10:00:00Z', 0, 'binance_spot OLDUSDT 0'),
  ('2024-01-01T00:00:00Z', 'binance_spot', 'OLDUSDT', '10000', 0m, 0m, 0m, 0m, 0m, 0m, 0m, 0, 0, 'partial', '2024-01-01T10:00:00Z', 0, 'binance_spot OLDUSDT 10000'),
  ('2024-01-01T00:00:00Z', 'binance_spot', 'OLDUSDT', '100000', 9m, 9m, 4m, 4m, 4m, 9m, 5m, 2, 4, 'partial', '2024-01-01T10:00:00Z', 0, 'binance_spot OLDUSDT 100000'),
  ('2024-01-01T00:00:00Z', 'binance_spot', 'OLDUSDT', '1000000', 30m, 930m, 30m, 630m, 630m, 930m, 300m, 4, 8, 'partial', '2024-01-01T10:00:00Z', 0, 'binance_spot OLDUSDT 1000000');
