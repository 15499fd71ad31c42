import { createDistilledCache } from '../../src/adapters/system/distilled-cache.ts';
import { distilledHours } from '../../src/app/bars/distilled-day.ts';
import type { Contract } from '../../src/domain/bars/contract.ts';
import { type DayInputs, dayInputs } from '../../src/domain/bars/day.ts';
import { dayBars } from '../../src/domain/bars/day-bars.ts';
import { createHourDistiller } from '../../src/domain/bars/distiller.ts';
import type { SliceRecord } from '../../src/domain/proof/ledger.ts';
import { claims } from '../../src/domain/proof/ledger.ts';
import type { Series } from '../../src/domain/market.ts';
import { DEFAULT_TIERS } from '../../src/domain/bars/tier.ts';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import type { DistilledHours } from '../../src/ports/distilled-hours.ts';
import { NEVER, type openStore } from './store.ts';
import { blockOf } from './trades.ts';

interface DayToBuild {
  readonly dayMs: number;
  readonly records: readonly SliceRecord[];
  readonly contract?: Contract;
}

/** A cache that has nothing: every hour is distilled again from the stored rows. */
export const NOTHING_KEPT: DistilledHours = { keep: () => undefined, find: () => undefined };

/**
 * A cache with the hours as their fetch distils them: the rows of each hour's run in id order, every other
 * hour from a block as from a file.
 */
export function keptHours(
  series: Series,
  trades: readonly AggTrade[],
  { records, contract }: DayToBuild,
): DistilledHours {
  const kept = createDistilledCache();
  for (const [index, record] of records.entries()) {
    const { hourMs, contentHash } = record;
    const distiller = createHourDistiller({ hourMs, tiers: DEFAULT_TIERS, contract });
    const run = trades
      .filter(({ aggId }) => claims(record, aggId))
      .toSorted((left, right) => left.aggId - right.aggId);
    if (index % 2 === 0) distiller.updateBlock(blockOf(run), 0, run.length);
    else for (const trade of run) distiller.update(trade);
    const hour = distiller.finish();
    const { market, symbol } = series;
    if (hour !== undefined)
      kept.keep({ market, symbol, hourMs, contentHash, tiers: DEFAULT_TIERS, contract }, hour);
  }
  return kept;
}

/** Computes and writes a day's bars as the job does, without its stamp. */
export async function buildDay(
  store: Pick<ReturnType<typeof openStore>, 'trades' | 'bars'>,
  series: Series,
  { dayMs, records, contract }: DayToBuild,
  distilled: DistilledHours = NOTHING_KEPT,
): Promise<DayInputs> {
  const day = dayInputs(dayMs, records);
  if (day === undefined) throw new Error('a day without hours');
  const byHour = new Map(records.map((record) => [record.hourMs, record]));
  const wanted = { day, records: byHour, tiers: store.bars.tiers, contract };
  const deps = { trades: store.trades, distilled };
  const hours = await distilledHours(deps, series, wanted, NEVER);
  const isUnknown = contract !== undefined && contract.size === undefined;
  const bars = dayBars(day, hours, isUnknown ? [] : store.bars.tiers);
  await store.bars.write(
    () => [{ series, day, bars, contract, fromMs: dayMs, mayHaveLeft: false }],
    NEVER,
  );
  return day;
}
