/**
 * Loaded before a program (`node --import`): its calendar runs SOAK_CLOCK's `speed` times as fast as the
 * machine's, from `startMs` on. Only what reads Date is fast: timers, performance.now() and the expiry of keys
 * in Redis stay real (CONTRIBUTING).
 */
import { type FastClock, fastNowMs } from './clock.ts';

const clock = JSON.parse(process.env['SOAK_CLOCK'] ?? '') as FastClock;
const TrueDate = Date;

class FastDate extends TrueDate {
  constructor(...args: readonly unknown[]) {
    const given = args.length === 0 ? [FastDate.now()] : args;
    super(...(given as [number]));
  }

  static override now(): number {
    return fastNowMs(clock, TrueDate.now());
  }
}

globalThis.Date = FastDate as DateConstructor;
