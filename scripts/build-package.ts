import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUNDLE, bundlePage } from '../src/adapters/http/page.ts';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');

/**
 * Makes `dist`, which the package has instead of `src`, since Node.js strips no types under node_modules. Its modules
 * are those of `src`, one file each at the same depth, so that paths relative to a module stay right.
 */
rmSync(DIST, { recursive: true, force: true });
// The compiler prints its errors on standard output, which is that of `npm pack --json`.
execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.package.json'], {
  cwd: ROOT,
  stdio: ['ignore', 2, 2],
});
const { script, style } = await bundlePage();
writeFileSync(join(DIST, 'page', BUNDLE.script), script);
writeFileSync(join(DIST, 'page', BUNDLE.style), style);
