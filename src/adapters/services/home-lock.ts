import { mkdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../system/clock.ts';
import { isAlive, ownIdentity } from '../system/process-identity.ts';
import { createExclusively } from './home.ts';
import type { ServicesOptions } from './types.ts';

/** A process that dies while it holds the second lock (a few synchronous lines) leaves it there. */
const BREAKER_STALE_MS = 10_000;

function readHolder(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Removes a dead holder's lock. Two processes may find it dead at the same time, and the slower one must
 * not remove the new lock of the faster one. So each checks again while it holds a second, short lock.
 */
function breakIfDead(file: string): void {
  const breaker = `${file}.breaking`;
  try {
    mkdirSync(breaker);
  } catch {
    try {
      if (Date.now() - statSync(breaker).mtimeMs > BREAKER_STALE_MS) rmdirSync(breaker);
    } catch {
      // Another process has just removed it.
    }
    return;
  }
  try {
    const holder = readHolder(file);
    if (holder !== undefined && !isAlive(holder)) rmSync(file, { force: true });
  } finally {
    rmdirSync(breaker);
  }
}

/** Runs `work` while no other process starts or stops the services of this home. */
export async function withHomeLock<T>(
  options: Pick<ServicesOptions, 'homeDir' | 'say' | 'signal'>,
  work: () => Promise<T>,
): Promise<T> {
  const file = path.join(options.homeDir, 'services.lock');
  const me = ownIdentity();
  let said = false;
  while (!createExclusively(file, me)) {
    const holder = readHolder(file);
    if (holder !== undefined && !isAlive(holder)) {
      breakIfDead(file);
    } else if (!said && holder !== undefined) {
      options.say(
        `another process (${holder.split(' ')[1] ?? '?'}) is starting or stopping the services; waiting for it`,
      );
      said = true;
    }
    await systemClock.sleep(50, options.signal);
  }
  try {
    return await work();
  } finally {
    if (readHolder(file) === me) rmSync(file, { force: true });
  }
}
