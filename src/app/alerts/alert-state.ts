import type { RuleState } from '../../ports/alerts.ts';

/** Names that come and go within this time are told together, so that a wave of them is not a storm. */
const GROUP_MS = 5 * 60_000;

const NOTHING: RuleState = { since: {}, told: [], toldMs: 0 };

export interface Step {
  readonly state: RuleState;
  /** What changed; undefined when there is nothing to tell. */
  readonly tell: 'firing' | 'resolved' | undefined;
}

/**
 * One look at a rule. `state.told` is what has been told once the message of this step is delivered.
 *
 * A name fires after it was wrong for `forMs` without a break:
 *   quiet → firing when a first name has been wrong for so long
 *   firing → firing when other names are wrong, at most every five minutes
 *   firing → resolved when no name is wrong any more
 * @param names what is wrong now
 */
export function nextState(
  before: RuleState = NOTHING,
  names: readonly string[],
  { nowMs, forMs }: { readonly nowMs: number; readonly forMs: number },
): Step {
  const since = Object.fromEntries(names.map((name) => [name, before.since[name] ?? nowMs]));
  const held = names.filter((name) => nowMs - (since[name] ?? nowMs) >= forMs).toSorted();
  const isTold = before.told.length > 0;
  if (isTold && names.length === 0)
    return { state: { since, told: [], toldMs: nowMs }, tell: 'resolved' };
  const isOther = held.length > 0 && held.join('\n') !== before.told.join('\n');
  const isDue = !isTold || nowMs - before.toldMs >= GROUP_MS;
  if (isOther && isDue) return { state: { since, told: held, toldMs: nowMs }, tell: 'firing' };
  return { state: { ...before, since }, tell: undefined };
}
