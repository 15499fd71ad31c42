import { type DayInputs, dayInputs, inputRange } from '../../domain/bars/day.ts';
import { firstChangedHour, hoursIn } from '../../domain/bars/first-change.ts';
import type { Contract } from '../../domain/bars/contract.ts';
import type { CdvaultError } from '../../domain/errors.ts';
import type { SliceRecord } from '../../domain/proof/ledger.ts';
import { DAY_MS } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import type { BarStore, DayToWrite, RestatementRow, StoredDay } from '../../ports/bar-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Lease, Leases } from '../../ports/lease.ts';
import type { Ledger, SeriesCatalogue } from '../../ports/ledger.ts';
import type { TradeSource } from '../../ports/trade-source.ts';
import { pinnedContract } from '../contract-size.ts';
import { barsLease } from '../leases.ts';

export interface PrepareDeps {
  readonly bars: BarStore;
  readonly ledger: Ledger;
  readonly catalogue: SeriesCatalogue;
  /** Asked once, for the size of a contract. */
  readonly source: TradeSource;
  readonly leases: Leases;
  readonly clock: Clock;
}

/** Days of one series whose bars are asked for. */
export interface WantedBars {
  readonly series: Series;
  /** Oldest first, at least one. */
  readonly days: readonly number[];
}

/** `busy`: another worker builds one of the days. A CdvaultError when the build of these days failed. */
export type BuildOutcome = 'built' | 'fresh' | 'nothing_known' | 'busy' | CdvaultError;

/** A day whose bars are due. */
export interface DueDay {
  readonly day: DayInputs;
  readonly records: ReadonlyMap<number, SliceRecord>;
  readonly before: StoredDay | undefined;
}

/** The due days of one series, while they are built. */
export class SeriesBuild {
  readonly series: Series;
  readonly lease: Lease;
  readonly days: readonly DueDay[];
  readonly contract: Contract | undefined;
  readonly restated: RestatementRow[] = [];
  outcome: BuildOutcome;

  constructor(
    { series, lease }: { readonly series: Series; readonly lease: Lease },
    days: readonly DueDay[],
    contract: Contract | undefined,
    outcome: BuildOutcome,
  ) {
    this.series = series;
    this.lease = lease;
    this.days = days;
    this.contract = contract;
    this.outcome = outcome;
  }

  get isFailed(): boolean {
    return typeof this.outcome === 'object';
  }
}

/** Takes the lease of the days and finds out which of them are due. */
export async function prepareBuild(
  deps: PrepareDeps,
  { series, days }: WantedBars,
  signal: AbortSignal,
): Promise<'busy' | SeriesBuild> {
  const names = days.map((dayMs) => barsLease(series, dayMs));
  const lease = await deps.leases.tryAcquire(names, signal);
  if (lease === undefined) return 'busy';
  try {
    const { due, isKnown } = await dueDays(deps, series, days);
    const contract = due.length === 0 ? undefined : await pinnedContract(deps, series, signal);
    const outcome = due.length > 0 ? 'built' : isKnown ? 'fresh' : 'nothing_known';
    return new SeriesBuild({ series, lease }, due, contract, outcome);
  } catch (error) {
    await lease.release();
    throw error;
  }
}

async function dueDays(
  { ledger, bars }: PrepareDeps,
  series: Series,
  days: readonly number[],
): Promise<{ readonly due: readonly DueDay[]; readonly isKnown: boolean }> {
  const [startMs, lastMs] = [days[0] ?? 0, days.at(-1) ?? 0];
  const found = await ledger.records(series, { ...inputRange(lastMs), startMs });
  const stored = await bars.days(series, { startMs, endMs: lastMs + DAY_MS });
  const due: DueDay[] = [];
  let isKnown = false;
  for (const dayMs of days) {
    const range = inputRange(dayMs);
    const records = found.filter(({ hourMs }) => hourMs >= range.startMs && hourMs < range.endMs);
    const day = dayInputs(dayMs, records);
    if (day === undefined) continue;
    isKnown = true;
    const before = stored.find((one) => one.dayMs === dayMs);
    if (before?.isCurrent === true && before.inputs === day.inputs) continue;
    due.push({ day, before, records: new Map(records.map((record) => [record.hourMs, record])) });
  }
  return { due, isKnown };
}

/**
 * Which bars of a day to write, and whether an earlier build may have left others. Only a valid stamp says
 * what is stored. A contract size may have become known since then, which changes every bar.
 */
export function changedPart(
  before: StoredDay | undefined,
  day: DayInputs,
  contract: Contract | undefined,
): Pick<DayToWrite, 'fromMs' | 'mayHaveLeft'> {
  if (before === undefined) return { fromMs: day.dayMs, mayHaveLeft: false };
  const isTrusted = before.isCurrent && before.inputs !== '' && contract === undefined;
  if (!isTrusted) return { fromMs: day.dayMs, mayHaveLeft: true };
  const fromMs = firstChangedHour(before.inputs, day) ?? day.dayMs;
  // Also in proven hours, a tier may no longer trade in a minute in which it did.
  const mayHaveLeft = [...hoursIn(before.inputs, day.dayMs)].some((hourMs) => hourMs >= fromMs);
  return { fromMs, mayHaveLeft };
}
