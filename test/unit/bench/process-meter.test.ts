import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runWatched, whileWatching } from '../../bench/process-meter.ts';

const MEGABYTES = 64;
/** Works until it has used 0.3 s of CPU time, however busy the machine is; then exits with code 3. */
const PROGRAM = `
  const held = Buffer.alloc(${MEGABYTES}e6, 1);
  let sum = 0;
  while (process.cpuUsage().user < 300_000) for (let step = 0; step < 1e6; step++) sum += step;
  console.log(held.length);
  process.exit(3);
`;
const isLinux = process.platform === 'linux';

test.runIf(isLinux)('a program: its output, exit code, CPU time and memory', async () => {
  const env = { PATH: process.env['PATH'] ?? '' };
  const ran = await runWatched(process.execPath, ['-e', PROGRAM], env);
  expect(ran).toMatchObject({ stdout: `${MEGABYTES}000000\n`, exitCode: 3 });
  expect(ran.use.cpuS).toBeGreaterThan(0.2);
  expect(ran.use.peakBytes).toBeGreaterThan(MEGABYTES * 1e6);
});

test.runIf(isLinux)(
  'a running process: what it used during the measurement, not before',
  async () => {
    burn(0.5);
    const beforeS = cpuS();
    const { result, uses } = await whileWatching({ me: process.pid }, async () => {
      burn(0.2);
      return 'done';
    });
    const usedS = cpuS() - beforeS;
    expect(result).toBe('done');
    expect(uses['me']?.cpuS).toBeGreaterThan(0.2 - TICK_S);
    expect(uses['me']?.cpuS).toBeLessThan(usedS + TICK_S);
    expect(uses['me']?.peakBytes).toBeGreaterThan(0);
  },
);

test.runIf(isLinux)('a running process: the bytes that it sent to the disk', async () => {
  const write = async (megabytes: number) => {
    // In the project: the folder for temporary files may be in memory.
    const file = path.join(import.meta.dirname, `written-${process.pid}`);
    const descriptor = openSync(file, 'w');
    try {
      writeSync(descriptor, Buffer.alloc(megabytes * 1e6, 1));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
      rmSync(file);
    }
  };
  await write(8);
  const { uses } = await whileWatching({ me: process.pid }, async () => write(4));
  expect(uses['me']?.writtenBytes).toBeGreaterThanOrEqual(4e6);
  expect(uses['me']?.writtenBytes).toBeLessThan(8e6);
});

/** Two samples in the kernel's clock ticks of 10 ms, each the sum of four rounded-down values. */
const TICK_S = 0.08;

function cpuS(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function burn(seconds: number): void {
  const startS = cpuS();
  let sum = 0;
  while (cpuS() - startS < seconds)
    for (let step = 0; step < 1e6; step += 1) sum += Math.sqrt(step);
  expect(sum).toBeGreaterThan(0);
}
