import type { ErrorCode } from '../../domain/error-catalogue.ts';
import type { GovernorState, PauseReason } from '../../ports/weight-governor.ts';
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

export function weight({ usedWeight, weightLimit, windowMs }: GovernorState): Verdict {
  if (weightLimit === 0) return skipped('the limit is not known before the first request');
  const figures = { usedWeight, weightLimit, windowMs };
  const fact = `${numberText(usedWeight)} of ${numberText(weightLimit)} used in this window`;
  return usedWeight < NEARLY_USED * weightLimit
    ? ok(fact, figures)
    : warn(fact, 'Lower CDVAULT_WEIGHT_SHARE: other programs use this address too', figures);
}
