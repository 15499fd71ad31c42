import { readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { unlessAborted, within } from '../../../src/adapters/system/within.ts';

const never = new Promise<never>(() => undefined);
const late = () => new Error('too late');

/** Blocks like a stopped process: nothing runs in it, while other threads and the kernel continue. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('within()', () => {
  test('work keeps its own result or error', async () => {
    expect(await within(sleep(5, 'done'), { ms: 2_000, late })).toBe('done');
    const failing = Promise.reject(new Error('its own'));
    await expect(within(failing, { ms: 2_000, late })).rejects.toThrow('its own');
  });

  test('work that does not end fails with the caller’s error', async () => {
    const startMs = performance.now();
    await expect(within(never, { ms: 50, late })).rejects.toThrow('too late');
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(49);
  });

  test('an abort ends the wait with its reason', async () => {
    const abort = new AbortController();
    const waiting = within(never, { ms: 60_000, signal: abort.signal, late });
    abort.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
    await expect(within(never, { ms: 60_000, signal: abort.signal, late })).rejects.toThrow('stop');
  });

  test('an error after the end is ignored', async () => {
    const failing = sleep(150).then(() => Promise.reject(new Error('after the end')));
    await expect(within(failing, { ms: 1, late })).rejects.toThrow('too late');
    await sleep(100);
  });

  test('no timer is left running', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
    const before = timers().length;
    await within(stat('.'), { ms: 60_000, late });
    expect(timers()).toHaveLength(before);
  });
});

describe('a process that was stopped', () => {
  test('gets what has arrived meanwhile, although its time is over', async () => {
    const work = within(stat('.'), { ms: 20, late });
    standStill(100);
    expect((await work).isDirectory()).toBe(true);
  });

  test('gets its whole time again for work of several steps', async () => {
    // Each step needs the event loop before the next one begins.
    const steps = sleep(0)
      .then(async () => sleep(150))
      .then(async () => readFile('package.json'));
    const work = within(steps, { ms: 250, late });
    standStill(1_000);
    expect(await work).toBeInstanceOf(Buffer);
  });
});

describe('unlessAborted()', () => {
  test('work keeps its own result or error', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(sleep(5, 'done'), signal)).toBe('done');
    await expect(unlessAborted(Promise.reject(new Error('its own')), signal)).rejects.toThrow(
      'its own',
    );
  });

  test('an abort ends the wait with its reason, before or during it', async () => {
    const abort = new AbortController();
    const waiting = unlessAborted(never, abort.signal);
    abort.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
    await expect(unlessAborted(never, abort.signal)).rejects.toThrow('stop');
  });
});
