import { spawnSync } from 'node:child_process';
import path from 'node:path';

/** What `npm audit --json` prints: a report, or why there is none. */
interface Audit {
  readonly vulnerabilities?: Readonly<Record<string, Vulnerability>>;
  /** Of the registry's answer. */
  readonly statusCode?: number;
  readonly message?: string;
}

interface Vulnerability {
  readonly severity: string;
  /** Advisories, and the names of packages that are vulnerable because they use another. */
  readonly via: readonly (string | { readonly title: string; readonly url: string })[];
}

/** Advisories about the packages that users install, by the lock file; those of the tests do not count. */
function checkAudit(root: string): void {
  const args = ['audit', '--omit=dev', '--json'];
  const { stdout, stderr, error } = spawnSync('npm', args, { cwd: root, encoding: 'utf8' });
  if (error !== undefined) throw error;
  const audit = parsed(stdout);
  if (audit?.vulnerabilities !== undefined) {
    const found = Object.entries(audit.vulnerabilities).flatMap(linesOf);
    if (found.length === 0) return;
    console.error([...found, 'dependency audit: update these packages'].join('\n'));
  } else {
    const reason = audit === undefined ? undefined : reasonToSkip(audit);
    if (reason !== undefined) {
      console.log(`dependency audit: SKIPPED, ${reason}`);
      return;
    }
    console.error(`${stderr}${stdout}dependency audit: npm audit failed`);
  }
  process.exitCode = 1;
}

function parsed(text: string): Audit | undefined {
  try {
    return JSON.parse(text) as Audit;
  } catch {
    // The caller prints the text itself.
    return undefined;
  }
}

function linesOf([name, { severity, via }]: readonly [string, Vulnerability]): string[] {
  return via
    .filter((one) => typeof one === 'object')
    .map(({ title, url }) => `${name}: ${severity}: ${title} (${url})`);
}

/** Many mirrors have no audit endpoint; nor does a machine without network. Without a status, npm got no answer. */
function reasonToSkip({ statusCode, message = '' }: Audit): string | undefined {
  if (statusCode !== undefined) return `the npm registry answers an audit with ${statusCode}`;
  return message.startsWith('request to ') ? 'the npm registry does not answer' : undefined;
}

checkAudit(process.argv[2] ?? path.resolve(import.meta.dirname, '..'));
