import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkVersion } from '../../src/adapters/questdb/server-check.ts';
import type { Sql } from '../../src/adapters/questdb/sql.ts';
import type { App } from '../../src/cli/compose.ts';
import { assertFits } from '../../src/cli/print/plan-report.ts';
import { CdvaultError } from '../../src/domain/errors.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { Rig, spot } from './rig.ts';

const START = Date.UTC(2024, 1, 5, 10);
const RANGE = ['--from', '2024-02-05T10:00Z', '--to', '2024-02-05T11:00Z'];
const trades = syntheticTrades({
  seed: 41,
  fromMs: START - HOUR_MS,
  toMs: START + 3 * HOUR_MS,
  tradesPerHour: 50,
});
/** Listed at the exchange, never stored. */
const LISTED = unique('BADA');
const DELISTED = unique('BADB');

let rig: Rig;
let app: App;

beforeAll(async () => {
  rig = await Rig.start({ symbols: [LISTED, DELISTED].map((symbol) => ({ symbol, trades })) });
  app = await rig.app();
});

afterAll(async () => rig.dispose());

async function expectUntouched(symbol: string): Promise<void> {
  expect(await app.ledger.knows(spot(symbol))).toBe(false);
  expect(await app.catalogue.find(spot(symbol))).toBeUndefined();
  for (const { waiting, active, delayed, failed } of await app.queue.counts())
    expect(waiting + active + delayed + failed).toBe(0);
  // One request checks whether a symbol that is not listed has ever traded; it gets no rows.
  expect(rig.exchange.requests.tradeRequests().filter(({ rows = 0 }) => rows > 0)).toEqual([]);
}

const PAST = '2024-02-05T10:00Z';
const LATER = '2024-02-05T12:00Z';

