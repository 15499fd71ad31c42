import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedTestContainer } from 'testcontainers';
import { loadConfig } from '../../src/config.ts';
import { migrate } from '../../src/adapters/questdb/migrate.ts';
import { checkSchema, checkVersion } from '../../src/adapters/questdb/server-check.ts';
import { createSql } from '../../src/adapters/questdb/sql.ts';
import { checkRedis, createRedis } from '../../src/adapters/redis/connection.ts';
import { hasContainerEngine } from '../../src/adapters/services/containers.ts';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import { cliEnv, runCli, unique } from '../support/command-line.ts';
import { startExchangeProcess } from '../support/exchange-process.ts';
import { silentLog } from '../support/store.ts';

/** Tests with the official images. Without a container engine they are skipped, and say so. */
const hasEngine = await hasContainerEngine({
  ...loadConfig().services,
  say: () => undefined,
  signal: new AbortController().signal,
});
const why = hasEngine ? '' : ' (SKIPPED: no container engine answers)';

describe.skipIf(!hasEngine)(`containers of the official images${why}`, () => {
  const started: StartedTestContainer[] = [];
  let services: ServiceUrls;

  beforeAll(async () => {
    // Imported here, since the import takes seconds that are only needed where an engine runs.
    const { GenericContainer, Wait } = await import('testcontainers');
    const questdb = await new GenericContainer('questdb/questdb:9.3.4')
      .withExposedPorts(9000, 8812)
      .withWaitStrategy(Wait.forHttp('/ping', 9000).forStatusCode(204))
      .start();
    started.push(questdb);
    const redis = await new GenericContainer('redis:8')
      .withCommand(['redis-server', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'])
      .withExposedPorts(6379)
      .start();
    started.push(redis);
    const address = (of: StartedTestContainer, port: number) =>
      `${of.getHost()}:${of.getMappedPort(port)}`;
    // The defaults of the image: one user, and no password over HTTP.
    const pgUrl = `postgresql://admin:quest@${address(questdb, 8812)}/qdb`;
    services = {
      how: 'environment',
      redisUrl: `redis://${address(redis, 6379)}`,
      questdbHttpUrl: `http://${address(questdb, 9000)}`,
      questdbPgUrl: pgUrl,
      questdbReadonlyPgUrl: pgUrl,
    };
  });

  afterAll(async () => {
    for (const container of started) await container.stop();
  });

  test('QuestDB accepts the schema', async () => {
    const sql = createSql(services.questdbPgUrl);
    try {
      expect(await checkVersion(sql, silentLog)).toBe('9.3.4');
      expect((await migrate(sql, silentLog)).length).toBeGreaterThan(0);
      await checkSchema(sql);
    } finally {
      await sql.close();
    }
  });

  test('Redis passes the checks', async () => {
    const redis = createRedis(services.redisUrl, { log: silentLog });
    try {
      await checkRedis(redis, silentLog);
    } finally {
      redis.disconnect();
    }
  });

  test('an hour is fetched, proven and verified', async () => {
    const exchange = await startExchangeProcess([
      '--synthetic',
      'BTCUSDT:7:2024-01-01T08:00Z:2024-01-01T12:00Z:3000',
    ]);
    const env = cliEnv(services, exchange.url, unique('CONTAINERS'));
    const range = ['BTCUSDT', '--from', '2024-01-01T09:00Z', '--to', '2024-01-01T10:00Z'];
    try {
      const backfill = await runCli(['backfill', ...range, '--source', 'rest'], { env });
      expect(backfill.exitCode, backfill.stderr).toBe(0);
      const verify = await runCli(['verify', ...range], { env });
      expect(verify.exitCode, verify.stderr).toBe(0);
    } finally {
      await exchange.stop();
    }
  });
});
