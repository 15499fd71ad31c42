import { createLogUpdate } from 'log-update';
import type { Market } from '../../domain/market.ts';
import type { GovernorState } from '../../ports/weight-governor.ts';
import type { App } from '../compose.ts';
import { type ProgressFacts, progressLine } from './progress-text.ts';
import { isoMinute } from './format.ts';

/** Interval between progress lines when standard error is not a terminal. */
const PLAIN_EVERY_MS = 5_000;
/** Rates are averages over this time, so that the ETA follows changes of speed. */
const RATE_WINDOW_MS = 30_000;

interface Sample {
  readonly atMs: number;
  readonly rows: number;
  readonly slices: number;
}

/** Progress of a run: a live line on a terminal, else a line every few seconds, or JSON. */
export class BackfillProgress {
  readonly #app: App;
  readonly #run: { readonly runId: string; readonly market: Market; readonly slicesTotal: number };
  readonly #json: boolean;
  readonly #samples: Sample[] = [];
  readonly #live = process.stderr.isTTY ? createLogUpdate(process.stderr) : undefined;
  #printedAtMs = 0;

  constructor(
    app: App,
    run: { runId: string; market: Market; slicesTotal: number },
    json: boolean,
  ) {
    this.#app = app;
    this.#run = run;
    this.#json = json;
    this.#printedAtMs = app.clock.nowMs();
  }

  async update(): Promise<void> {
    const { facts, governor } = await this.#facts();
    if (this.#live !== undefined && !this.#json) {
      this.#live(withPause(progressLine(facts, process.stderr.columns || 80), governor));
      return;
    }
    const nowMs = this.#app.clock.nowMs();
    if (nowMs - this.#printedAtMs < PLAIN_EVERY_MS) return;
    this.#printedAtMs = nowMs;
    if (this.#json)
      process.stdout.write(
        `${JSON.stringify({ type: 'progress', ...facts, pause: governor.pause })}\n`,
      );
    else process.stderr.write(`${withPause(progressLine(facts, 200), governor)}\n`);
  }

  /** Keeps the last live line on the terminal. */
  done(): void {
    this.#live?.done();
  }

  async #facts(): Promise<{ facts: ProgressFacts; governor: GovernorState }> {
    const { app } = { app: this.#app };
    const [progress, counts, governor] = await Promise.all([
      app.queue.progress(this.#run.runId),
      app.queue.counts(),
      app.governor.state(this.#run.market),
    ]);
    const rate = this.#rate({
      atMs: app.clock.nowMs(),
      rows: progress.rows,
      slices: progress.slicesDone,
    });
    const bars = counts.find(({ kind }) => kind === 'bars');
    const left = this.#run.slicesTotal - progress.slicesDone;
    const facts: ProgressFacts = {
      // A killed worker may have counted hours that another worker counts again.
      slicesDone: Math.min(progress.slicesDone, this.#run.slicesTotal),
      slicesTotal: this.#run.slicesTotal,
      rows: progress.rows,
      rowsPerSecond: rate.rows,
      weightUsed: governor.usedWeight,
      weightLimit: Math.floor(governor.weightLimit * app.config.weightShare),
      retrying: counts.find(({ kind }) => kind === 'slice')?.delayed ?? 0,
      gaps: progress.gaps,
      barJobs: (bars?.waiting ?? 0) + (bars?.active ?? 0) + (bars?.delayed ?? 0),
      etaMs: rate.slices > 0 ? (Math.max(0, left) / rate.slices) * 1000 : undefined,
      atMs: progress.atHourMs > 0 ? progress.atHourMs : undefined,
    };
    return { facts, governor };
  }

  /** Rows and slices per second, averaged over RATE_WINDOW_MS. */
  #rate(now: Sample): { rows: number; slices: number } {
    this.#samples.push(now);
    while ((this.#samples[1]?.atMs ?? now.atMs) <= now.atMs - RATE_WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0] ?? now;
    const seconds = (now.atMs - first.atMs) / 1000;
    if (seconds <= 0) return { rows: 0, slices: 0 };
    return {
      rows: (now.rows - first.rows) / seconds,
      slices: (now.slices - first.slices) / seconds,
    };
  }
}

function withPause(line: string, { pause }: GovernorState): string {
  return pause === undefined
    ? line
    : `${line}\n${pause.reason}: no requests are sent until ${isoMinute(pause.untilMs)}, then work resumes`;
}
