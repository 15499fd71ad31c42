import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { type ArchiveServer, startArchiveServer } from '../exchange/archive-server.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { Rig } from './rig.ts';

const DAY = Date.UTC(2024, 8, 4);
const ARGS = ['--from', '2024-09-04', '--to', '2024-09-05'];
const [GOOD = '', BAD = ''] = ['DWNA', 'DWNB'].map(unique);
const trades = syntheticTrades({
  seed: 15,
  fromMs: DAY - HOUR_MS,
  toMs: DAY + 25 * HOUR_MS,
  tradesPerHour: 20,
});

let rig: Rig;
let archive: ArchiveServer;
let folder: string;

beforeAll(async () => {
  const symbols = [GOOD, BAD].map((symbol) => ({ symbol, trades }));
  archive = await startArchiveServer(symbols);
  rig = await Rig.start({ symbols, archiveUrl: archive.url });
  folder = await mkdtemp(path.join(tmpdir(), 'cdvault-home-'));
});

afterAll(async () => {
  await rig.dispose();
  await archive.close();
  await rm(folder, { recursive: true });
});

test('files are kept under CDVAULT_HOME while they are read, and need no temporary folder', async () => {
  const CDVAULT_HOME = path.join(folder, 'home');
  const { exitCode } = await rig.cli(['backfill', GOOD, ...ARGS], {
    CDVAULT_HOME,
    TMPDIR: '/nonexistent',
  });
  expect(exitCode).toBe(0);
  expect(await readdir(CDVAULT_HOME)).toEqual(['downloads']);
  expect(await readdir(path.join(CDVAULT_HOME, 'downloads'))).toEqual([]);
});

test('a home that can’t be used ends the command with exit code 7', async () => {
  const CDVAULT_HOME = path.join(folder, 'file');
  await writeFile(CDVAULT_HOME, '');
  const { exitCode, stderr } = await rig.cli(['backfill', BAD, ...ARGS], { CDVAULT_HOME });
  expect(stderr).toContain('error FOLDER_UNUSABLE: downloads: ENOTDIR');
  expect(stderr).toContain('CDVAULT_HOME');
  expect(exitCode).toBe(7);
});
