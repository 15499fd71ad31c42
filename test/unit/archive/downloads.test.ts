import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArchiveHost } from '../../../src/adapters/archive/archive-host.ts';
import { dailyKey } from '../../../src/adapters/archive/archive-keys.ts';
import { createArchiveSource } from '../../../src/adapters/archive/archive-source.ts';
import { DownloadFile, Downloads } from '../../../src/adapters/archive/downloads.ts';
import { NO_PROXIES } from '../../../src/adapters/system/proxies.ts';
import { ownIdentity } from '../../../src/adapters/system/process-identity.ts';
import { HOUR_MS } from '../../../src/domain/time/hour.ts';
import { type ArchiveServer, startArchiveServer } from '../../exchange/archive-server.ts';
import { syntheticTrades } from '../../exchange/synthetic-trades.ts';

const DAY = Date.UTC(2024, 2, 5);
const SERIES = { market: 'binance_spot', symbol: 'AAAUSDT' } as const;
const trades = syntheticTrades({
  seed: 15,
  fromMs: DAY,
  toMs: DAY + 24 * HOUR_MS,
  tradesPerHour: 5,
});

let folder: string;
let server: ArchiveServer;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cdvault-downloads-'));
  writeFileSync(path.join(folder, 'file'), '');
  server = await startArchiveServer([{ symbol: SERIES.symbol, trades }]);
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('the folder for downloads', () => {
  test('is deleted with its process; what a killed process left is deleted by the next', () => {
    const root = path.join(folder, 'shared');
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const name = (identity: string) => `${encodeURIComponent(identity)}~abc123`;
    const live = name(ownIdentity());
    const foreign = name('another-host 1 1');
    for (const left of [live, foreign, name(`${hostname()} ${dead} 1`)])
      mkdirSync(path.join(root, left, 'file-1'), { recursive: true });
    writeFileSync(path.join(root, 'notes.txt'), 'not ours');
    const downloads = new Downloads(root);
    const file = path.join(downloads.newFolder(), 'x.zip');
    writeFileSync(file, '');
    const own = path.basename(path.dirname(path.dirname(file)));
    expect(new Set(readdirSync(root))).toEqual(new Set([foreign, live, 'notes.txt', own]));
    downloads.close();
    expect(new Set(readdirSync(root))).toEqual(new Set([foreign, live, 'notes.txt']));
  });
});

describe('a disk that is full', () => {
  test('is detected before the first byte', async () => {
    await expect(DownloadFile.create(path.join(folder, 'a'), 2 ** 52)).rejects.toMatchObject({
      code: 'FOLDER_UNUSABLE',
      retryable: false,
      exitCode: 7,
      message: expect.stringMatching(/bytes free, and the file has 4503599627370496$/) as string,
    });
    expect(readdirSync(folder)).not.toContain('a');
  });

  test('is not reported as a fault of the network', async () => {
    const file = await DownloadFile.create('/dev/full', 0);
    await expect(file.add(Buffer.from('x'))).rejects.toMatchObject({
      code: 'FOLDER_UNUSABLE',
      message: expect.stringContaining('ENOSPC') as string,
    });
    await file.close();
  });

  test('ends a download', async () => {
    const host = new ArchiveHost(server.url, NO_PROXIES);
    const key = dailyKey(SERIES, DAY);
    await expect(
      host.download(key, '/dev/full', AbortSignal.timeout(10_000)),
    ).rejects.toMatchObject({ code: 'FOLDER_UNUSABLE' });
    await host.close();
  });
});

describe('an unusable home folder', () => {
  test.each(['/proc/home', 'file'])('%s: no request is sent', async (home) => {
    const before = server.requests.length;
    const archive = createArchiveSource(server.url, {
      proxies: NO_PROXIES,
      homeDir: path.resolve(folder, home),
    });
    const reading = archive.withDay(SERIES, DAY, AbortSignal.timeout(10_000), async () => true);
    await expect(reading).rejects.toMatchObject({ code: 'FOLDER_UNUSABLE' });
    expect(server.requests).toHaveLength(before);
    await archive.close();
  });
});
