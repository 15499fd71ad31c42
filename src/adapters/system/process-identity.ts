import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Distinguishes a process from a later one with the same pid, by its start time; without /proc the pid alone
 * must do.
 * @returns undefined when the process is gone
 */
function identityOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Fields follow the name, which may contain spaces and ends with the last parenthesis.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : `${hostname()} ${pid} ${fields[19] ?? ''}`;
  } catch {
    try {
      process.kill(pid, 0);
      return `${hostname()} ${pid}`;
    } catch {
      return undefined;
    }
  }
}

/** The identity of this process. */
export function ownIdentity(): string {
  return identityOf(process.pid) ?? `${hostname()} ${process.pid}`;
}

/**
 * Whether the process of an identity lives. On another machine or in another container it counts as alive.
 */
export function isAlive(identity: string): boolean {
  const [host, pid] = identity.split(' ');
  return host !== hostname() || identityOf(Number(pid)) === identity;
}
