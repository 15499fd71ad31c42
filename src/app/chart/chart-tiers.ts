import { TIER_INTERVALS } from '../../domain/bars/tier.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { Series } from '../../domain/market.ts';
import type { ExactBar, ExactTierBar, StoredBars } from '../../ports/bar-store.ts';
import type {
  BarsQuestion,
  ShownBar,
  ShownTierBar,
  ShowRequest,
  TiersPage,
} from '../../ports/chart-data.ts';
import { showBars, type ShowDeps } from '../bars/show-bars.ts';
import { assertStored } from './assert-stored.ts';
import { assertFewRead, type BarsDeps, firstPart, MAX_BARS, tagOf } from './chart-bars.ts';

export interface TiersDeps extends BarsDeps {
  readonly bars: BarsDeps['bars'] & Pick<StoredBars, 'tierBars' | 'tiers'>;
}

/**
 * Bars of each tier, by the rules of all bars.
 * @throws CdvaultError USAGE when a bar straddles the anchor, or for the anchor `total`
 */
export function askTiers(
  deps: TiersDeps,
  series: Series,
  asked: ShowRequest,
  tier: number | undefined,
): BarsQuestion<TiersPage> {
  if (asked.anchor.kind === 'total') {
    throw new CdvaultError('USAGE', 'tiers have no continuous level', {
      advice: 'Use another anchor, such as day, from or an instant.',
    });
  }
  const rowsABar = tier === undefined ? Math.max(1, deps.bars.tiers.length) : 1;
  const limit = Math.floor(MAX_BARS / rowsABar);
  const part = firstPart(deps, { ...asked, stored: TIER_INTERVALS }, limit);
  const { request, next, plan } = part;
  // The rows of all tiers are read, whichever is asked for.
  assertFewRead(plan, Math.max(1, deps.bars.tiers.length));
  return {
    tag: () => tagOf(deps, series, request, plan),
    sql() {
      if (tier !== undefined) return deps.reads.barsStatement(series, request, plan, tier);
      throw new CdvaultError('USAGE', 'a statement gives the bars of one tier', {
        advice: 'Name it, as in tier=0, or ask without sql=true.',
      });
    },
    async read() {
      await assertStored(deps, series);
      const interval = TIER_INTERVALS.find((one) => one === plan.stored) ?? '1m';
      const stored = await deps.bars.tierBars(series, interval, plan.read);
      const byTier = Map.groupBy(stored, (bar) => bar.tier);
      const tiers = [...byTier.keys()].toSorted((left, right) => left - right);
      const bars: ShownTierBar[] = [];
      const source = ofOneRead(deps);
      for (const one of tiers.filter((bound) => tier === undefined || bound === tier)) {
        const ofTier = (byTier.get(one) ?? []).map(asBar);
        const bounded = { ...source, bars: { ...source.bars, bars: async () => ofTier } };
        const shown = await showBars(bounded, series, request, deps.clock.nowMs());
        bars.push(...shown.bars.map((bar) => ofTierBar(bar, one)));
      }
      return { bars: bars.toSorted(byTimeAndTier), tiers, next };
    },
  };
}

/** Reads the ledger and the days once for all tiers. */
function ofOneRead({ bars, ledger, zones }: TiersDeps): ShowDeps {
  let records: ReturnType<typeof ledger.records> | undefined;
  let days: ReturnType<typeof bars.days> | undefined;
  return {
    zones,
    ledger: { records: (series, range) => (records ??= ledger.records(series, range)) },
    bars: {
      bars: (series, interval, range) => bars.bars(series, interval, range),
      midnightBases: (series, range) => bars.midnightBases(series, range),
      days: (series, range) => (days ??= bars.days(series, range)),
    },
  };
}

/** Tiers have no prices, ids and worth. */
function asBar({ tier: _tier, ...bar }: ExactTierBar): ExactBar {
  return {
    ...bar,
    quoteDelta: undefined,
    quoteVolume: undefined,
    buyAggTrades: undefined,
    buyTrades: undefined,
    priceOpen: undefined,
    priceHigh: undefined,
    priceLow: undefined,
    priceClose: undefined,
    firstId: undefined,
    lastId: undefined,
  };
}

function ofTierBar(bar: ShownBar, tier: number): ShownTierBar {
  const { openMs, endMs, open, high, low, close, delta, buyVolume, sellVolume } = bar;
  const { aggTrades, trades, status, levelFromMs, levelMissing } = bar;
  const levels = { openMs, endMs, tier, open, high, low, close, delta, buyVolume, sellVolume };
  return { ...levels, aggTrades, trades, status, levelFromMs, levelMissing };
}

function byTimeAndTier(left: ShownTierBar, right: ShownTierBar): number {
  return left.openMs - right.openMs || left.tier - right.tier;
}
