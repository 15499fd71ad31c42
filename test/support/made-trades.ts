import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { formatDecimal } from '../../src/domain/trade/decimal.ts';

/** Made-up trades, the same for the same arguments: one in each spacing, of all sizes from dust to a whale's. */
export function madeTrades(
  firstId: number,
  fromMs: number,
  toMs: number,
  spacingMs: number,
): AggTrade[] {
  const trades: AggTrade[] = [];
  let seed = firstId % 2_147_483_647;
  const next = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let timeMs = fromMs; timeMs < toMs; timeMs += spacingMs) {
    const aggId = firstId + trades.length;
    // 1 to 9 times 10^-3 to 10^2 coins at about 42,000: values from 42 to 38 million.
    const qtyE8 = BigInt(10 ** (5 + next(6))) * BigInt(1 + next(9));
    trades.push({
      aggId,
      price: formatDecimal(BigInt(4_200_000 + next(20_000)) * 1_000_000n, 8),
      qty: formatDecimal(qtyE8, 8),
      firstId: aggId * 2,
      lastId: aggId * 2 + 1,
      timeUs: (timeMs + next(Math.min(spacingMs, toMs - timeMs))) * 1000,
      isBuyerMaker: next(2) === 0,
    });
  }
  return trades;
}
