import { expect, test } from 'vitest';
import type { ShownBar } from '../../../src/ports/chart-data.ts';
import { csvLines, jsonLine } from '../../../src/cli/print/bar-lines.ts';

const OPEN_MS = Date.UTC(2024, 0, 1, 10);

const BAR: ShownBar = {
  openMs: OPEN_MS,
  endMs: OPEN_MS + 60_000,
  open: '-0.00000001',
  high: '12345678901234567890.00000001',
  low: '-1.00000000',
  close: '0.00000000',
  delta: '0.10000000',
  buyVolume: '1.00000000',
  sellVolume: '0.90000000',
  quoteDelta: '0.0000000000000001',
  quoteVolume: '2.0000000000000000',
  aggTrades: 2,
  trades: 3,
  priceOpen: '42000.10000000',
  priceHigh: '42000.20000000',
  priceLow: '42000.00000000',
  priceClose: '42000.10000000',
  firstId: 9007199254740990,
  lastId: 9007199254740991,
  status: 'final',
  levelFromMs: OPEN_MS - 1,
  levelMissing: 0,
};

const UNKNOWN = {
  quoteDelta: undefined,
  quoteVolume: undefined,
  priceOpen: undefined,
  priceHigh: undefined,
  priceLow: undefined,
  priceClose: undefined,
  firstId: undefined,
  lastId: undefined,
  levelMissing: undefined,
};

test('CSV has exact decimals, times in UTC, and nothing where a value is unknown', () => {
  expect([...csvLines([BAR, { ...BAR, ...UNKNOWN, status: 'partial' }])]).toEqual([
    'ts,ts_end,open,high,low,close,delta,buy_volume,sell_volume,quote_delta,quote_volume,agg_trades,trades,' +
      'price_open,price_high,price_low,price_close,first_id,last_id,status,level_from,level_missing',
    '2024-01-01T10:00:00.000Z,2024-01-01T10:01:00.000Z,-0.00000001,12345678901234567890.00000001,' +
      '-1.00000000,0.00000000,0.10000000,1.00000000,0.90000000,0.0000000000000001,2.0000000000000000,2,3,' +
      '42000.10000000,42000.20000000,42000.00000000,42000.10000000,9007199254740990,9007199254740991,' +
      'final,2024-01-01T09:59:59.999Z,0',
    '2024-01-01T10:00:00.000Z,2024-01-01T10:01:00.000Z,-0.00000001,12345678901234567890.00000001,' +
      '-1.00000000,0.00000000,0.10000000,1.00000000,0.90000000,,,2,3,,,,,,,partial,2024-01-01T09:59:59.999Z,',
  ]);
});

test('CSV without bars is its header', () => {
  expect([...csvLines([])]).toHaveLength(1);
});

test('JSON has null where a value is unknown, and leaves no field out', () => {
  const parsed = JSON.parse(jsonLine({ ...BAR, ...UNKNOWN })) as Record<string, unknown>;
  expect(Object.keys(parsed)).toEqual(Object.keys(BAR));
  const nulls = Object.entries(parsed).filter(([, value]) => value === null);
  expect(nulls.map(([name]) => name).toSorted()).toEqual(Object.keys(UNKNOWN).toSorted());
  expect(JSON.parse(jsonLine(BAR))).toEqual(BAR);
});
