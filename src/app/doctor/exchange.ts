import type { ErrorCode } from '../../domain/error-catalogue.ts';
import type { GovernorState, PauseReason } from '../../ports/weight-governor.ts';
import type { RegisteredWorker } from '../../ports/worker-register.ts';
import { fail, ok, skipped, type Verdict, warn } from './check.ts';
import { numberText, timeText } from './wording.ts';

/** cdvault allows for the difference when it counts weight; times in its log and `now` are wrong by it. */
const SKEW_WARN_MS = 1_000;

/** An hour counts as closed two minutes after its end by the machine's clock: half of that. */
const SKEW_FAIL_MS = 60_000;

export function clock({
  offsetMs,
  uncertaintyMs,
}: {
  readonly offsetMs: number;
  readonly uncertaintyMs: number;
}): Verdict {
  const figures = { offsetMs: Math.round(offsetMs), uncertaintyMs: Math.round(uncertaintyMs) };
  const sureMs = Math.max(0, Math.abs(offsetMs) - uncertaintyMs);
  const fact = `answers; this clock is ${timeText(Math.abs(offsetMs))} ${offsetMs > 0 ? 'behind' : 'ahead'}`;
  const cure = 'Synchronise the clock of this machine: timedatectl set-ntp true';
  if (sureMs >= SKEW_FAIL_MS) return fail(fact, cure, figures);
  return sureMs >= SKEW_WARN_MS ? warn(fact, cure, figures) : ok(fact, figures);
}

/** What to do about each pause; those with a code do not end within a minute. */
const PAUSES: Readonly<
  Record<PauseReason, { readonly cure: string; readonly code: ErrorCode | undefined }>
> = {
  rate_limited: {
    cure: 'Wait; if it returns, lower CDVAULT_WEIGHT_SHARE',
    code: undefined,
  },
  banned: { cure: 'Wait until then: cdvault asks nothing before', code: 'EXCHANGE_BANNED' },
  blocked: {
    cure: 'Lower CDVAULT_WEIGHT_SHARE; look for other programs on this address',
    code: 'EXCHANGE_BLOCKED',
  },
  restricted: {
    cure: 'Spot: set BINANCE_SPOT_URL=https://data-api.binance.vision',
    code: 'EXCHANGE_RESTRICTED',
  },
};

/**
 * @param paused as Redis has it
 * @param bannedUntilMs as the store has it, which outlives Redis
 */
export function access(
  paused: GovernorState['pause'],
  bannedUntilMs: number,
  nowMs: number,
): Verdict {
  const isBanned = bannedUntilMs > nowMs;
  const pause = isBanned ? { reason: 'banned' as const, untilMs: bannedUntilMs } : paused;
  if (pause === undefined) return ok('no ban, no pause');
  const until = new Date(pause.untilMs).toISOString();
  const figures = { reason: pause.reason, until };
  const fact = `${pause.reason.replace('_', ' ')} until ${until.slice(0, 19)}Z`;
  const { cure, code } = PAUSES[pause.reason];
  return code === undefined ? warn(fact, cure, figures) : fail(fact, cure, figures, code);
}

/** Whether a question may be sent. */
export function isQuiet(access: Verdict): boolean {
  return access.state !== 'ok';
}

const NEARLY_USED = 0.9;

/** @param others addresses that workers of other hosts ask from */
export function weight(
  { usedWeight, weightLimit, windowMs }: GovernorState,
  others: readonly (Pick<GovernorState, 'usedWeight' | 'weightLimit'> & {
    readonly egress: string;
  })[] = [],
): Verdict {
  if (weightLimit === 0) return skipped('the limit is not known before the first request');
  const figures = { usedWeight, weightLimit, windowMs };
  const texts = [
    `${numberText(usedWeight)} of ${numberText(weightLimit)} used in this window`,
    ...others.map((one) => `${numberText(one.usedWeight)} at the address ${one.egress}`),
  ];
  const fact = texts.join(', ');
  return [{ usedWeight, weightLimit }, ...others].every(
    (one) => one.usedWeight < NEARLY_USED * one.weightLimit || one.weightLimit === 0,
  )
    ? ok(fact, figures)
    : warn(fact, 'Lower CDVAULT_WEIGHT_SHARE: other programs use this address too', figures);
}

/**
 * Two names of one address: each has a whole budget, and together they use more than the exchange allows. A
 * relay or a second network card may make it seem so.
 */
export function egressNames(workers: readonly RegisteredWorker[]): Verdict {
  const names = new Set(workers.map(({ egress }) => egress));
  const figures = { names: names.size, workers: workers.length };
  const direct = workers.filter(({ isProxied }) => !isProxied);
  const places = [
    ...Map.groupBy(direct, ({ host }) => host),
    ...Map.groupBy(
      direct.filter(({ from }) => from !== '' && !isLoopback(from)),
      ({ from }) => from,
    ),
  ];
  const doubtful = places.find(([, there]) => new Set(there.map(({ egress }) => egress)).size > 1);
  if (doubtful === undefined)
    return ok(names.size === 0 ? 'no worker' : [...names].join(', '), figures);
  const [place, there] = doubtful;
  const shared = [...new Set(there.map(({ egress }) => egress))].join(' and ');
  return warn(
    `workers at ${place} call their address ${shared}`,
    'If it is one address, set the same CDVAULT_EGRESS: the exchange counts them together',
    figures,
  );
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '[::1]';
}
