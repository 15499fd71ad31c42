import { existsSync, readdirSync } from 'node:fs';
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

/** Each series of a test has a table, and QuestDB opens all of them when it starts: a run makes about 500. */
const MOST_TABLES = 2_000;

/** Why a store from an earlier run can't be used; undefined when it can. */
function problemOf(changed: readonly string[] | undefined, db: string): string | undefined {
  if (changed === undefined) return existsSync(db) ? 'its migrations are unknown' : undefined;
  if (changed.length > 0) return `changed: ${changed.join(', ')}`;
  const tables = existsSync(db) ? readdirSync(db).length : 0;
  return tables > MOST_TABLES ? `it has ${tables} tables` : undefined;
}

/** Deletes a store from an earlier run that can't be used. */
async function forgetOldStore(): Promise<void> {
  const db = path.join(options.homeDir, 'questdb', 'db');
  const why = problemOf(await changedMigrations(NOTED), db);
  if (why === undefined) return;
  const isOwn = existsSync(db);
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
  await forgetOldStore();
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
