import type { Fault } from '../exchange/faults.ts';
import { uniformOf, uniformSequence } from '../exchange/random.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import type { TradeSeries } from '../exchange/trade-series.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

/** Midnight of the first day. The clock starts when its first hour can be fetched. */
export const FIRST_DAY_MS = Date.UTC(2024, 8, 2);
export const START_MS = FIRST_DAY_MS + HOUR_MS + 3 * MINUTE_MS;

/** What a soak is made of; the same values make the same trades and the same faults. */
export interface Story {
  readonly seed: number;
  readonly symbols: number;
  readonly hours: number;
  readonly workers: number;
  readonly speed: number;
  /** Without any fault from here to the end, so that the last hours can be proven. */
  readonly calmHours: number;
  /** One fault of each kind in all, or some in every hour. */
  readonly faults: 'one of each' | 'every hour';
}

export interface SoakSymbol {
  readonly symbol: string;
  readonly trades: TradeSeries;
  /** For the exchange's --synthetic. */
  readonly argument: string;
}

/** Thin symbols of unlike density. */
export function symbolsOf({ seed, symbols, hours }: Story): SoakSymbol[] {
  const fromMs = FIRST_DAY_MS - HOUR_MS;
  // Trades go on after the end, or the last hour would have no later trade.
  const toMs = FIRST_DAY_MS + (hours + 30) * HOUR_MS;
  return Array.from({ length: symbols }, (_, index) => {
    const symbol = `SOAK${seed}N${index}USDT`;
    const tradesPerHour = 20 + Math.floor(60 * uniformOf(seed, index));
    const options = { seed: seed * 1_000 + index, fromMs, toMs, tradesPerHour, firstId: 1_000 };
    const [from, to] = [fromMs, toMs].map((timeMs) => new Date(timeMs).toISOString());
    return {
      symbol,
      trades: syntheticTrades(options),
      argument: `${symbol}:${options.seed}:${from}:${to}:${tradesPerHour}:${options.firstId}`,
    };
  });
}

type Victim = 'Redis' | 'QuestDB' | 'worker';

/** A kill -9, and how long until the operator's machine starts the process again. */
export interface Kill {
  readonly victim: Victim;
  /** Which worker, from 1: worker 0 lives through everything, so that its memory can be followed. */
  readonly worker: number;
  readonly atMs: number;
  readonly downRealMs: number;
}

/**
 * Waits that the exchange demands are real seconds for cdvault, whose timers are not fast: a Retry-After of 5 s
 * is five simulated minutes at 60 times.
 */
const EXCHANGE_FAULTS = [
  { kind: 'limited', retryAfterSeconds: 3 },
  { kind: 'banned', retryAfterSeconds: 5 },
  { kind: 'internalError' },
  { kind: 'badGatewayHtml' },
  { kind: 'serverBusy' },
  { kind: 'slow', delayMs: 1_500 },
  { kind: 'truncatedJson' },
  { kind: 'emptyBody' },
  { kind: 'resetBeforeHeaders' },
  { kind: 'resetAfterHeaders' },
] as const satisfies readonly Omit<Fault, 'name' | 'when'>[];

const FAULT_WINDOW_MS = 20 * MINUTE_MS;

/** Faults of the exchange: the simulator's own schedule, on its clock. */
export function exchangeFaults(story: Story): Fault[] {
  const { seed, hours, calmHours } = story;
  const firstMs = START_MS + FAULT_WINDOW_MS;
  const lengthMs = FIRST_DAY_MS + (hours - calmHours) * HOUR_MS - FAULT_WINDOW_MS - firstMs;
  const count = story.faults === 'one of each' ? EXCHANGE_FAULTS.length : hours - calmHours;
  return Array.from({ length: count }, (_, index) => {
    const choice = story.faults === 'one of each' ? index : uniformOf(seed, 1, index) * 10;
    const fault = EXCHANGE_FAULTS[Math.floor(choice)] ?? EXCHANGE_FAULTS[0];
    const share =
      story.faults === 'one of each'
        ? uniformOf(seed, 2, index)
        : (index + uniformOf(seed, 2, index)) / count;
    const startMs = firstMs + Math.round(share * lengthMs);
    // A ban or a limit stops every request anyway.
    const times = fault.kind === 'banned' || fault.kind === 'limited' ? 1 : 5;
    return {
      ...fault,
      name: `${fault.kind} ${index}`,
      when: {
        path: '/api/v3/aggTrades',
        clockMs: [startMs, startMs + FAULT_WINDOW_MS],
        probability: 0.5,
        times,
      },
    };
  });
}

/** Kills of processes, in the order of their times. */
export function kills(story: Story): Kill[] {
  const { seed, hours, calmHours, workers, speed } = story;
  const random = uniformSequence(seed);
  const worker = () => 1 + Math.floor(random() * (workers - 1));
  const downRealMs = () => 500 + Math.floor(random() * 4_500);
  // A killed server is not killed again before it is back, and the first hour has begun.
  const firstMs = HOUR_MS + 10 * MINUTE_MS;
  const lengthMs = (hours - calmHours) * HOUR_MS - firstMs;
  const victims: readonly Victim[] = ['Redis', 'QuestDB', 'worker'];
  const made =
    story.faults === 'one of each'
      ? victims.map((victim) => ({ victim, share: random() }))
      : Array.from({ length: Math.floor(hours / 2) }, (_, index) => ({
          victim: victims[Math.floor(random() * victims.length)] ?? 'worker',
          share: (index + random()) / Math.floor(hours / 2),
        }));
  return made
    .map(({ victim, share }) => ({
      victim,
      worker: worker(),
      atMs: Math.round(FIRST_DAY_MS + firstMs + share * lengthMs),
      downRealMs: Math.min(downRealMs(), (HOUR_MS / speed) * 2),
    }))
    .sort((left, right) => left.atMs - right.atMs);
}
