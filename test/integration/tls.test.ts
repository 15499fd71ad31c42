import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { choosePort } from '../../src/adapters/services/ports.ts';
import { ensureServices } from '../../src/adapters/services/ladder.ts';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import { loadConfig } from '../../src/config.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { Rig } from '../e2e/rig.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { startTlsProxy, type TlsProxy } from '../support/tls-proxy.ts';
import { unique } from '../support/command-line.ts';

/** Redis with TLS of its own and a user; QuestDB, which has none, behind proxies that end TLS. */

const plain = inject('services');
/** With characters that must be escaped in a URL. */
const PASSWORD = 'p@ss/w%rd:9f8e7d';
const HOUR = Date.UTC(2024, 0, 1, 5);
const symbol = unique('TLS');

let folder: string;
let certificates: Certificates;
let redis: ChildProcess;
let redisPort: number;
let proxies: Readonly<Record<'http' | 'pg' | 'redis', TlsProxy>>;
let urls: ServiceUrls;
let rig: Rig;

const portOf = (url: string) => Number(new URL(url).port);

/** @param scheme replaces that of the URL */
function through(url: string, port: number, scheme: string, query = ''): string {
  const { username, password, pathname } = new URL(url);
  return `${scheme}://${username}:${password}@127.0.0.1:${port}${pathname}${query}`;
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cdvault-tls-'));
  certificates = makeCertificates(folder);
  redisPort = await choosePort([]);
  const { ca, cert, key } = certificates;
  const settings = [
    'bind 127.0.0.1',
    'port 0',
    `tls-port ${redisPort}`,
    `tls-cert-file ${cert}`,
    `tls-key-file ${key}`,
    `tls-ca-cert-file ${ca}`,
    'tls-auth-clients no',
    `dir ${folder}`,
    'save ""',
    'appendonly yes',
    'user default off',
    `user app on ">${PASSWORD}" ~* &* +@all`,
  ];
  writeFileSync(path.join(folder, 'redis.conf'), settings.join('\n'));
  redis = spawn('redis-server', [path.join(folder, 'redis.conf')], { stdio: 'ignore' });
  proxies = {
    http: await startTlsProxy('tls', certificates, portOf(plain.questdbHttpUrl)),
    pg: await startTlsProxy('postgresql', certificates, portOf(plain.questdbPgUrl)),
    redis: await startTlsProxy('tls', certificates, portOf(plain.redisUrl)),
  };
  const secure = '?sslmode=verify-full';
  urls = {
    how: 'environment',
    redisUrl: `rediss://app:${encodeURIComponent(PASSWORD)}@127.0.0.1:${redisPort}/0`,
    questdbHttpUrl: through(plain.questdbHttpUrl, proxies.http.port, 'https'),
    questdbPgUrl: through(plain.questdbPgUrl, proxies.pg.port, 'postgresql', secure),
    questdbReadonlyPgUrl: through(
      plain.questdbReadonlyPgUrl,
      proxies.pg.port,
      'postgresql',
      secure,
    ),
  };
  const trades = syntheticTrades({
    seed: 5,
    fromMs: HOUR - 600_000,
    toMs: HOUR + 4_200_000,
    tradesPerHour: 60,
  });
  rig = await Rig.start({ symbols: [{ symbol, trades }] });
});

afterAll(async () => {
  await rig.dispose();
  await Promise.all(Object.values(proxies).map(async (proxy) => proxy.close()));
  const gone = once(redis, 'exit');
  redis.kill();
  await gone;
  rmSync(folder, { recursive: true });
});

const variables = (of: ServiceUrls) => ({
  REDIS_URL: of.redisUrl,
  QUESTDB_HTTP_URL: of.questdbHttpUrl,
  QUESTDB_PG_URL: of.questdbPgUrl,
  QUESTDB_READONLY_PG_URL: of.questdbReadonlyPgUrl,
});

test('a backfill through TLS to all services: queue, rows and SQL', async () => {
  const all = { ...urls, redisUrl: through(plain.redisUrl, proxies.redis.port, 'rediss') };
  const env = { ...variables(all), NODE_EXTRA_CA_CERTS: certificates.ca };
  const range = [
    '--from',
    new Date(HOUR).toISOString(),
    '--to',
    new Date(HOUR + 3_600_000).toISOString(),
  ];
  const filled = await rig.cli(['backfill', symbol, ...range, '--source', 'rest'], env);
  expect(filled.exitCode, filled.stderr).toBe(0);
  const shown = await rig.cli(['show', symbol, ...range, '--interval', '1h', '--json'], env);
  expect(shown.exitCode, shown.stderr).toBe(0);
  const counts = Object.values(proxies).map(({ accepted }) => accepted());
  expect(counts.every((count) => count > 0)).toBe(true);
  // A worker has a connection that blocks, beside that for commands.
  expect(proxies.redis.accepted()).toBeGreaterThan(2);
});

