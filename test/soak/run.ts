import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FastClock, fastNowMs } from './clock.ts';
import { differences, openGaps } from './compare.ts';
import { Installation, type Servers } from './installation.ts';
import type { QueueCounts } from '../../src/ports/job-queue.ts';
import { lagsOf, processSamples, provenHours, type Sample, trafficOf } from './samples.ts';
import {
  FIRST_DAY_MS,
  HOUR_MS,
  kills,
  MINUTE_MS,
  type SoakSymbol,
  START_MS,
  type Story,
  symbolsOf,
} from './story.ts';

/** Kept in the soak's folder, so that the next part goes on where this one was stopped. */
export interface Progress {
  readonly story: Story;
  /** The calendar of the soak. */
  nowMs: number;
  isScheduled: boolean;
  killsDone: number;
  workersEnded: number;
  samples: Sample[];
  /** Set when the soak has ended. */
  outcome?: Outcome;
}

export interface Outcome {
  /** Empty when everything is as it must be. */
  readonly wrong: readonly string[];
  /** From the end of the last hour until everything was proven and built. */
  readonly settledMs: number;
}

interface Part {
  readonly dir: string;
  readonly servers: Servers;
  readonly say: (line: string) => void;
  /** Ends the part: it can be continued. */
  readonly signal: AbortSignal;
}

const LOOK_MS = 250;
const DIFFERENCES_SHOWN = 5;
/** After the last hour, for ticks that come an hour apart, and for a machine that is slow. */
const SETTLE_TICKS_MS = 6 * HOUR_MS;
const SETTLE_REAL_MS = 90_000;

/** Starts or continues a soak. @returns its progress; `outcome` is missing when the part was stopped */
export async function runSoak(story: Story, part: Part): Promise<Progress> {
  mkdirSync(part.dir, { recursive: true });
  const progress = readProgress(part.dir, story);
  if (progress.outcome !== undefined) return progress;
  const clock = { startMs: progress.nowMs, realStartMs: Date.now(), speed: story.speed };
  const symbols = symbolsOf(story);
  const place = { dir: part.dir, servers: part.servers, story, symbols, clock };
  const installation = await Installation.start(place);
  const soak = new Soak({ part, progress, clock, symbols, installation });
  try {
    await soak.run();
  } finally {
    soak.keep();
    await installation.stop();
  }
  return progress;
}

function readProgress(dir: string, story: Story): Progress {
  const file = progressFile(dir);
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Progress) : undefined;
  // Another story has nothing to continue.
  if (kept !== undefined && JSON.stringify(kept.story) === JSON.stringify(story)) return kept;
  return {
    story,
    nowMs: START_MS,
    isScheduled: false,
    killsDone: 0,
    workersEnded: 0,
    samples: [],
  };
}

function progressFile(dir: string): string {
  return path.join(dir, 'progress.json');
}

class Soak {
  readonly #part: Part;
  readonly #progress: Progress;
  readonly #clock: FastClock;
  readonly #symbols: readonly SoakSymbol[];
  readonly #installation: Installation;
  readonly #kills;
  readonly #endMs: number;
  readonly #running: Promise<void>[] = [];
  #requestsSeen = 0;

  constructor(parts: {
    part: Part;
    progress: Progress;
    clock: FastClock;
    symbols: readonly SoakSymbol[];
    installation: Installation;
  }) {
    this.#part = parts.part;
    this.#progress = parts.progress;
    this.#clock = parts.clock;
    this.#symbols = parts.symbols;
    this.#installation = parts.installation;
    this.#kills = kills(parts.progress.story);
    this.#endMs = FIRST_DAY_MS + parts.progress.story.hours * HOUR_MS;
  }

