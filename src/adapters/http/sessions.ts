import { createHash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** A working day. */
export const SESSION_MS = 12 * 3_600_000;
/** Far more browsers than one installation has; when there are more, the one used least recently ends. */
const MOST_SESSIONS = 500;

/** Browsers that came by a login link. They are known until this process ends. */
export interface Sessions {
  /** @returns the secret for the browser's cookie */
  begin(): string;
  has(secret: string | undefined): boolean;
}

/** @param nowMs the clock; a test has its own */
export function createSessions(nowMs: () => number = () => performance.now()): Sessions {
  // Hashes: what is compared then depends on no part of the secret, and the memory has no secrets.
  const known = new LRUCache<string, true>({
    max: MOST_SESSIONS,
    ttl: SESSION_MS,
    // Without it, a timer tells the time.
    ttlResolution: 0,
    perf: { now: nowMs },
  });
  return {
    begin() {
      const secret = randomBytes(32).toString('base64url');
      known.set(hashOf(secret), true);
      return secret;
    },
    has: (secret) => secret !== undefined && known.get(hashOf(secret)) === true,
  };
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64');
}
