import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { loadConfig } from '../../src/config.ts';
import { ensureServices, stopServices } from '../../src/adapters/services/ladder.ts';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import { cliEnv } from '../support/command-line.ts';
import { prepareDayFiles } from './day-files.ts';
import { type Ran, runWatched, type Uses, whileWatching } from './process-meter.ts';

const ROOT = path.join(import.meta.dirname, '../..');
export const BENCH_DIR = path.join(ROOT, '.cdvault/bench');
export const CDVAULT = path.join(ROOT, 'bin/cdvault');
const HOST = path.join(import.meta.dirname, 'host.ts');

/** The simulated exchange with ten days of one symbol, and its archive host. */
export interface Host extends AsyncDisposable {
  readonly exchange: string;
  readonly archive: string;
  readonly folder: string;
  readonly pid: number;
}

export async function startHost(say: (line: string) => void): Promise<Host> {
  const folder = await prepareDayFiles(BENCH_DIR, say);
  const child = spawn(process.execPath, [HOST, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const [first] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>,
    exited.then(() => Promise.reject(new Error('the simulated exchange ended before it listened'))),
  ]);
  return {
    ...(JSON.parse(first) as { exchange: string; archive: string }),
    folder,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      child.kill();
      await exited;
    },
  };
}

/** An empty Redis and an empty QuestDB; disposing of them stops them and deletes their data. */
export interface Store extends AsyncDisposable {
  readonly urls: ServiceUrls;
  readonly dir: string;
  readonly pids: { readonly QuestDB: number; readonly Redis: number };
  /** Stops both; the data stay until the store is disposed of. */
  stop(): Promise<void>;
}

/** The store of most measurements; another name is another folder. */
const STORE = 'store';
const dirOf = (name: string): string => path.join(BENCH_DIR, name);

function servicesOf(name: string) {
  return {
    ...loadConfig({ services: 'native', home: dirOf(name) }).services,
    say: () => undefined,
    signal: new AbortController().signal,
  };
}

export async function freshStore(name = STORE): Promise<Store> {
  // A bench that was killed leaves its services running.
  await discardStore(name);
  return await openStore(name);
}

/** Starts a store that was stopped, or an empty one. */
export async function openStore(name: string): Promise<Store> {
  const services = servicesOf(name);
  const urls = await ensureServices(services);
  return {
    urls,
    dir: dirOf(name),
    pids: { QuestDB: pidOf(name, 'questdb'), Redis: pidOf(name, 'redis') },
    stop: async () => void (await stopServices(services)),
    [Symbol.asyncDispose]: async () => discardStore(name),
  };
}

async function discardStore(name: string): Promise<void> {
  await stopServices(servicesOf(name));
  rmSync(dirOf(name), { recursive: true, force: true });
}

/** Stops and deletes the stores that measurements have left. */
export async function discardStores(): Promise<void> {
  for (const name of [STORE, 'many']) await discardStore(name);
}

function pidOf(name: string, service: 'questdb' | 'redis'): number {
  return Number(readFileSync(path.join(dirOf(name), service, `${service}.pid`), 'utf8'));
}

/** The result of a cdvault command, with the resources of its process and of the servers. */
export interface Command extends Omit<Ran, 'use'> {
  readonly uses: Uses;
  /** The JSON lines that it printed. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
}

export interface Place {
  readonly store: Store;
  /** Where the exchange is; left out where nothing asks it. */
  readonly host?: Pick<Host, 'exchange' | 'archive' | 'pid'>;
  /** More of the command's environment. */
  readonly more?: Readonly<Record<string, string>>;
}

/** A port on which nothing listens. */
const NOWHERE = 'http://127.0.0.1:9';

export function environmentOf({ store, host, more = {} }: Place): Record<string, string> {
  const { exchange, archive } = host ?? { exchange: NOWHERE, archive: NOWHERE };
  return cliEnv(store.urls, exchange, 'bench', { BINANCE_ARCHIVE_URL: archive, ...more });
}

/** Runs `bin/cdvault` to its end. @throws Error when it fails */
export async function cdvault(args: readonly string[], place: Place): Promise<Command> {
  const { store, host } = place;
  const others = { ...store.pids, ...(host === undefined ? {} : { simulator: host.pid }) };
  const { result, uses } = await whileWatching(others, async () =>
    runWatched(CDVAULT, args, environmentOf(place)),
  );
  const { use, ...ran } = result;
  if (ran.exitCode !== 0)
    throw new Error(
      `cdvault ${args.join(' ')} failed (${ran.exitCode}): ${ran.stderr}${ran.stdout}`,
    );
  const lines = ran.stdout.split('\n').filter((line) => line.startsWith('{'));
  return {
    ...ran,
    uses: { client: use, ...uses },
    lines: lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>),
  };
}
