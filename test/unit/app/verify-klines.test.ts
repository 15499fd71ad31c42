import { describe, expect, test } from 'vitest';
import { verifyKlines } from '../../../src/app/verify/verify-klines.ts';
import type { AggTrade } from '../../../src/domain/trade/agg-trade.ts';
import { cdvBars } from '../../support/reference-bars.ts';
import { HOUR_MS, MINUTE_MS, type TimeRange } from '../../../src/domain/time/hour.ts';
import type { Kline } from '../../../src/ports/trade-source.ts';
import { tradeOf } from '../../support/trades.ts';

const HOUR = Date.UTC(2024, 0, 1, 10);

/** Two trades in the first minute: a taker buy and a taker sell of different sizes. */
const TRADES = [
  tradeOf(1, HOUR, { price: '100', qty: '2', firstId: 1, lastId: 1, isBuyerMaker: false }),
  tradeOf(2, HOUR + 1_000, { price: '101', qty: '0.5', firstId: 2, lastId: 4, isBuyerMaker: true }),
];

/** The exchange's candle of that minute, computed by hand. */
const CANDLE: Kline = {
  openMs: HOUR,
  open: '100.00000000',
  high: '101.00000000',
  low: '100.00000000',
  close: '101.00000000',
  volume: '2.50000000',
  takerBuyVolume: '2.00000000',
  quoteVolume: '250.50000000',
  takerBuyQuoteVolume: '200.00000000',
  trades: 4,
};

const compare = (
  trades: readonly AggTrade[],
  klines: readonly Kline[],
  hours: readonly number[] = [HOUR],
) =>
  verifyKlines(
    [...cdvBars(trades, { intervalMs: MINUTE_MS, denseHours: hours })],
    hours,
    async ({ startMs, endMs }) => ({
      answer: klines.filter(({ openMs }) => openMs >= startMs && openMs < endMs),
    }),
  );

describe('candles compared with one-minute bars', () => {
  test('are equal when they agree, also in minutes without trades', async () => {
    expect(await compare(TRADES, [CANDLE])).toEqual({ minutes: 60, equal: 60, findings: [] });
  });

  test('show a wrong side of one trade when all else is equal: the side decides CDV', async () => {
    const flipped = TRADES.map((trade) => ({
      ...trade,
      isBuyerMaker: trade.aggId !== 2 && trade.isBuyerMaker,
    }));
    const { equal, findings } = await compare(flipped, [CANDLE]);
    expect(equal).toBe(59);
    expect(findings).toEqual([
      {
        kind: 'kline_differs',
        atMs: HOUR,
        detail: "taker buy volume is 2.50000000, the exchange's candle has 2.00000000",
      },
    ]);
  });

  test.each<[keyof Kline, string | number, string]>([
    ['open', '99', 'open is 100.00000000'],
    ['high', '102', 'high is 101.00000000'],
    ['low', '99', 'low is 100.00000000'],
    ['close', '100', 'close is 101.00000000'],
    ['volume', '2.5000001', 'volume is 2.50000000'],
    ['takerBuyVolume', '0', 'taker buy volume is 2.00000000'],
    ['trades', 3, 'trades is 4'],
  ])('show a difference in %s', async (field, value, words) => {
    const { findings } = await compare(TRADES, [{ ...CANDLE, [field]: value }]);
    expect(findings.map(({ detail }) => detail)).toEqual([expect.stringContaining(words)]);
  });

  test('that end half way: the compared minutes count, and the reason of the end is given', async () => {
    const hours = Array.from({ length: 24 }, (_, index) => HOUR + index * HOUR_MS);
    const pages: TimeRange[] = [];
    const minutes = [...cdvBars(TRADES, { intervalMs: MINUTE_MS, denseHours: hours })];
    const check = await verifyKlines(minutes, hours, async (page) => {
      pages.push(page);
      return pages.length === 1 ? { answer: [CANDLE] } : { reason: 'EXCHANGE_UNREACHABLE: cut' };
    });
    expect(check).toEqual({
      minutes: 1_000,
      equal: 1_000,
      findings: [],
      reason: 'EXCHANGE_UNREACHABLE: cut',
    });
    expect(pages).toHaveLength(2);
  });
});
