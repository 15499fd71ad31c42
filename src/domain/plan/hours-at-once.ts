/**
 * How many hours a worker fetches at a time: one more while all are in use and nothing is at its limit, a
 * quarter less when something is over it. With additive increase and multiplicative decrease, workers that
 * share a limit come to equal parts of it.
 */

export const HOURS_AT_ONCE = { least: 1, first: 8, most: 64 } as const;

export const LIMIT_NAMES = ['weight', 'thread', 'cores', 'memory', 'store'] as const;
/** What may limit a worker. */
export type Limit = (typeof LIMIT_NAMES)[number];

/** What was measured since the last look, or over the time of a window. Parts are from 0 to 1. */
export interface Load {
  /** Whether as many hours were in work as may be. */
  readonly isFull: boolean;
  /** Part of the time of the hours that they waited for request weight, over a window. */
  readonly weight: number;
  /** False until a whole window has been measured since the last decrease. */
  readonly isWeightSure: boolean;
  /** Part of the time that the thread of this process was busy. */
  readonly thread: number;
  /** Part of the time that the cores of the machine were busy, with this process or others. */
  readonly cores: number;
  /** Part of the memory that is used. */
  readonly memory: number;
  /** Transactions that the store has acknowledged and not applied; undefined when it was not to be asked. */
  readonly store: number | undefined;
}

export interface HoursChange {
  readonly hours: number;
  /** undefined: nothing is at its limit. */
  readonly limit: Limit | undefined;
}

/**
 * `at`: no increase from here on. `over`: decrease. Between them the number stays, so that it settles.
 *
 * When hours wait for weight for six tenths of their time, less than half of them would do. The cores of a machine may be busy with the
 * store, or with other programs: fewer hours need not change that. A garbage collection frees memory late.
 * An hour of a series is a few transactions.
 */
const LIMITS: Readonly<Record<Limit, { readonly at: number; readonly over: number }>> = {
  weight: { at: 0.1, over: 0.6 },
  thread: { at: 0.85, over: 0.97 },
  cores: { at: 0.9, over: Infinity },
  memory: { at: 0.85, over: 0.95 },
  store: { at: 200, over: 1_000 },
};

const DECREASE = 0.75;

/** The number of hours after a look at the load. */
export function nextHours(hours: number, load: Load): HoursChange {
  const over = LIMIT_NAMES.find(
    (name) => isSure(name, load) && valueOf(name, load) >= LIMITS[name].over,
  );
  if (over !== undefined)
    return { hours: Math.max(HOURS_AT_ONCE.least, Math.floor(hours * DECREASE)), limit: over };
  // Of a store that does not answer, nothing is known: no more hours until it does.
  const at = LIMIT_NAMES.find((name) => isAtLimit(name, hours, load));
  if (at !== undefined || !load.isFull) return { hours, limit: at };
  return { hours: Math.min(HOURS_AT_ONCE.most, hours + 1), limit: undefined };
}

/** One more of few hours is much more work for the thread. */
function isAtLimit(name: Limit, hours: number, load: Load): boolean {
  const value = valueOf(name, load);
  const { at, over } = LIMITS[name];
  return value >= at || (name === 'thread' && (value * (hours + 1)) / hours >= over);
}

function isSure(name: Limit, load: Load): boolean {
  return name === 'weight' ? load.isWeightSure : name !== 'store' || load.store !== undefined;
}

function valueOf(name: Limit, load: Load): number {
  return name === 'store' ? (load.store ?? LIMITS.store.at) : load[name];
}
