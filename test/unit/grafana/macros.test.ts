import { describe, expect, test } from 'vitest';
import { expandQuery, type QueryContext } from '../../support/grafana-macros.ts';

/** Golden strings: from the two data sources with a running QuestDB, and from Grafana's documentation. */
const CONTEXT: QueryContext = {
  fromMs: Date.UTC(2024, 0, 1),
  toMs: Date.UTC(2024, 0, 1, 6, 0, 0, 500),
  intervalMs: 60_000,
  variables: { symbol: 'BTCUSDT', symbols: ['BTCUSDT', "O'X"], step: '5m' },
};

describe.each([
  ['$__timeFilter(ts)', "ts BETWEEN '2024-01-01T00:00:00Z' AND '2024-01-01T06:00:00.5Z'"],
  ['ts >= $__from', 'ts >= 1704067200000'],
  ['cast($__to * 1000 AS timestamp)', 'cast(1704088800500 * 1000 AS timestamp)'],
  ['SAMPLE BY $__interval', 'SAMPLE BY 1m'],
  ['rows / $__interval_ms', 'rows / 60000'],
  ["symbol = '$symbol'", "symbol = 'BTCUSDT'"],
  ['symbol IN ($symbols)', "symbol IN ('BTCUSDT','O''X')"],
  ['cdv_${step}_total', 'cdv_5m_total'],
])('%s', (sql, expanded) => {
  test(`is ${expanded}`, () => {
    expect(expandQuery(sql, CONTEXT)).toBe(expanded);
  });
});

test('QuestDB’s plugin filters by microseconds, both ends included', () => {
  expect(expandQuery('$__timeFilter(ts)', { ...CONTEXT, backEnd: 'questdb-plugin' })).toBe(
    'ts >= cast(1704067200000000 as timestamp) AND ts <= cast(1704088800500000 as timestamp)',
  );
});

test.each([
  [500, '500ms'],
  [30_000, '30s'],
  [60_000, '1m'],
  [3_600_000, '1h'],
  [86_400_000, '1d'],
])('an interval of %d ms is written %s', (intervalMs, text) => {
  expect(expandQuery('$__interval', { ...CONTEXT, intervalMs })).toBe(text);
});

test.each(['$__timeGroup(ts, 1m)', '$nobody'])(
  'a macro that neither has is an error: %s',
  (sql) => {
    expect(() => expandQuery(sql, CONTEXT)).toThrow(/unknown macro|not expanded/);
  },
);
