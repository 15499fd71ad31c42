import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { type ArchiveServer, startArchiveServer } from '../exchange/archive-server.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { type HttpProxy, startHttpProxy } from '../support/http-proxy.ts';
import { Rig } from './rig.ts';

/** Requests to the exchange through a proxy. */

const DAY = Date.UTC(2024, 8, 4);
const DATES = ['--from', '2024-09-04', '--to', '2024-09-05'];
const SYMBOLS = ['PRXA', 'PRXB', 'PRXC'].map(unique);
const [LOWER = '', EXCEPT = '', TUNNEL = ''] = SYMBOLS;
const trades = syntheticTrades({
  seed: 14,
  fromMs: DAY - HOUR_MS,
  toMs: DAY + 25 * HOUR_MS,
  tradesPerHour: 20,
});

let rig: Rig;
let archive: ArchiveServer;
let proxy: HttpProxy;

beforeAll(async () => {
  const symbols = SYMBOLS.map((symbol) => ({ symbol, trades }));
  archive = await startArchiveServer(symbols);
  rig = await Rig.start({ symbols, archiveUrl: archive.url });
});

afterEach(async () => proxy.close());

afterAll(async () => {
  await rig.dispose();
  await archive.close();
});

test('both hosts of the exchange are asked through the proxy, the services never', async () => {
  // Names that only the proxy can resolve.
  proxy = await startHttpProxy({
    'exchange.invalid:80': new URL(rig.exchange.url).host,
    'archive.invalid:80': new URL(archive.url).host,
  });
  const { exitCode, stderr } = await rig.cli(['backfill', LOWER, ...DATES], {
    BINANCE_SPOT_URL: 'http://exchange.invalid',
    BINANCE_ARCHIVE_URL: 'http://archive.invalid',
    http_proxy: proxy.url,
    // A variable for other programs; nothing listens there.
    HTTP_PROXY: 'http://127.0.0.1:9',
    // Makes Node.js send its own requests through the proxy.
    NODE_USE_ENV_PROXY: '1',
  });
  expect(stderr).toContain('24 of 24 hours proven');
  expect(exitCode).toBe(0);
  const hosts = new Set(proxy.asked.map((line) => line.split(' ')[1]));
  expect(hosts).toEqual(new Set(['archive.invalid:80', 'exchange.invalid:80']));
});

test('a host of NO_PROXY is asked directly', async () => {
  proxy = await startHttpProxy({});
  const { exitCode } = await rig.cli(['backfill', EXCEPT, ...DATES], {
    HTTP_PROXY: proxy.url,
    NO_PROXY: 'example.com,127.0.0.1',
  });
  expect({ exitCode, asked: proxy.asked }).toEqual({ exitCode: 0, asked: [] });
});

test('an https:// host is asked through a tunnel, under its own name', async () => {
  // The simulator is no TLS server, so the request fails; only the bytes that reach it matter.
  proxy = await startHttpProxy({ 'exchange.invalid:443': new URL(rig.exchange.url).host });
  const command = rig.startCli(['backfill', TUNNEL, ...DATES, '--source', 'rest'], undefined, {
    BINANCE_SPOT_URL: 'https://exchange.invalid',
    // Without a scheme, as some users write it.
    HTTPS_PROXY: new URL(proxy.url).host,
  });
  await expect.poll(() => proxy.tunnelled.length, { timeout: 60_000 }).toBeGreaterThan(0);
  command.kill('SIGKILL');
  expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT exchange.invalid:443']));
  const [hello] = proxy.tunnelled;
  // The type of a TLS handshake record.
  expect(hello?.[0]).toBe(0x16);
  expect(hello?.includes('exchange.invalid')).toBe(true);
});
