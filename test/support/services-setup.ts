import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { ensureServices, stopServices } from '../../src/adapters/services/ladder.ts';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import { compose } from '../../src/cli/compose.ts';
import { loadConfig } from '../../src/config.ts';
import { changedMigrations, noteMigrations } from './known-migrations.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Redis and QuestDB of the test run; tests are separated by unique symbols and queue prefixes. */
    services: ServiceUrls;
  }
}

/** Uses its own home, so that no test touches a user's data. */
const options = {
  ...loadConfig().services,
  homeDir: path.resolve(import.meta.dirname, '..', '..', '.cdvault', 'test'),
  say: (line: string) => process.stderr.write(`${line}\n`),
  signal: new AbortController().signal,
};

const NOTED = path.join(options.homeDir, 'migrations.json');

/** Deletes a store from an earlier run whose migrations have changed since. */
async function forgetOtherSchemas(): Promise<void> {
  const changed = await changedMigrations(NOTED);
  if (changed?.length === 0) return;
  const isOwn = existsSync(path.join(options.homeDir, 'questdb'));
  if (changed === undefined && !isOwn) return;
  const why =
    changed === undefined ? 'its migrations are unknown' : `changed: ${changed.join(', ')}`;
  if (!isOwn)
    throw new Error(
      `The tests need a QuestDB without tables (${why}). Empty it, then delete ${NOTED}.`,
    );
  options.say(`starting the tests with a new store (${why})`);
  await stopServices(options);
  await rm(options.homeDir, { recursive: true, force: true });
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  options.say(
    `slow faults in turn, seed ${project.config.env['CDVAULT_SEED']} (CDVAULT_SEED repeats them)`,
  );
  await forgetOtherSchemas();
  const services = await ensureServices(options);
  const app = compose(loadConfig(), services);
  await app.prepare(new AbortController().signal);
  await app.close();
  await noteMigrations(NOTED);
  project.provide('services', services);
  return async () => {
    // Kept on a developer's machine, so that the next run is quicker; stopped on a CI machine.
    if (process.env['CI'] === 'true') await stopServices(options);
  };
}
