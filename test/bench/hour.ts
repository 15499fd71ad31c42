import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createJobQueue } from '../../src/adapters/bullmq/job-queue.ts';
import { createSql } from '../../src/adapters/questdb/sql.ts';
import { createLog } from '../../src/adapters/system/log.ts';
import type { JobQueue } from '../../src/ports/job-queue.ts';
import { startExchangeProcess } from '../support/exchange-process.ts';
import { DAY_MS } from './day-files.ts';
import { type MadeSeries, madeSeries, TRADES_A_DAY } from './many-files.ts';
import {
  type BenchOptions,
  cpuOf,
  type Line,
  type Measurement,
  type Sample,
  shareOf,
} from './measurement.ts';
import { CDVAULT, cdvault, environmentOf, freshStore, type Place, type Store } from './place.ts';
import { secondsSince, whileWatching } from './process-meter.ts';

const HOUR_MS = DAY_MS / 24;
/** Hours of the day that are stored before the first look. */
const HOURS_BEFORE = 4;
/** An hour can be fetched two minutes after its end. */
const AFTER_END_MS = 2 * 60_000 + 5_000;
const POLL_MS = 250;
const CLOCK = path.join(import.meta.dirname, 'clock-ahead.ts');

export const hour: Measurement = {
  name: 'hour',
  about:
    `The hourly look of the schedule with a running worker: each series of *many*, of which ${HOURS_BEFORE} hours of ` +
    'the day are stored, is brought one hour on by REST, then one more. The exchange and cdvault have a clock two ' +
    'minutes after the hour’s end; the simulated exchange has no weight limit. Time runs from the tick until no job ' +
    'is left and each series has bars of the hour, as far as its ids prove them; the figures are divided by the number of series.',
  async run(options) {
    const series = [
      ...madeSeries('busy', options.size.busy),
      ...madeSeries('thin', options.size.thin),
    ];
    // Tomorrow, because a worker's clock must not be behind that of Redis, which keeps times to expire.
    const dayMs = Math.ceil((Date.now() + HOUR_MS) / DAY_MS) * DAY_MS;
    await using store = await freshStore();
    const looks: Sample[] = [];
    for (const [index, what] of ['the first hour', 'the next hour'].entries()) {
      const hourMs = dayMs + (HOURS_BEFORE + index) * HOUR_MS;
      options.say(`hour: ${what}, ${series.length} series`);
      const look = await lookAt(store, { series, dayMs, hourMs, isFirst: index === 0 }, options);
      options.say(`hour: ${look.value.toFixed(1)} s, ${cpuOf(look).toFixed(1)} CPU seconds`);
      looks.push(look);
    }
    return ['an hour of all', 'the hour after'].map((what, index): Line => {
      const one = shareOf(looks[index] ?? { value: Number.NaN }, series.length);
      const note = `${cpuOf(one).toFixed(3)} CPU seconds of all; ${series.length} series`;
      return { what: `${what}: a series`, unit: 's', samples: [one], note };
    });
  },
};

interface Look {
  readonly series: readonly MadeSeries[];
  readonly dayMs: number;
  /** The hour that the look brings. */
  readonly hourMs: number;
  readonly isFirst: boolean;
}

async function lookAt(store: Store, look: Look, options: BenchOptions): Promise<Sample> {
  const { series, dayMs, hourMs, isFirst } = look;
  const symbols = series.map(({ symbol }) => symbol);
  const now = hourMs + HOUR_MS + AFTER_END_MS;
  const exchange = await startExchangeProcess([
    '--no-weight-limit',
    '--now',
    new Date(now).toISOString(),
    ...series.flatMap((one) => ['--synthetic', made(one, dayMs)]),
  ]);
  const more = {
    NODE_OPTIONS: `--import ${CLOCK}`,
    BENCH_CLOCK_AHEAD_MS: String(now - Date.now()),
  };
  const place: Place = {
    store,
    host: { exchange: exchange.url, archive: exchange.url, pid: exchange.pid },
    more,
  };
  const queue = createJobQueue({
    redisUrl: store.urls.redisUrl,
    prefix: environmentOf(place)['CDVAULT_REDIS_PREFIX'] ?? '',
    log: createLog('error'),
  });
  try {
    const from = new Date(dayMs).toISOString();
    if (isFirst) {
      options.say('hour: the hours before it');
      const to = new Date(hourMs).toISOString();
      await cdvault(
        ['backfill', ...symbols, '--from', from, '--to', to, '--source', 'rest'],
        place,
      );
      await cdvault(['schedule', ...symbols, '--from', from], place);
      await queue.removeTick();
    }
    const worker = await startWorker(place);
    try {
      const watched = { worker: worker.pid, ...store.pids, simulator: exchange.pid };
      const { wallS, uses } = await whileWatching(watched, async () => {
        await queue.upsertTick(HOUR_MS);
        await untilIdle(queue);
      });
      // A later tick of this registration would be one too many.
      await queue.removeTick();
      await assertStored(store, series, hourMs);
      return { value: wallS, uses };
    } finally {
      await worker.stop();
    }
  } finally {
    await queue.close();
    await exchange.stop();
  }
}

/** The same trades at every start of the exchange: they follow from day and series. */
function made({ kind, number, symbol }: MadeSeries, dayMs: number): string {
  const from = new Date(dayMs - HOUR_MS).toISOString();
  const to = new Date(dayMs + DAY_MS).toISOString();
  return `${symbol}:${number + 1}:${from}:${to}:${Math.round(TRADES_A_DAY[kind] / 24)}:1000`;
}

async function startWorker(place: Place): Promise<{ pid: number; stop(): Promise<void> }> {
  const child = spawn(CDVAULT, ['worker'], {
    env: environmentOf(place),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const said: string[] = [];
  const ready = new Promise<void>((resolve) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      if (line === 'worker: ready') resolve();
    });
  });
  const ended = exited.then(() =>
    Promise.reject(new Error(`the worker ended: ${said.join('\n')}`)),
  );
  await Promise.race([ready, ended]);
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Waits until the tick has run and none of the jobs that follow from it is left. @throws Error when one failed */
async function untilIdle(queue: JobQueue): Promise<void> {
  const startedMs = performance.now();
  for (;;) {
    await sleep(POLL_MS);
    const counts = await queue.counts();
    const failed = counts.filter(({ failed }) => failed > 0);
    if (failed.length > 0) throw new Error(`jobs failed: ${JSON.stringify(failed)}`);
    // The next tick is delayed by an hour.
    const isIdle = counts.every(
      ({ kind, waiting, active, delayed }) =>
        waiting === 0 && active === 0 && (delayed === 0 || kind === 'tick'),
    );
    if (isIdle) return;
    if (secondsSince(startedMs) > 3_600) throw new Error('the look takes more than an hour');
  }
}

async function assertStored(
  store: Store,
  series: readonly MadeSeries[],
  hourMs: number,
): Promise<void> {
  const sql = createSql(store.urls.questdbReadonlyPgUrl, 1);
  try {
    const [from, to] = [hourMs, hourMs + HOUR_MS].map((ms) => new Date(ms).toISOString());
    const rows = await sql.query(
      `SELECT symbol FROM cdv_1m WHERE market = 'binance_spot' AND ts >= '${from}' AND ts < '${to}' GROUP BY symbol`,
    );
    // A thin series may have no trade yet that proves the hour's end: its silent minutes have no bars then.
    if (rows.length < series.length)
      throw new Error(`${rows.length} of ${series.length} series have bars of the hour`);
  } finally {
    await sql.close();
  }
}
