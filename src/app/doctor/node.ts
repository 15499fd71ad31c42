import { fail, ok, type Verdict } from './check.ts';

/** The same rule as `engines` in package.json and scripts/with-node.sh. */
export function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major >= 26 || major === 24 || (major === 22 && minor >= 22);
}

/** @param version such as 24.1.0 */
export function nodeVersion(version: string): Verdict {
  const figures = { version };
  if (isSupported(version)) return ok(version, figures);
  return fail(
    `${version} is not supported`,
    'Install Node.js 24, or start cdvault by bin/cdvault, which brings its own.',
    figures,
  );
}
