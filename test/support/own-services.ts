import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureServices, stopServices } from '../../src/adapters/services/ladder.ts';
import { loadConfig } from '../../src/config.ts';
import type { ServicesOptions, ServiceUrls } from '../../src/adapters/services/types.ts';

/** A native Redis and QuestDB for tests that break, fill or restart them. */
export interface OwnServices {
  readonly options: ServicesOptions;
  /** All printed lines, for assertions. */
  readonly said: readonly string[];
  /** Starts the services that do not run, on their data and ports. */
  readonly start: () => Promise<ServiceUrls>;
  /** kill -9, as the kernel does when memory is short. */
  readonly kill: (service: 'redis' | 'questdb') => Promise<void>;
  /** Whether its process has ended, such as by a crash. */
  readonly isGone: (service: 'redis' | 'questdb') => Promise<boolean>;
  /** Stops them and keeps their data. */
  readonly stop: () => Promise<void>;
  /** Stops them and deletes their data. */
  readonly dispose: () => Promise<void>;
}

/** @param more additional environment variables */
export async function makeOwnServices(
  more: Readonly<Record<string, string>> = {},
): Promise<OwnServices> {
  const homeDir = await mkdtemp(path.join(tmpdir(), 'cdvault-home-'));
  const said: string[] = [];
  const options: ServicesOptions = {
    ...loadConfig({ services: 'native', home: homeDir }, { ...process.env, ...more }).services,
    say: (line) => said.push(line),
    signal: new AbortController().signal,
  };
  const pidOf = async (service: string): Promise<number> =>
    Number(await readFile(path.join(homeDir, service, `${service}.pid`), 'utf8'));
  const isGone = async (service: string): Promise<boolean> => {
    const pid = await pidOf(service);
    // A zombie counts as gone: it holds no port and no file.
    return !existsSync(`/proc/${pid}`) || (await isZombie(pid));
  };
  return {
    options,
    said,
    start: async () => ensureServices(options),
    kill: async (service) => {
      process.kill(await pidOf(service), 'SIGKILL');
      while (!(await isGone(service))) await sleep(10);
    },
    isGone,
    stop: async () => void (await stopServices(options)),
    dispose: async () => {
      await stopServices(options);
      await rm(homeDir, { recursive: true, force: true });
    },
  };
}

/** Variables with which a QuestDB accepts `ALTER TABLE … SUSPEND WAL`. */
export function devModeEnv(): Record<string, string> {
  const { JAVA_HOME: javaHome, PATH: searchPath = '' } = process.env;
  return {
    JAVA_HOME: path.join(import.meta.dirname, 'dev-questdb'),
    PATH: javaHome === undefined ? searchPath : `${javaHome}/bin:${searchPath}`,
  };
}

async function isZombie(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return stat.charAt(stat.lastIndexOf(')') + 2) === 'Z';
}
