import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { authorization, startServe } from '../support/served.ts';
import { Rig } from './rig.ts';

/** Passwords and tokens are where they must be, in the environment and in files of their owner, and nowhere else. */

const FROM = Date.UTC(2024, 5, 3, 4);
const SYMBOL = unique('SECRET');
const services = inject('services');
const SERVE = 'serve-7c1f0e2d9b8a4653';
const OTHERS = {
  CDVAULT_SERVE_PASSWORD: SERVE,
  // Nobody listens there.
  CDVAULT_GRAFANA_URL: 'http://admin:grafana-5f4dcc3b5aa765d6@127.0.0.1:9/',
  CDVAULT_GRAFANA_TOKEN: 'glsa_0123456789abcdefXYZ',
  CDVAULT_ALERT_URL: 'http://127.0.0.1:9/hooks/alert-d41d8cd98f00b204',
  HTTPS_PROXY: 'http://proxy:proxy-e9800998ecf8427e@127.0.0.1:9',
};
const SECRETS = [
  ...[services.redisUrl, services.questdbPgUrl, services.questdbReadonlyPgUrl].map((url) =>
    decodeURIComponent(new URL(url).password),
  ),
  SERVE,
  'grafana-5f4dcc3b5aa765d6',
  'glsa_0123456789abcdefXYZ',
  'alert-d41d8cd98f00b204',
  'proxy-e9800998ecf8427e',
  // As a header has them.
  authorization('cdvault', SERVE).slice('Basic '.length),
];

const found = (text: string) => SECRETS.filter((secret) => text.includes(secret));

let rig: Rig;

beforeAll(async () => {
  const trades = syntheticTrades({
    seed: 77,
    fromMs: FROM - HOUR_MS,
    toMs: FROM + 2 * HOUR_MS,
    tradesPerHour: 50,
  });
  rig = await Rig.start({ symbols: [{ symbol: SYMBOL, trades }] });
});

afterAll(async () => rig.dispose());

/** The arguments of every process of this machine that may be read. */
function commandLines(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .join('\n');
}

/** All keys of the installation and what is in them. */
async function redisContent(): Promise<string> {
  const redis = rig.redis();
  const texts: string[] = [];
  for (const key of await redis.keys(`*${rig.name}*`)) {
    const read: Readonly<Record<string, () => Promise<unknown>>> = {
      string: async () => redis.get(key),
      hash: async () => redis.hgetall(key),
      list: async () => redis.lrange(key, 0, -1),
      set: async () => redis.smembers(key),
      zset: async () => redis.zrange(key, '0', '-1'),
      stream: async () => redis.xrange(key, '-', '+'),
    };
    texts.push(key, JSON.stringify(await read[await redis.type(key)]?.()));
  }
  return texts.join('\n');
}

test('no password is in arguments, logs, output or Redis while everything runs', async () => {
  const env = { ...OTHERS, CDVAULT_LOG: 'debug' };
  const range = [
    '--from',
    new Date(FROM).toISOString(),
    '--to',
    new Date(FROM + HOUR_MS).toISOString(),
  ];
  const lines: string[] = [];
  const worker = rig.startCli(['worker'], (line) => void lines.push(line), env);
  const { ask, command } = await startServe(rig, [], env);
  const filled = await rig.cli(['backfill', SYMBOL, ...range, '--source', 'rest', '--json'], env);
  expect(filled.exitCode, filled.stderr).toBe(0);
  const processes = commandLines();
  expect(processes).toContain('src/cli/main.ts worker');
  expect(processes).toContain('redis-server');
  expect(processes).toContain('questdb');
  const outputs = [processes, lines.join('\n'), filled.stdout, filled.stderr];
  for (const path of ['/api/v1/status', '/metrics', '/board', '/readyz', '/', '/nowhere'])
    outputs.push(await (await ask(path)).text());
  const content = await redisContent();
  expect(content).toContain(SYMBOL);
  outputs.push(content);
  for (const args of [
    ['doctor', '--json'],
    ['status', '--json'],
    ['verify', SYMBOL, ...range, '--json'],
    ['plan', SYMBOL, ...range, '--json'],
  ]) {
    const { stdout, stderr } = await rig.cli(args, env);
    expect(stdout.startsWith('{'), stderr).toBe(true);
    outputs.push(stdout, stderr);
  }
  worker.kill();
  command.kill();
  for (const { stdout, stderr } of await Promise.all([worker.done, command.done]))
    outputs.push(stdout, stderr);
  expect(outputs.join('\n')).toContain('"level":20');
  expect(outputs.map(found)).toEqual(outputs.map(() => []));
});

test('settings that are wrong are not repeated where they may hold a password', async () => {
  const wrong = {
    REDIS_URL: `http://:${SECRETS[0]}@127.0.0.1:1`,
    QUESTDB_HTTP_URL: `ftp://cdvault:${SECRETS[1]}@127.0.0.1:1`,
    QUESTDB_PG_URL: `mysql://cdvault:${SECRETS[1]}@127.0.0.1:1/qdb`,
    CDVAULT_GRAFANA_URL: `gopher://a:${SECRETS[4]}@b`,
    CDVAULT_ALERT_URL: `${SECRETS[6]}`,
    HTTPS_PROXY: `socks://a:${SECRETS[7]}@b`,
  };
  const { exitCode, stdout, stderr } = await rig.cli(['status'], wrong);
  expect(exitCode).toBe(2);
  for (const name of Object.keys(wrong)) expect(stderr).toContain(name);
  expect(found(stdout + stderr)).toEqual([]);
});

test('services that do not answer are named without their passwords', async () => {
  const dead = (url: string) => {
    const other = new URL(url);
    other.port = '9';
    return other.href;
  };
  for (const [name, url] of [
    ['REDIS_URL', services.redisUrl],
    ['QUESTDB_HTTP_URL', services.questdbHttpUrl],
    ['QUESTDB_PG_URL', services.questdbPgUrl],
  ] as const) {
    const env = { [name]: dead(url), CDVAULT_LOG: 'debug' };
    const { exitCode, stdout, stderr } = await rig.cli(
      ['backfill', SYMBOL, '--from', '2024-01-01', '--to', '2024-01-02'],
      env,
    );
    expect(exitCode, stderr).toBe(5);
    expect(stderr).toContain('127.0.0.1:9');
    expect(found(stdout + stderr)).toEqual([]);
  }
});
