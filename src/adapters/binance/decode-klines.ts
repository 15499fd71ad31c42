import { z } from 'zod';
import { CdvaultError } from '../../domain/errors.ts';
import { MINUTE_MS, type TimeRange } from '../../domain/time/hour.ts';
import type { Kline } from '../../ports/trade-source.ts';

/** Decimals as the exchange writes them: no sign, no exponent. */
const decimal = z.string().regex(/^\d{1,30}(?:\.\d{1,16})?$/);

/** The exchange's array of twelve fields; the last one has no meaning and may be missing. */
const row = z
  .tuple([
    z.int(),
    decimal,
    decimal,
    decimal,
    decimal,
    decimal,
    z.int(),
    decimal,
    z.int().nonnegative(),
    decimal,
    decimal,
  ])
  .rest(z.unknown());

const rows = z.array(row);

/**
 * Minutes of a klines reply. The exchange may or may not include silent minutes: the caller must handle both.
 * @param range the requested whole minutes
 * @throws CdvaultError EXCHANGE_BAD_BODY for a row that is not one minute, EXCHANGE_BAD_PAGE when a minute
 *   repeats, is out of order, or was not requested
 */
export function decodeKlines(body: unknown, range: TimeRange, request: string): readonly Kline[] {
  const parsed = rows.safeParse(body);
  if (!parsed.success) {
    throw new CdvaultError('EXCHANGE_BAD_BODY', `${request}: no klines`, { cause: parsed.error });
  }
  let earliestMs = range.startMs;
  return parsed.data.map((fields) => {
    const kline = toKline(fields, request);
    if (kline.openMs < earliestMs || kline.openMs >= range.endMs)
      throw new CdvaultError(
        'EXCHANGE_BAD_PAGE',
        `${request}: the minute ${kline.openMs} is outside ${earliestMs} (inclusive) to ${range.endMs} (exclusive)`,
      );
    earliestMs = kline.openMs + MINUTE_MS;
    return kline;
  });
}

function toKline(fields: z.infer<typeof row>, request: string): Kline {
  const [openMs, open, high, low, close, volume, lastMs, ...sums] = fields;
  const [quoteVolume, trades, takerBuyVolume, takerBuyQuoteVolume] = sums;
  // The last millisecond of a minute belongs to it. The check also distinguishes ms from µs.
  if (openMs % MINUTE_MS !== 0 || lastMs !== openMs + MINUTE_MS - 1)
    throw new CdvaultError(
      'EXCHANGE_BAD_BODY',
      `${request}: a kline from ${openMs} to ${lastMs} is not one minute in ms`,
    );
  return {
    openMs,
    open,
    high,
    low,
    close,
    volume,
    takerBuyVolume,
    quoteVolume,
    takerBuyQuoteVolume,
    trades,
  };
}
