import { type Bar, rollUp } from '../../domain/bars/bar.ts';
import { type Contract, worthText } from '../../domain/bars/contract.ts';
import { barStatus, type DayInputs } from '../../domain/bars/day.ts';
import { type Finding, listed } from '../../domain/proof/finding.ts';
import { DAY_MS, floorTo, HOUR_MS, type TimeRange } from '../../domain/time/hour.ts';
import { INTERVAL_MS, type Interval, INTERVALS } from '../../domain/time/interval.ts';
import type { Series } from '../../domain/market.ts';
import { TIER_INTERVALS } from '../../domain/bars/tier.ts';
import type { ExactBar, ExactTierBar, StoredBars } from '../../ports/bar-store.ts';

/** A day as computed from its stored trades. */
interface ComputedDay {
  readonly day: DayInputs;
  readonly minutes: readonly Bar[];
  /** By tier, in the order of the bounds. */
  readonly tiers: readonly (readonly Bar[])[];
  readonly contract: Contract | undefined;
}

/**
 * Compares a day's stored bars at every interval, and those of each tier, exactly, with bars computed
 * from the trades.
 * @param computed minute bars of all trades and of each tier, computed from the stored trades outside the
 *   database
 * @param asked bars that contain a minute of this range are counted; those of the whole day are compared
 */
export async function verifyBars(
  bars: Pick<StoredBars, 'bars' | 'tiers' | 'tierBars'>,
  series: Series,
  { day, minutes, tiers, contract }: ComputedDay,
  asked: TimeRange,
): Promise<{ readonly compared: number; readonly findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  let compared = 0;
  const range = { startMs: day.dayMs, endMs: day.dayMs + DAY_MS };
  const rolledUp = (from: readonly Bar[], interval: Interval) =>
    [...rollUp(from, INTERVAL_MS[interval])].map((bar) => exactBar(bar, day, interval, contract));
  const countAsked = (wanted: readonly { readonly openMs: number }[], interval: Interval) =>
    wanted.filter(
      ({ openMs }) => openMs < asked.endMs && openMs + INTERVAL_MS[interval] > asked.startMs,
    ).length;
  for (const interval of INTERVALS) {
    const wanted = rolledUp(minutes, interval);
    findings.push(...differences(interval, wanted, await bars.bars(series, interval, range)));
    compared += countAsked(wanted, interval);
  }
  for (const interval of TIER_INTERVALS) {
    const stored = Map.groupBy(await bars.tierBars(series, interval, range), ({ tier }) => tier);
    for (const [index, tier] of bars.tiers.entries()) {
      const wanted = rolledUp(tiers[index] ?? [], interval).map((bar) => tierBar(bar, tier));
      const name = `${interval} tier ${tier}`;
      findings.push(...differences(name, wanted, stored.get(tier) ?? []));
      compared += countAsked(wanted, interval);
    }
  }
  return { compared, findings };
}

function exactBar(
  bar: Bar,
  day: DayInputs,
  interval: Interval,
  contract: Contract | undefined,
): ExactBar {
  const { openMs } = bar;
  const spanMs = Math.max(HOUR_MS, INTERVAL_MS[interval]);
  const hourMs = floorTo(openMs, HOUR_MS);
  const missing = day.hours
    .filter((hour) => hour.hourMs >= hourMs && hour.hourMs < hourMs + spanMs)
    .map(({ levelMissing }) => levelMissing ?? 0);
  return {
    ...worthText(bar, contract),
    status: barStatus(day, hourMs, spanMs),
    levelFromMs: day.levelFromMs,
    levelMissing: day.missing === undefined ? undefined : Math.max(0, ...missing),
  };
}

function tierBar(bar: ExactBar, tier: number): ExactTierBar {
  const { openMs, open, high, low, close, delta, buyVolume, sellVolume, aggTrades, trades } = bar;
  const { status, levelFromMs, levelMissing } = bar;
  const levels = { open, high, low, close, delta, buyVolume, sellVolume };
  return { openMs, tier, ...levels, aggTrades, trades, status, levelFromMs, levelMissing };
}

/** @param name name of the bars in findings */
function differences<Shape extends Pick<ExactBar, 'openMs'> & Partial<ExactBar>>(
  name: string,
  wanted: readonly Shape[],
  stored: readonly Shape[],
): Finding[] {
  const byOpen = new Map(stored.map((bar) => [bar.openMs, bar]));
  const found: Finding[] = [];
  for (const bar of wanted) {
    const other = byOpen.get(bar.openMs);
    byOpen.delete(bar.openMs);
    const detail = other === undefined ? 'is missing' : columnsThatDiffer(bar, other);
    if (detail !== undefined)
      found.push({ kind: 'bar_differs', atMs: bar.openMs, detail: `${name} bar ${detail}` });
  }
  for (const { openMs } of byOpen.values())
    found.push({
      kind: 'bar_differs',
      atMs: openMs,
      detail: `${name} bar exists although no trade is known`,
    });
  return listed(found, `${name} bars`);
}

function columnsThatDiffer<Shape extends Partial<ExactBar>>(
  wanted: Shape,
  stored: Shape,
): string | undefined {
  const names = (Object.keys(wanted) as (keyof Shape & string)[]).filter(
    (name) => wanted[name] !== stored[name],
  );
  if (names.length === 0) return undefined;
  return names
    .map(
      (name) =>
        `${name} is ${String(stored[name] ?? '-')}, the trades give ${String(wanted[name] ?? '-')}`,
    )
    .join('; ');
}
