import type { MidnightBase } from '../../domain/bars/chain.ts';
import { formatDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import { isoDay } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import type { BarStore, RestatementRow } from '../../ports/bar-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Leases } from '../../ports/lease.ts';
import type { SeriesCatalogue } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import { chainLease, OWNED_WRITE_MS } from '../leases.ts';
import { dueBasesFrom } from './midnight-bases.ts';

export interface ChainDeps {
  readonly bars: BarStore;
  readonly catalogue: SeriesCatalogue;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Updates the midnight bases of a series from its days. Reads days from the first break on, and writes only bases that differ; a change of a base
 * that had no missing ids is recorded as a restatement.
 */
export async function chainDays(
  deps: ChainDeps,
  series: Series,
  signal: AbortSignal,
): Promise<'chained' | 'fresh' | 'busy'> {
  const lease = await deps.leases.tryAcquire(chainLease(series), signal);
  if (lease === undefined) return 'busy';
  try {
    const facts = await deps.catalogue.find(series);
    const [broken] = await deps.bars.chainBreaks(series);
    if (facts === undefined || broken === undefined) return 'fresh';
    const { due, stored } = await dueBasesFrom(deps, broken, facts.originMs);
    if (due.length === 0) return 'fresh';
    const moved = due.filter((base) => isRestated(stored.get(base.dayMs), base));
    signal.throwIfAborted();
    await lease.assertHeld(OWNED_WRITE_MS);
    const first = moved[0];
    if (first !== undefined)
      await deps.bars.restate(series, [
        restatement(deps, series, { old: stored.get(first.dayMs), base: first }, moved.length),
      ]);
    await deps.bars.writeMidnightBases(series, facts.originMs, due);
    return 'chained';
  } finally {
    await lease.release();
  }
}

/** A base with missing ids was known to be incomplete, so its change is no restatement. */
function isRestated(old: MidnightBase | undefined, now: MidnightBase): boolean {
  return old?.missing === 0 && old.baseE8 !== now.baseE8;
}

function restatement(
  deps: ChainDeps,
  series: Series,
  { old, base }: { readonly old: MidnightBase | undefined; readonly base: MidnightBase },
  count: number,
): RestatementRow {
  const row: RestatementRow = {
    hourMs: base.dayMs,
    what: 'anchor',
    oldLevel: old === undefined ? undefined : formatDecimal(old.baseE8, QTY_SCALE),
    newLevel: formatDecimal(base.baseE8, QTY_SCALE),
    reason: `continuous levels from ${isoDay(base.dayMs)} on changed (${count} midnights): earlier trades were added or changed`,
    seenAtMs: deps.clock.nowMs(),
  };
  deps.log.warn(
    {
      symbol: series.symbol,
      day: isoDay(base.dayMs),
      oldLevel: row.oldLevel,
      newLevel: row.newLevel,
    },
    row.reason,
  );
  return row;
}
