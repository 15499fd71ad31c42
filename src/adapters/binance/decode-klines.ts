import { z } from 'zod';
import { CdvaultError } from '../../domain/errors.ts';
import { MINUTE_MS, type TimeRange } from '../../domain/time/hour.ts';
import type { Kline } from '../../ports/trade-source.ts';

/** Plain decimals as the exchange writes them: no sign, no exponent. */
const decimal = z.string().regex(/^\d{1,30}(?:\.\d{1,16})?$/);

/** The exchange's list of twelve; the last field says nothing and may go. */
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
 * Minutes of a klines reply. Whether silent minutes are among them is the exchange's choice: the
 * caller must bear both.
 * @param range whole minutes, those that were asked for
 * @throws CdvaultError EXCHANGE_BAD_BODY for a row that is not one minute's, EXCHANGE_BAD_PAGE when a
 *   minute repeats, falls behind, or was not asked for
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
        `${request}: the minute ${kline.openMs} where one from ${earliestMs} on and before ${range.endMs} belongs`,
      );
    earliestMs = kline.openMs + MINUTE_MS;
    return kline;
  });
}

function toKline(fields: z.infer<typeof row>, request: string): Kline {
  const [openMs, open, high, low, close, volume, lastMs, ...sums] = fields;
  const [quoteVolume, trades, takerBuyVolume, takerBuyQuoteVolume] = sums;
  // Its last millisecond is within it, which also tells milliseconds from microseconds.
  if (openMs % MINUTE_MS !== 0 || lastMs !== openMs + MINUTE_MS - 1)
    throw new CdvaultError(
      'EXCHANGE_BAD_BODY',
      `${request}: a kline from ${openMs} to ${lastMs} is not of one minute in ms`,
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
