import { marketName, type Series } from '../../domain/market.ts';
import { HOUR_MS, MINUTE_MS } from '../../domain/time/hour.ts';
import type {
  AlertMessage,
  AlertRule,
  AlertStates,
  RuleState,
  SendAlert,
} from '../../ports/alerts.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Leases } from '../../ports/lease.ts';
import type { Log } from '../../ports/log.ts';
import type { Watch, WatchedFacts } from '../../ports/watch.ts';
import { nextState } from './alert-state.ts';

const LOOK_MS = MINUTE_MS;
/** As the rule of Grafana says. */
const BEHIND_MS = 3 * HOUR_MS;
const MOST_NAMES = 50;

/** How long each must be wrong before it is told, as in Grafana's rules. */
const FOR_MS: Readonly<Record<AlertRule, number>> = {
  hole: 10 * MINUTE_MS,
  behind: 10 * MINUTE_MS,
  suspended: MINUTE_MS,
  banned: 0,
  store: 5 * MINUTE_MS,
};

const TEXTS: Readonly<Record<AlertRule, (count: number) => string>> = {
  hole: (count) => `${count} series have hours that are a gap or were never fetched`,
  behind: (count) => `${count} scheduled series are more than 3 hours behind`,
  suspended: (count) =>
    `QuestDB has suspended ${count} tables: what is written to them is not seen`,
  banned: (count) => `the exchange has banned this address on ${count} markets`,
  store: () => 'QuestDB does not answer',
};

export interface AlertDeps {
  readonly watch: Pick<Watch, 'facts'>;
  readonly states: AlertStates;
  readonly leases: Leases;
  readonly send: SendAlert;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
}

/**
 * Tells what stays wrong, once for each change of state. Every worker looks; a lease lets one of them tell.
 * A message that is not delivered is sent again at the next look.
 * @returns when the signal is aborted
 */
export async function keepAlerting(deps: AlertDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await lookForAlerts(deps, signal);
    } catch (error) {
      if (!signal.aborted) deps.log.warn({ error }, 'could not look for alerts; trying again');
    }
    await deps.clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
}

/** One look at all rules. */
export async function lookForAlerts(deps: AlertDeps, signal: AbortSignal): Promise<void> {
  const lease = await deps.leases.tryAcquire('alerts', signal);
  if (lease === undefined) return;
  try {
    const facts = await deps.watch.facts();
    for (const rule of Object.keys(FOR_MS) as AlertRule[]) {
      const names = wrongNames(rule, facts);
      if (names !== undefined) await step(deps, rule, names, signal);
    }
  } finally {
    await lease.release();
  }
}

async function step(
  { states, send, clock, log, version }: AlertDeps,
  rule: AlertRule,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const nowMs = clock.nowMs();
  const before = await states.read(rule);
  const { state, tell } = nextState(before, names, { nowMs, forMs: FOR_MS[rule] });
  if (tell === undefined) return states.write(rule, state);
  try {
    await send(messageOf(rule, tell, { before, state, nowMs, version }), signal);
    await states.write(rule, state);
  } catch (error) {
    if (signal.aborted) throw error;
    // What was told stays as it was, so the next look sends it again.
    await states.write(rule, { told: [], toldMs: 0, ...before, since: state.since });
    log.warn({ rule, error }, 'an alert was not delivered; trying again in a minute');
  }
}

function messageOf(
  rule: AlertRule,
  state: AlertMessage['state'],
  step: {
    readonly before: RuleState | undefined;
    readonly state: RuleState;
    readonly nowMs: number;
    readonly version: string;
  },
): AlertMessage {
  const names = state === 'firing' ? step.state.told : (step.before?.told ?? []);
  const since = { ...step.before?.since, ...step.state.since };
  const listed = names
    .map((name) => ({ name, sinceMs: since[name] ?? step.nowMs }))
    .toSorted((left, right) => left.sinceMs - right.sinceMs);
  return {
    type: 'cdvault.alert',
    rule,
    state,
    at: new Date(step.nowMs).toISOString(),
    text:
      state === 'firing' ? TEXTS[rule](names.length) : `no longer: ${TEXTS[rule](names.length)}`,
    names: listed
      .slice(0, MOST_NAMES)
      .map(({ name, sinceMs }) => ({ name, since: new Date(sinceMs).toISOString() })),
    count: names.length,
    version: step.version,
  };
}

/** What is wrong by one rule; undefined when that is not known, and what was told stays as it is. */
function wrongNames(rule: AlertRule, facts: WatchedFacts): readonly string[] | undefined {
  const { store, coverage, lags, exchange } = facts;
  switch (rule) {
    case 'hole':
      if (!coverage.known) return undefined;
      return coverage.value.filter(({ gap, unknown }) => gap + unknown > 0).map(nameOf);
    case 'behind':
      if (!lags.known) return undefined;
      return lags.value.filter(({ lagMs }) => lagMs > BEHIND_MS).map(nameOf);
    case 'suspended':
      if (!store.known) return undefined;
      return store.value.tables.filter(({ isSuspended }) => isSuspended).map(({ name }) => name);
    case 'banned':
      if (!exchange.known) return undefined;
      return exchange.value
        .filter(({ pause }) => pause?.reason === 'banned')
        .map(({ market }) => marketName(market));
    case 'store':
      return store.known ? [] : ['QuestDB'];
    default:
      return rule satisfies never;
  }
}

function nameOf({ market, symbol }: Series): string {
  return `${marketName(market)}:${symbol}`;
}