  async run(): Promise<void> {
    await this.#schedule();
    this.#installation.startWorkers();
    let sampledMs = this.#progress.samples.at(-1)?.atMs ?? -Infinity;
    while (this.#nowMs() < this.#endMs + 2 * MINUTE_MS) {
      if (this.#part.signal.aborted) return;
      this.#startKills();
      if (this.#nowMs() - sampledMs >= HOUR_MS) {
        sampledMs = this.#nowMs();
        await this.#sample();
      }
      this.keep();
      await sleep(LOOK_MS);
    }
    await Promise.all(this.#running);
    const settled = await this.#settle();
    if (settled === undefined) return;
    await this.#sample();
    this.#progress.outcome = { wrong: await this.#judge(), settledMs: settled };
  }

  /** Writes the progress, whole or not at all. */
  keep(): void {
    if (this.#progress.outcome === undefined) this.#progress.nowMs = this.#nowMs();
    this.#progress.workersEnded += this.#installation.endedByThemselves;
    this.#installation.endedByThemselves = 0;
    const file = progressFile(this.#part.dir);
    writeFileSync(`${file}.part`, JSON.stringify(this.#progress));
    renameSync(`${file}.part`, file);
  }

  #nowMs(): number {
    return fastNowMs(this.#clock, Date.now());
  }

  async #schedule(): Promise<void> {
    if (this.#progress.isScheduled) return;
    const names = this.#symbols.map(({ symbol }) => symbol);
    const from = new Date(FIRST_DAY_MS).toISOString();
    const { exitCode, stderr } = await this.#installation.cli('schedule', ...names, '--from', from);
    if (exitCode !== 0) throw new Error(`schedule failed (${exitCode}): ${stderr}`);
    this.#progress.isScheduled = true;
  }

  #startKills(): void {
    const next = this.#kills[this.#progress.killsDone];
    if (next === undefined || next.atMs > this.#nowMs()) return;
    this.#progress.killsDone += 1;
    this.#part.say(`${this.#time()} kill -9 ${next.victim}`);
    const done = this.#installation.carryOut(next).catch((error: unknown) => {
      this.#part.say(`${this.#time()} ${next.victim} did not come back: ${String(error)}`);
    });
    this.#running.push(done);
  }

  #time(): string {
    return new Date(this.#nowMs()).toISOString().slice(5, 16).replace('T', ' ');
  }

  async #sample(): Promise<void> {
    const { urls, exchange } = this.#installation;
    const processes = processSamples(this.#installation.pids());
    const requests = (await exchange.requests()).slice(this.#requestsSeen);
    this.#requestsSeen += requests.length;
    const range = { startMs: FIRST_DAY_MS, endMs: this.#endMs };
    const atMs = this.#nowMs();
    const names = this.#symbols.map(({ symbol }) => symbol);
    const proven = await provenHours(urls.questdbPgUrl, range).catch(() => undefined);
    const closed = Math.floor((Math.min(atMs, this.#endMs) - FIRST_DAY_MS) / HOUR_MS);
    const sample: Sample = {
      atMs,
      ...(proven === undefined
        ? {}
        : {
            lag: lagsOf(names, proven, { startMs: FIRST_DAY_MS, nowMs: atMs }),
            openHours: names.reduce(
              (sum, name) => sum + closed - Math.min(closed, proven.get(name)?.hours ?? 0),
              0,
            ),
          }),
      ...trafficOf(requests),
      processes,
    };
    this.#progress.samples.push(sample);
    const lag = sample.lag === undefined ? 'no answer' : minutes(sample.lag.maxMs);
    this.#part.say(
      `${this.#time()} lag ${lag}, open ${sample.openHours ?? '?'}, requests ${sample.requests}`,
    );
  }

  /** @returns how long it took until all was proven and built; undefined when the part was stopped */
  async #settle(): Promise<number | undefined> {
    const realEndMs = Date.now() + SETTLE_REAL_MS;
    for (;;) {
      if (this.#part.signal.aborted) return undefined;
      const settledMs = this.#nowMs() - this.#endMs;
      const isLate = settledMs > SETTLE_TICKS_MS && Date.now() > realEndMs;
      if (isLate || (await this.#isSettled())) return settledMs;
      this.keep();
      await sleep(LOOK_MS);
    }
  }

  async #isSettled(): Promise<boolean> {
    const url = this.#installation.urls.questdbPgUrl;
    try {
      const range = { startMs: FIRST_DAY_MS, endMs: this.#endMs };
      const proven = await provenHours(url, range);
      const { hours } = this.#progress.story;
      if (this.#symbols.some(({ symbol }) => proven.get(symbol)?.hours !== hours)) return false;
      return (await differences(url, this.#symbols, this.#endMs)).length === 0;
    } catch {
      return false;
    }
  }

  /** @returns what is not as it must be */
  async #judge(): Promise<readonly string[]> {
    const wrong: string[] = [];
    const names = this.#symbols.map(({ symbol }) => symbol);
    const ended = await this.#installation.cli('unschedule', ...names);
    if (ended.exitCode !== 0) wrong.push(`unschedule: ${ended.stderr}`);
    // Ticks have gone on: the bars of hours after the end, which are of the same day, may be on their way.
    if (!(await this.#isIdle())) wrong.push('jobs were left');
    const ends = await this.#installation.stopWorkers();
    if (ends.some((exitCode) => exitCode !== 0))
      wrong.push(`workers ended with ${ends.join(', ')}`);
    const url = this.#installation.urls.questdbPgUrl;
    const found = await differences(url, this.#symbols, this.#endMs);
    wrong.push(...found.slice(0, DIFFERENCES_SHOWN));
    const gaps = await openGaps(url, this.#symbols);
    if (gaps > 0) wrong.push(`${gaps} gaps are open`);
    const violations = this.#progress.samples.reduce((sum, one) => sum + one.violations, 0);
    if (violations > 0) wrong.push(`${violations} requests that the exchange had forbidden`);
    const range = ['--from', isoTime(FIRST_DAY_MS), '--to', isoTime(this.#endMs)];
    const verified = await this.#installation.cli('verify', ...names, ...range);
    if (verified.exitCode !== 0)
      wrong.push(`verify ended with ${verified.exitCode}: ${lastLines(verified.stdout)}`);
    return wrong;
  }

  /** Waits until no job waits or runs. @returns false when that does not come */
  async #isIdle(): Promise<boolean> {
    const realEndMs = Date.now() + SETTLE_REAL_MS;
    for (let idle = 0; idle < 2;) {
      if (Date.now() > realEndMs) return false;
      const { stdout } = await this.#installation.cli('status', '--json');
      const { queues = [] } = JSON.parse(stdout || '{}') as { queues?: readonly QueueCounts[] };
      const jobs = queues.reduce((sum, one) => sum + one.waiting + one.active + one.delayed, 0);
      // A job may pass from one queue to another between two counts.
      idle = queues.length > 0 && jobs === 0 ? idle + 1 : 0;
    }
    return true;
  }
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-DIFFERENCES_SHOWN).join(' | ');
}

export function minutes(ms: number): string {
  return `${Math.round(ms / MINUTE_MS)} min`;
}
