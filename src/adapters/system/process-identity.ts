import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Tells a process from a later one with the same number; by the pid alone where there is no /proc.
 * @returns undefined when it is gone
 */
function identityOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Fields follow the name, which may hold spaces and ends with the last parenthesis.
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

/** Of this process. */
export function ownIdentity(): string {
  return identityOf(process.pid) ?? `${hostname()} ${process.pid}`;
}

/** Whether the process of an identity lives. One on another machine, or in another container, is not ours to judge. */
export function isAlive(identity: string): boolean {
  const [host, pid] = identity.split(' ');
  return host !== hostname() || identityOf(Number(pid)) === identity;
}
