import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Servers } from './installation.ts';
import { reportOf, seedLine } from './report.ts';
import { runSoak } from './run.ts';
import type { Story } from './story.ts';

const USAGE = `usage: make soak ARGS="…"
  (nothing)          50 symbols, three days at 60 times, with faults; continues where the last part stopped
  --short            four hours of three symbols at 180 times, one fault of each kind, for each seed
  --seeds 1-100      of --short; seeds that have ended without a difference are not run again
  --seed N           of the long soak (default 1)
  --hours N --symbols N --speed N --minutes N   other sizes; --minutes is the longest part (default 100)
  --afresh           forget what earlier parts have done`;

const FOLDER = path.join(import.meta.dirname, '../../.cdvault/soak');

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    hours: { type: 'string' },
    symbols: { type: 'string' },
    speed: { type: 'string' },
    minutes: { type: 'string', default: '100' },
    afresh: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function storyOf(seed: number): Story {
  const story: Story = values.short
    ? { seed, symbols: 3, hours: 4, workers: 2, speed: 180, calmHours: 1, faults: 'one of each' }
    : { seed, symbols: 50, hours: 72, workers: 3, speed: 60, calmHours: 3, faults: 'every hour' };
  return {
    ...story,
    hours: Number(values.hours ?? story.hours),
    symbols: Number(values.symbols ?? story.symbols),
    speed: Number(values.speed ?? story.speed),
  };
}

function seedsOf(text: string): number[] {
  if (!/^\d+(-\d+)?$/.test(text))
    throw new Error(`--seeds ${text} is not a number or a range\n${USAGE}`);
  const [from = 1, to = from] = text.split('-').map(Number);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

const say = (line: string): void => console.log(line);
const ending = new AbortController();
process.on('SIGINT', () => ending.abort()).on('SIGTERM', () => ending.abort());
setTimeout(() => ending.abort(), Number(values.minutes) * 60_000).unref();

async function long(): Promise<boolean> {
  const dir = path.join(FOLDER, 'long');
  if (values.afresh) await discard(dir);
  const servers = new Servers(path.join(dir, 'services'));
  try {
    const progress = await runSoak(storyOf(Number(values.seed)), {
      dir,
      servers,
      say,
      signal: ending.signal,
    });
    const report = reportOf(progress);
    writeFileSync(path.join(FOLDER, 'report.md'), report);
    say(`\n${report}`);
    return progress.outcome === undefined || progress.outcome.wrong.length === 0;
  } finally {
    await servers.stop();
  }
}

async function short(): Promise<boolean> {
  const folder = path.join(FOLDER, 'short');
  if (values.afresh) await discard(folder);
  const servers = new Servers(path.join(folder, 'services'));
  let isRight = true;
  try {
    for (const seed of seedsOf(values.seeds)) {
      const dir = path.join(folder, `seed-${seed}`);
      const part = { dir, servers, signal: ending.signal, say: () => undefined };
      const progress = await runSoak(storyOf(seed), part);
      if (ending.signal.aborted && progress.outcome === undefined) break;
      say(seedLine(progress));
      if (progress.outcome?.wrong.length !== 0) isRight = false;
    }
  } finally {
    await servers.stop();
  }
  return isRight;
}

async function discard(dir: string): Promise<void> {
  await new Servers(path.join(dir, 'services')).stop();
  rmSync(dir, { recursive: true, force: true });
}

if (values.help) say(USAGE);
else {
  mkdirSync(FOLDER, { recursive: true });
  const isRight = await (values.short ? short() : long());
  process.exitCode = isRight ? 0 : 1;
}
