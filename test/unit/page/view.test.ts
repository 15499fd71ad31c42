import { expect, test } from 'vitest';
import { DEFAULT_VIEW, parseView, type View, viewQuery } from '../../../src/page/view.ts';

const VIEW: View = {
  series: { market: 'um', symbol: 'BTCUSDT' },
  interval: '15m',
  anchor: 'session:09:30@America/New_York',
  open: 'previous',
  zone: 'Asia/Tokyo',
  range: { fromMs: Date.UTC(2024, 0, 1), toMs: Date.UTC(2024, 0, 1, 12, 0, 30) },
  overlays: [{ market: 'spot', symbol: 'BTCUSDT' }],
  tiers: ['100000', '1000000'],
  ownScale: false,
  profile: true,
  footprint: false,
  bin: '0.5',
};

test('a view is read from its own query', () => {
  expect(parseView(viewQuery(VIEW))).toEqual(VIEW);
  expect(viewQuery(VIEW)).toBe(
    'market=um&symbol=BTCUSDT&interval=15m&anchor=session:09:30@America/New_York&open=previous' +
      '&zone=Asia/Tokyo&bin=0.5&from=2024-01-01T00:00Z&to=2024-01-01T12:00:30Z&overlay=spot:BTCUSDT' +
      '&tier=100000&tier=1000000&scale=same&profile=on&footprint=off',
  );
});

test('the default view has no query', () => {
  expect(viewQuery(DEFAULT_VIEW)).toBe('');
  expect(parseView('')).toEqual(DEFAULT_VIEW);
});

test('what is not understood has its default', () => {
  const text =
    'market=moon&symbol=X&interval=7m&zone=No/Where&from=x&to=y&overlay=z&tier=a&open=o&bin=-1';
  expect(parseView(text)).toEqual(DEFAULT_VIEW);
});

test('a range without a zone is in UTC, as the API reads it, whatever the clocks of the browser', () => {
  const { range } = parseView('from=2024-03-09T10:00&to=2024-03-10');
  expect(range).toEqual({ fromMs: Date.UTC(2024, 2, 9, 10), toMs: Date.UTC(2024, 2, 10) });
});
