import { floorTo, HOUR_MS, lastClosedHourEnd, isoHour } from '../../domain/time/hour.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { firstAggId, type Series } from '../../domain/market.ts';
import {
  applyRule,
  type ListedSymbol,
  type RuleFindings,
  ruleText,
  type ScheduleRule,
} from '../../domain/plan/schedule-rule.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Leases } from '../../ports/lease.ts';
import type { SeriesFacts } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import type { MarketList, ScheduleRules } from '../../ports/schedule-rules.ts';
import type { TradeSource } from '../../ports/trade-source.ts';
import { dueDays, type PlanDeps } from '../plan/plan-series.ts';
import { changeSchedule } from '../plan/run-backfill.ts';

export interface RulesDeps extends PlanDeps {
  readonly rules: ScheduleRules;
  readonly source: MarketList & Pick<TradeSource, 'firstAtOrAfter'>;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Schedules what the rules cover now and ends the schedule of what they no longer cover. While the exchange
 * does not answer, series stay scheduled as they are.
 */
export async function followRules(deps: RulesDeps, signal: AbortSignal): Promise<void> {
  for (const rule of await deps.rules.all()) {
    try {
      await followRule(deps, rule, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CdvaultError)) throw error;
      deps.log.warn(
        { rule: ruleText(rule), code: error.code, error },
        'a rule of the schedule could not be applied; the next tick tries again',
      );
    }
  }
}

/** @returns the series that it covers now */
export async function followRule(
  deps: RulesDeps,
  rule: ScheduleRule,
  signal: AbortSignal,
): Promise<readonly Series[]> {
  const known = (await deps.catalogue.all()).filter(({ market }) => market === rule.market);
  const covered = coveredBy(rule, known);
  const { joining, leaving, ended, unusable } = await findings(deps, rule, covered, signal);
  if (unusable.length > 0)
    deps.log.warn(
      { rule: ruleText(rule), symbols: unusable },
      'the exchange lists symbols whose names cdvault does not take; they are not scheduled',
    );
  // Whoever has named a series decides about it.
  const named = new Set(
    known.filter((one) => isScheduled(one) && !covered.has(one.symbol)).map((one) => one.symbol),
  );
  for (const one of joining) if (!named.has(one.symbol)) await join(deps, rule, one, signal);
  for (const symbol of leaving) await leave(deps, rule, symbol, signal);
  for (const symbol of ended) {
    const facts = covered.get(symbol);
    if (facts !== undefined && (await isAtItsEnd(deps, facts)))
      await leave(deps, rule, symbol, signal);
  }
  return [...coveredBy(rule, await deps.catalogue.all()).values()];
}

/** The series that a rule would cover if it began now. */
export async function firstCovered(
  deps: Pick<RulesDeps, 'source'>,
  rule: Omit<ScheduleRule, 'fromMs'>,
  signal: AbortSignal,
): Promise<readonly Series[]> {
  const { joining } = await findings(deps, rule, new Map(), signal);
  return joining.map(({ symbol }) => ({ market: rule.market, symbol }));
}

/** Ends a rule, and the schedule of the series that it covers. @returns those series */
export async function endRule(
  deps: RulesDeps,
  rule: Pick<ScheduleRule, 'market' | 'quote'>,
  signal: AbortSignal,
): Promise<readonly Series[]> {
  // Before its series: a tick that comes meanwhile would schedule them again.
  await deps.rules.end(rule);
  const covered = [...coveredBy(rule, await deps.catalogue.all()).values()];
  for (const { market, symbol } of covered)
    await changeSchedule(deps, { market, symbol, fromMs: undefined }, signal);
  return covered;
}

const isScheduled = ({ scheduledFromMs }: SeriesFacts): boolean => scheduledFromMs !== undefined;

function coveredBy(
  { market, quote }: Pick<ScheduleRule, 'market' | 'quote'>,
  known: readonly SeriesFacts[],
): ReadonlyMap<string, SeriesFacts> {
  const covered = known.filter(
    (one) => isScheduled(one) && one.market === market && one.scheduledBy === quote,
  );
  return new Map(covered.map((one) => [one.symbol, one]));
}

async function findings(
  { source }: Pick<RulesDeps, 'source'>,
  rule: Omit<ScheduleRule, 'fromMs'>,
  covered: ReadonlyMap<string, SeriesFacts>,
  signal: AbortSignal,
): Promise<RuleFindings> {
  const { market, top } = rule;
  const listed = await source.listedSymbols(market, signal);
  const volumes = top === undefined ? new Map() : await source.quoteVolumes(market, signal);
  return applyRule(rule, { listed, volumes, covered: new Set(covered.keys()) });
}

async function join(
  deps: RulesDeps,
  rule: ScheduleRule,
  listed: ListedSymbol,
  signal: AbortSignal,
): Promise<void> {
  const series = { market: rule.market, symbol: listed.symbol };
  const fromMs = await startOf(deps, rule, listed, signal);
  // An hour that has not ended can't be planned; the next tick comes in an hour.
  if (fromMs === undefined) return;
  await changeSchedule(deps, { ...series, fromMs, by: rule.quote }, signal);
  deps.log.info(
    { symbol: listed.symbol, rule: ruleText(rule), from: isoHour(fromMs) },
    'schedule: a rule now covers the series',
  );
}

/** Where the rule begins, or the hour of the symbol's first trade; undefined when it has not traded yet. */
async function startOf(
  { source }: RulesDeps,
  { market, fromMs }: ScheduleRule,
  { symbol, listedMs }: ListedSymbol,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (listedMs !== undefined) return Math.max(fromMs, floorTo(listedMs, HOUR_MS));
  const first = await source.firstAtOrAfter({ market, symbol }, fromMs, 'ms', signal);
  if (first === undefined) return undefined;
  const isListing = first.aggId === firstAggId(market);
  return isListing ? Math.max(fromMs, floorTo(first.timeUs / 1000, HOUR_MS)) : fromMs;
}

async function leave(
  deps: RulesDeps,
  rule: ScheduleRule,
  symbol: string,
  signal: AbortSignal,
): Promise<void> {
  await changeSchedule(deps, { market: rule.market, symbol, fromMs: undefined }, signal);
  deps.log.info(
    { symbol, rule: ruleText(rule) },
    'schedule: a rule no longer covers the series; its data stay',
  );
}

/**
 * Whether all hours of a symbol that is no longer traded are proven, the last of them by the exchange's word that
 * no trade follows. The hour that closed last is left out: this tick is the first that can plan it.
 */
async function isAtItsEnd(deps: RulesDeps, facts: SeriesFacts): Promise<boolean> {
  const { market, symbol, scheduledFromMs: startMs = 0 } = facts;
  const series = { market, symbol };
  const endMs = lastClosedHourEnd(deps.clock.nowMs()) - HOUR_MS;
  const last = await deps.ledger.record(series, endMs - HOUR_MS);
  if (last?.endedAtMs === undefined || startMs >= endMs) return false;
  for await (const _ of dueDays(deps, series, { startMs, endMs })) return false;
  return true;
}
