import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { ensureServices, stopServices } from '../../src/adapters/services/ladder.ts';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import { compose } from '../../src/cli/compose.ts';
import { loadConfig } from '../../src/config.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Redis and QuestDB of the test run; tests keep apart by unique symbols and queue prefixes. */
    services: ServiceUrls;
  }
}

/** A home of its own: no test ever touches a user's data. */
const options = {
  env: process.env,
  homeDir: path.resolve(import.meta.dirname, '..', '..', '.cdvault', 'test'),
  say: (line: string) => process.stderr.write(`${line}\n`),
  signal: new AbortController().signal,
};

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  options.say(
    `slow faults by turns, seed ${project.config.env['CDVAULT_SEED']} (CDVAULT_SEED repeats them)`,
  );
  const services = await ensureServices(options);
  const app = compose(loadConfig(), services);
  await app.prepare(new AbortController().signal);
  await app.close();
  project.provide('services', services);
  return async () => {
    // At a desk the next run is quicker when they stay; a build machine is left clean.
    if (process.env['CI'] === 'true') await stopServices(options);
  };
}
