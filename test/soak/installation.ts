import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureServices, stopServices } from '../../src/adapters/services/ladder.ts';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import { loadConfig } from '../../src/config.ts';
import { type ArchiveServer, startArchiveServer } from '../exchange/archive-server.ts';
import { type CliResult, cliEnv, runCli } from '../support/command-line.ts';
import { type ExchangeProcess, startExchangeProcess } from '../support/exchange-process.ts';
import { clockEnv, type FastClock } from './clock.ts';
import { exchangeFaults, type Kill, type SoakSymbol, type Story } from './story.ts';

const MAIN = path.join(import.meta.dirname, '../../src/cli/main.ts');
const BEGIN_AGAIN_MS = 1_000;
const KILLED = 'SIGKILL';

/** Redis and QuestDB of a soak, which live through several parts and several seeds. */
export class Servers {
  readonly #options;
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    this.#options = {
      ...loadConfig({ services: 'native', home: dir }).services,
      say: () => undefined,
      signal: new AbortController().signal,
    };
  }

  start(): Promise<ServiceUrls> {
    return ensureServices(this.#options);
  }

  async stop(): Promise<void> {
    await stopServices(this.#options);
  }

  pidOf(name: 'Redis' | 'QuestDB'): number {
    const service = name.toLowerCase();
    return Number(readFileSync(path.join(this.#dir, service, `${service}.pid`), 'utf8'));
  }

  async kill(name: 'Redis' | 'QuestDB', downRealMs: number): Promise<void> {
    process.kill(this.pidOf(name), KILLED);
    await sleep(downRealMs);
    await this.start();
  }
}

interface WorkerProcess {
  child: ChildProcess;
  /** Set while a kill of ours, or the end, is the reason that it is not there. */
  isMeant: boolean;
}

interface Place {
  readonly dir: string;
  readonly servers: Servers;
  readonly story: Story;
  readonly symbols: readonly SoakSymbol[];
  readonly clock: FastClock;
}

/** One soak's exchange and workers, all on the fast clock. */
export class Installation {
  readonly urls: ServiceUrls;
  readonly exchange: ExchangeProcess;
  /** How often a worker has ended by itself, as it may when it can't go on; it was started again. */
  endedByThemselves = 0;
  readonly #place: Place;
  readonly #env: Readonly<Record<string, string>>;
  readonly #archive: ArchiveServer;
  readonly #workers: WorkerProcess[] = [];
  #isEnding = false;

  static async start(place: Place): Promise<Installation> {
    const { dir, story, symbols, clock, servers } = place;
    const faultsFile = path.join(dir, 'exchange-faults.json');
    writeFileSync(faultsFile, JSON.stringify(exchangeFaults(story)));
    const [urls, exchange, archive] = await Promise.all([
      servers.start(),
      startExchangeProcess(
        [
          ...symbols.flatMap(({ argument }) => ['--synthetic', argument]),
          '--faults',
          faultsFile,
          '--fault-seed',
          String(story.seed),
        ],
        { ...process.env, ...clockEnv(clock) },
      ),
      // Its host has no files: days come by REST.
      startArchiveServer([]),
    ]);
    return new Installation(place, { urls, exchange, archive });
  }

  private constructor(
    place: Place,
    started: { urls: ServiceUrls; exchange: ExchangeProcess; archive: ArchiveServer },
  ) {
    this.#place = place;
    this.urls = started.urls;
    this.exchange = started.exchange;
    this.#archive = started.archive;
    const name = `soak${place.story.seed}`;
    this.#env = cliEnv(started.urls, started.exchange.url, name, {
      ...clockEnv(place.clock),
      BINANCE_ARCHIVE_URL: started.archive.url,
      CDVAULT_HOME: place.dir,
      CDVAULT_LOG: 'info',
    });
  }

  /** Runs a command to its end. */
  cli(...args: readonly string[]): Promise<CliResult> {
    return runCli(args, { env: this.#env });
  }

  startWorkers(): void {
    for (let index = 0; index < this.#place.story.workers; index += 1)
      this.#workers[index] = { child: this.#spawn(index), isMeant: false };
  }

  #spawn(index: number): ChildProcess {
    const log = createWriteStream(path.join(this.#place.dir, `worker-${index}.txt`), {
      flags: 'a',
    });
    const child = spawn(process.execPath, [MAIN, 'worker'], {
      env: this.#env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.pipe(log);
    child.once('exit', (code, signal) => {
      const worker = this.#workers[index];
      if (this.#isEnding || worker === undefined || worker.isMeant) return;
      log.write(`ended by itself: ${code ?? signal}\n`);
      this.endedByThemselves += 1;
      setTimeout(() => this.#again(index), BEGIN_AGAIN_MS);
    });
    return child;
  }

  #again(index: number): void {
    if (!this.#isEnding) this.#workers[index] = { child: this.#spawn(index), isMeant: false };
  }

  /** Kills a process and starts it again after its time. */
  async carryOut({ victim, worker, downRealMs }: Kill): Promise<void> {
    if (victim !== 'worker') return this.#place.servers.kill(victim, downRealMs);
    const killed = this.#workers[worker];
    if (killed === undefined) return;
    killed.isMeant = true;
    killed.child.kill(KILLED);
    await sleep(downRealMs);
    this.#again(worker);
  }

  pids(): ReadonlyMap<string, number | undefined> {
    return new Map<string, number | undefined>([
      ...this.#workers.map(({ child }, index): [string, number | undefined] => [
        `worker ${index}`,
        child.pid,
      ]),
      ['Redis', this.#place.servers.pidOf('Redis')],
      ['QuestDB', this.#place.servers.pidOf('QuestDB')],
      ['exchange', this.exchange.pid],
    ]);
  }

  /** SIGTERM, as an operator ends a worker. @returns their exit codes */
  async stopWorkers(): Promise<readonly (number | null)[]> {
    this.#isEnding = true;
    const living = this.#workers.map(({ child }) => child);
    const ends = living.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const exited = once(child, 'exit') as Promise<[number | null]>;
      child.kill('SIGTERM');
      return (await exited)[0];
    });
    return Promise.all(ends);
  }

  async stop(): Promise<void> {
    await this.stopWorkers();
    await this.exchange.stop();
    await this.#archive.close();
  }
}
