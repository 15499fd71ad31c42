/** What can stay wrong. */
export type AlertRule = 'hole' | 'behind' | 'suspended' | 'banned' | 'store';

/** What was told of a rule, kept where all workers see it. */
export interface RuleState {
  /** Epoch ms since when each name has been wrong without a break. */
  readonly since: Readonly<Record<string, number>>;
  /** Names in the last message; empty: nothing is told to be wrong. */
  readonly told: readonly string[];
  readonly toldMs: number;
}

export interface AlertStates {
  /** @throws CdvaultError REDIS_UNREACHABLE, REDIS_REFUSED */
  read(rule: AlertRule): Promise<RuleState | undefined>;
  write(rule: AlertRule, state: RuleState): Promise<void>;
}

/** A change of state, as it is sent. */
export interface AlertMessage {
  readonly type: 'cdvault.alert';
  readonly rule: AlertRule;
  readonly state: 'firing' | 'resolved';
  /** ISO text. */
  readonly at: string;
  /** A sentence for people. */
  readonly text: string;
  /** What is wrong, oldest first; at most MOST_NAMES. */
  readonly names: readonly { readonly name: string; readonly since: string }[];
  readonly count: number;
  readonly version: string;
}

/** Delivers one message. @throws CdvaultError ALERT_REFUSED */
export type SendAlert = (message: AlertMessage, signal: AbortSignal) => Promise<void>;
