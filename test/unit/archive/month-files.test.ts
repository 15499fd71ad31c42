import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MonthFiles } from '../../../src/adapters/archive/month-files.ts';
import { NEVER } from '../../support/store.ts';

let root: string;
let months: MonthFiles<string>;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'cdvault-months-'));
  months = new MonthFiles();
});

afterEach(async () => rm(root, { recursive: true, force: true }));

interface Downloading {
  readonly folder: string;
  readonly file: Promise<string | undefined>;
  readonly arrive: () => Promise<void>;
  readonly end: (failure?: Error) => void;
}

async function downloading(): Promise<Downloading> {
  const folder = await mkdtemp(path.join(root, 'month-'));
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  return {
    folder,
    file: promise,
    arrive: async () => {
      const file = path.join(folder, 'month.zip');
      await writeFile(file, 'rows');
      resolve(file);
    },
    end: (failure) => (failure === undefined ? resolve(undefined) : reject(failure)),
  };
}

const read = async (file: string) => readFile(file, 'utf8');

describe('a monthly file when one of its users is told to stop', () => {
  test('stays for the others that wait for it', async () => {
    const download = await downloading();
    const stop = new AbortController();
    const stopped = months.use('m', () => download, stop.signal, read);
    const other = months.use('m', () => download, NEVER, read);
    stop.abort(new Error('stop'));
    await expect(stopped).rejects.toThrow('stop');
    expect(existsSync(download.folder)).toBe(true);
    await download.arrive();
    expect(await other).toBe('rows');
  });

  test('stays for the others that read it', async () => {
    const download = await downloading();
    await download.arrive();
    const reading = Promise.withResolvers<void>();
    const other = months.use(
      'm',
      () => download,
      NEVER,
      async (file) => {
        await reading.promise;
        return read(file);
      },
    );
    const stop = new AbortController();
    const stopped = months.use(
      'm',
      () => download,
      stop.signal,
      async () => {
        stop.abort(new Error('stop'));
        throw stop.signal.reason;
      },
    );
    await expect(stopped).rejects.toThrow('stop');
    await expect(months.use('m', () => download, AbortSignal.abort(), read)).rejects.toThrow();
    reading.resolve();
    expect(await other).toBe('rows');
  });

  test('is not downloaded again for later users', async () => {
    const download = await downloading();
    const stop = new AbortController();
    const stopped = months.use('m', () => download, stop.signal, read);
    stop.abort(new Error('stop'));
    await expect(stopped).rejects.toThrow('stop');
    const later = months.use('m', () => expect.fail('opened again'), NEVER, read);
    await download.arrive();
    expect(await later).toBe('rows');
  });
});

describe.each([
  ['that is absent', undefined],
  ['that could not be fetched', new Error('host down')],
] as const)('a monthly file %s', (_, failure) => {
  test('is requested again, and its folder is deleted with its last user', async () => {
    const download = await downloading();
    const waiting = [1, 2].map(async () => months.use('m', () => download, NEVER, read));
    download.end(failure);
    const ended = await Promise.allSettled(waiting);
    expect(ended.map(({ status }) => status)).toEqual(
      Array.from(ended, () => (failure === undefined ? 'fulfilled' : 'rejected')),
    );
    expect(existsSync(download.folder)).toBe(false);
    const next = await downloading();
    await next.arrive();
    expect(await months.use('m', () => next, NEVER, read)).toBe('rows');
  });

  test('leaves no folder when nobody waits for it any more', async () => {
    const download = await downloading();
    const stop = new AbortController();
    const stopped = months.use('m', () => download, stop.signal, read);
    stop.abort(new Error('stop'));
    await expect(stopped).rejects.toThrow('stop');
    download.end(failure);
    await expect.poll(() => existsSync(download.folder)).toBe(false);
  });
});

test('the oldest month is deleted for a newer one, but none that is being read', async () => {
  const open = await Promise.all([1, 2, 3, 4].map(async () => downloading()));
  for (const download of open) await download.arrive();
  const reading = Promise.withResolvers<void>();
  const use = async (index: number) =>
    months.use(
      String(index),
      () => open[index] ?? expect.fail(),
      NEVER,
      async (file) => {
        if (index === 0) await reading.promise;
        return read(file);
      },
    );
  const first = use(0);
  for (const index of [1, 2, 3]) await use(index);
  expect(open.map(({ folder }) => existsSync(folder))).toEqual([true, false, false, true]);
  reading.resolve();
  expect(await first).toBe('rows');
  await months.close();
  expect(open.map(({ folder }) => existsSync(folder))).toEqual([false, false, false, false]);
});