// Unit tests cover how times, symbols and numbers are parsed; these tests cover how a command ends.
test.each([
  ['an unknown symbol', ['NOSUCHCOIN', ...RANGE], 'UNKNOWN_SYMBOL', 'does not list NOSUCHCOIN'],
  ['--from after --to', [LISTED, '--from', LATER, '--to', PAST], 'BAD_RANGE', 'is not before'],
  ['an unparsable --from', [LISTED, '--from', 'yesterdy', '--to', PAST], 'BAD_TIME', 'yesterdy'],
  ['an end in the future', [LISTED, '--from', PAST, '--to', '2099-01-01'], 'BAD_RANGE', 'future'],
  ['an unknown market', [LISTED, ...RANGE, '--market', 'moon'], 'USAGE', 'unknown market "moon"'],
  [
    'a spot symbol on USD-M',
    [LISTED, ...RANGE, '--market', 'um'],
    'UNKNOWN_SYMBOL',
    'does not list',
  ],
  ['a weight share above 1', [LISTED, ...RANGE, '--weight-share', '1.5'], 'USAGE', '0.01 to 1'],
])('backfill with %s ends with exit code 2 and touches nothing', async (_, args, code, words) => {
  rig.exchange.requests.clear();
  const { exitCode, stdout, stderr } = await rig.cli(['backfill', ...args]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain(words);
  expect(stderr).toContain(`error ${code}: `);
  await expectUntouched(LISTED);
});

test.each([
  ['show with an unknown interval', ['show', LISTED, ...RANGE, '--interval', '7m'], '1m, 3m, 5m'],
  [
    'show with a session in an unknown zone',
    ['show', LISTED, ...RANGE, '--anchor', 'session:09:30@America/Atlantis'],
    'unknown time zone "America/Atlantis"',
  ],
  [
    'show of bars that cross the anchor',
    [
      'show',
      LISTED,
      '--from',
      '2024-03-05T12:00Z',
      '--interval',
      '1h',
      '--anchor',
      '2024-03-05T06:40Z',
    ],
    'The nearest possible one is 2024-03-05T07:00',
  ],
  ['schedule of an unknown symbol', ['schedule', 'NOSUCHCOIN', '--from', PAST], 'does not list'],
  ['plan for COIN-M', ['plan', LISTED, ...RANGE, '--market', 'cm'], 'does not list'],
])('%s ends with exit code 2 and touches nothing', async (_, args, words) => {
  rig.exchange.requests.clear();
  const { exitCode, stderr } = await rig.cli(args);
  expect(stderr).toContain(words);
  expect(exitCode).toBe(2);
  await expectUntouched(LISTED);
});

test('with --json the error is one line of JSON', async () => {
  const { exitCode, stdout } = await rig.cli(['backfill', 'NOSUCHCOIN', ...RANGE, '--json']);
  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({
    type: 'error',
    code: 'UNKNOWN_SYMBOL',
    exitCode: 2,
    retryable: false,
    advice: expect.stringContaining('spelling'),
  });
});

test('a symbol that the ledger knows is accepted although the exchange has delisted it', async () => {
  expect(await rig.cli(['backfill', DELISTED, ...RANGE])).toMatchObject({ exitCode: 0 });
  rig.exchange.delist(DELISTED);
  rig.exchange.requests.clear();
  const { exitCode, stderr } = await rig.cli(['backfill', DELISTED, ...RANGE]);
  expect(stderr).toContain('1 of 1 hour proven');
  expect(exitCode).toBe(0);
  expect(rig.exchange.requests.entries).toEqual([]);
});

describe('unreachable services', () => {
  test.each([
    ['Redis', 'REDIS_URL', 'redis', 'REDIS_UNREACHABLE'],
    ['QuestDB over HTTP', 'QUESTDB_HTTP_URL', 'http', 'STORE_UNREACHABLE'],
    ['QuestDB over PG', 'QUESTDB_PG_URL', 'postgresql', 'STORE_UNREACHABLE'],
  ])('%s ends a command with exit code 5', async (_, name, scheme, code) => {
    const url = `${scheme}://user:pass@127.0.0.1:${await closedPort()}`;
    const result = await rig.cli(['backfill', LISTED, ...RANGE], { [name]: url });
    expect(result.stderr).toContain(`error ${code}: `);
    expect(result.stderr).not.toContain('pass@');
    expect(result.exitCode).toBe(5);
  });

  test('only some of the URLs end a command with exit code 2', async () => {
    const { exitCode, stderr } = await rig.cli(['status'], { REDIS_URL: '' });
    expect(stderr).toContain('but not REDIS_URL');
    expect(exitCode).toBe(2);
  });
});

describe('services that refuse access', () => {
  const changed = (url: string, change: (url: URL) => void): string => {
    const wrong = new URL(url);
    change(wrong);
    return wrong.href;
  };

  test.each([
    {
      service: 'Redis',
      name: 'REDIS_URL',
      key: 'redisUrl',
      code: 'REDIS_REFUSED',
      words: 'WRONGPASS',
    },
    {
      service: 'QuestDB over HTTP',
      name: 'QUESTDB_HTTP_URL',
      key: 'questdbHttpUrl',
      code: 'STORE_REFUSED',
      words: 'HTTP 401',
    },
    {
      service: 'QuestDB over PG',
      name: 'QUESTDB_PG_URL',
      key: 'questdbPgUrl',
      code: 'STORE_REFUSED',
      words: 'invalid username',
    },
    {
      service: 'QuestDB for the read-only user',
      name: 'QUESTDB_READONLY_PG_URL',
      key: 'questdbReadonlyPgUrl',
      code: 'STORE_REFUSED',
      words: 'invalid username',
    },
  ] as const)('a wrong password of $service: exit code 7', async ({ name, key, code, words }) => {
    const url = changed(rig.services[key], (to) => (to.password = 'wrong-secret'));
    const { exitCode, stderr } = await rig.cli(['status'], { [name]: url });
    expect(stderr).toContain(`error ${code}: `);
    expect(stderr).toContain(words);
    expect(stderr).toContain(name);
    expect(stderr).not.toContain('wrong-secret');
    expect(exitCode).toBe(7);
  });

  test('a database that Redis does not have ends a command with exit code 7; database 0 is not used', async () => {
    const url = changed(rig.services.redisUrl, (to) => (to.pathname = '/99'));
    const { exitCode, stderr } = await rig.cli(['status'], { REDIS_URL: url });
    expect(stderr).toContain('error REDIS_REFUSED: ');
    expect(stderr).toContain('DB index is out of range');
    expect(exitCode).toBe(7);
  });

  test('a database of Redis that is not a number ends a command with exit code 2', async () => {
    const url = changed(rig.services.redisUrl, (to) => (to.pathname = '/abc'));
    const { exitCode, stderr } = await rig.cli(['status'], { REDIS_URL: url });
    expect(stderr).toContain('error SERVICES_CONFIG: REDIS_URL does not name its database');
    expect(exitCode).toBe(2);
  });
});

/** A port on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return port;
}

describe('disk space and versions', () => {
  test('a plan larger than the free disk space is refused with the free space', () => {
    const gigabyte = 1024 ** 3;
    expect(() => assertFits(gigabyte, 1.3 * gigabyte, '/store')).not.toThrow();
    const refused = errorOf(() => assertFits(gigabyte, 1.1 * gigabyte, '/store'));
    expect(refused?.code).toBe('DISK_TOO_SMALL');
    expect(refused?.exitCode).toBe(7);
    expect(refused?.message).toMatch(/1\.0 GiB.*\/store has 1\.1 GiB free/);
    expect(refused?.advice).toContain('shorter range');
  });

  function errorOf(call: () => void): CdvaultError | undefined {
    try {
      call();
    } catch (error) {
      if (error instanceof CdvaultError) return error;
    }
    return undefined;
  }

  const quiet = { debug() {}, info() {}, warn() {}, error() {} };

  function server(build: string): Sql {
    return {
      query: async () => [{ build }],
      eachRow: async () => undefined,
      waitApplied: async () => undefined,
      close: async () => undefined,
    };
  }

  test.each(['QuestDB 9.3.3', 'QuestDB 8.99.99', 'QuestDB 6.0.0', 'PostgreSQL 17'])(
    'a store that reports %s is refused',
    async (name) => {
      const build = `Build Information: ${name}, JDK 17.0.1, Commit Hash abc`;
      await expect(checkVersion(server(build), quiet)).rejects.toSatisfy(
        (error) => error instanceof CdvaultError && error.code === 'STORE_TOO_OLD',
      );
    },
  );

  test.each([
    ['9.3.4', 0],
    ['9.3.10', 1],
    ['10.0.0', 1],
  ])('QuestDB %s is accepted with %i warnings', async (version, count) => {
    const warnings: string[] = [];
    const log = { ...quiet, warn: (_: unknown, message: string) => warnings.push(message) };
    const build = `Build Information: QuestDB ${version}, JDK 17.0.1, Commit Hash abc`;
    expect(await checkVersion(server(build), log)).toBe(version);
    expect(warnings).toHaveLength(count);
  });
});
