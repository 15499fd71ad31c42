import type { Listing } from './endpoints.ts';

const DAY_US = 86_400_000_000;

/** The 24-hour ticker of all symbols, with the fields that the short form has too. */
export function tickerJson(listings: Iterable<Listing>, nowMs: number): string {
  return JSON.stringify(
    [...listings].map((listing) => {
      const volumes = volumesOf(listing, nowMs);
      return {
        symbol: listing.symbol,
        volume: volumes.base.toFixed(8),
        quoteVolume: (listing.quoteVolume ?? volumes.quote).toFixed(8),
        openTime: nowMs - DAY_US / 1000,
        closeTime: nowMs,
      };
    }),
  );
}

function volumesOf({ trades }: Listing, nowMs: number): { base: number; quote: number } {
  let [base, quote] = [0, 0];
  const end = trades.indexAtTime(nowMs * 1000);
  for (let index = trades.indexAtTime(nowMs * 1000 - DAY_US); index < end; index += 1) {
    const { p, q } = trades.at(index);
    base += Number(q);
    quote += Number(p) * Number(q);
  }
  return { base, quote };
}
