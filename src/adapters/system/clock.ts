import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../ports/clock.ts';

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, { signal });
    } catch (error) {
      // node wraps the reason in its own AbortError; callers want the reason they gave.
      throw signal.aborted ? signal.reason : error;
    }
  },
};
