import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { proxied, type ProxiedServices, proxyServices } from '../support/proxied-services.ts';
import { Rig } from './rig.ts';

/** Commands end on a signal while the store does not answer, for two minutes or at all. */

const START = Date.UTC(2024, 8, 3, 10);
const RANGE = ['--from', '2024-09-03T10:00Z', '--to', '2024-09-03T11:00Z'];
const SYMBOL = unique('WAIT');
const MOST_MS = 10_000;

let rig: Rig;
let services: ProxiedServices;

beforeAll(async () => {
  services = await proxyServices(inject('services'));
  const trades = syntheticTrades({
    seed: 16,
    fromMs: START - HOUR_MS,
    toMs: START + 2 * HOUR_MS,
    tradesPerHour: 50,
  });
  rig = await Rig.start({ symbols: [{ symbol: SYMBOL, trades }] });
  expect(await rig.cli(['backfill', SYMBOL, ...RANGE])).toMatchObject({ exitCode: 0 });
});

afterEach(async () => services.questdbPg.heal());

afterAll(async () => {
  await services.close();
  await rm(path.join(tmpdir(), SYMBOL), { recursive: true, force: true });
  await rig.dispose();
});

test.each([
  ['show', ['show', SYMBOL, ...RANGE]],
  ['verify', ['verify', SYMBOL, ...RANGE, '--no-klines']],
  ['export', ['export', SYMBOL, ...RANGE, '--out', path.join(tmpdir(), SYMBOL)]],
  ['status', ['status']],
])('%s ends within ten seconds of SIGTERM while the store does not answer', async (_, args) => {
  // The first query of the command itself, after the checks of services and schema.
  const held = services.questdbPg.hold(args[0] === 'status' ? 'FROM slices' : SYMBOL, 'answer');
  const command = rig.startCli(args, undefined, proxied(services));
  await held.reached;
  services.questdbPg.hang();
  const signalAtMs = performance.now();
  command.kill('SIGTERM');
  const { exitCode, stderr } = await command.done;
  expect(performance.now() - signalAtMs).toBeLessThan(MOST_MS);
  expect(stderr).toContain('error INTERRUPTED');
  expect(exitCode).toBe(130);
});