test('a user and a password of a Redis with TLS', async () => {
  const env = { ...variables(urls), NODE_EXTRA_CA_CERTS: certificates.ca };
  const status = await rig.cli(['status'], env);
  // Its exit code is about what other tests have stored.
  expect(status.stdout, status.stderr).toContain('store: answers');
  expect(status.stdout).toContain('queue: empty');
});

/** In this process, which does not know the CA. */
async function failureOf(of: Partial<ServiceUrls>): Promise<{ code: string; text: string }> {
  const given = { ...plain, ...of };
  const config = loadConfig({ services: 'environment', ...given }, {});
  const signal = AbortSignal.timeout(60_000);
  const startedMs = performance.now();
  const thrown: unknown = await ensureServices({
    ...config.services,
    say: () => undefined,
    signal,
  }).catch((error: unknown) => error);
  // The probe of each service has 3 s, and Redis’ call 15 s; nobody waits for a server that will not answer.
  expect(performance.now() - startedMs).toBeLessThan(20_000);
  const { code, message, advice } = thrown as { code: string; message: string; advice: string };
  const text = `${message}\n${advice}`;
  for (const url of Object.values(given)) {
    if (!URL.canParse(url)) continue;
    const { password } = new URL(url);
    expect(text).not.toContain(password);
    expect(text).not.toContain(decodeURIComponent(password));
  }
  return { code, text };
}

test.each([
  ['REDIS_URL', () => ({ redisUrl: urls.redisUrl }), 'REDIS_UNREACHABLE'],
  ['QUESTDB_HTTP_URL', () => ({ questdbHttpUrl: urls.questdbHttpUrl }), 'STORE_UNREACHABLE'],
  ['QUESTDB_PG_URL', () => ({ questdbPgUrl: urls.questdbPgUrl }), 'STORE_UNREACHABLE'],
])('a certificate of a CA that is not known: %s', async (name, of, code) => {
  const failure = await failureOf(of());
  expect(failure.code).toBe(code);
  expect(failure.text).toMatch(/unable to verify|self-signed certificate|local issuer/);
  expect(failure.text).toContain(`Check the host in ${name}`);
  expect(failure.text).toContain('NODE_EXTRA_CA_CERTS');
});

const otherPassword = (url: string) => {
  const other = new URL(url);
  other.password = 'wrong-0123456789';
  return other.href;
};

test.each([
  ['REDIS_URL', () => ({ redisUrl: otherPassword(plain.redisUrl) }), 'REDIS_REFUSED'],
  [
    'QUESTDB_HTTP_URL',
    () => ({ questdbHttpUrl: otherPassword(plain.questdbHttpUrl) }),
    'STORE_REFUSED',
  ],
  ['QUESTDB_PG_URL', () => ({ questdbPgUrl: otherPassword(plain.questdbPgUrl) }), 'STORE_REFUSED'],
])('a wrong password: %s', async (_, of, code) => {
  expect((await failureOf(of())).code).toBe(code);
});

test.each([
  [
    'REDIS_URL',
    () => ({ redisUrl: through(plain.redisUrl, portOf(plain.redisUrl), 'rediss') }),
    'REDIS_UNREACHABLE',
  ],
  [
    'QUESTDB_HTTP_URL',
    () => ({ questdbHttpUrl: plain.questdbHttpUrl.replace('http:', 'https:') }),
    'STORE_UNREACHABLE',
  ],
  [
    'QUESTDB_PG_URL',
    () => ({ questdbPgUrl: `${plain.questdbPgUrl}?sslmode=verify-full` }),
    'STORE_UNREACHABLE',
  ],
])('a URL with TLS and a server without: %s', async (_, of, code) => {
  expect((await failureOf(of())).code).toBe(code);
});

test.each([
  [
    'REDIS_URL',
    () => ({ redisUrl: urls.redisUrl.replace('rediss:', 'redis:') }),
    'REDIS_UNREACHABLE',
  ],
  [
    'QUESTDB_HTTP_URL',
    () => ({ questdbHttpUrl: urls.questdbHttpUrl.replace('https:', 'http:') }),
    'STORE_UNREACHABLE',
  ],
  [
    'QUESTDB_PG_URL',
    () => ({ questdbPgUrl: urls.questdbPgUrl.replace(/\?.*/, '') }),
    'STORE_UNREACHABLE',
  ],
])('a URL without TLS and a server with it: %s', async (_, of, code) => {
  expect((await failureOf(of())).code).toBe(code);
});
