import { expect, test } from 'vitest';
import { migrate } from '../../src/adapters/questdb/migrate.ts';
import { checkSchema, checkVersion } from '../../src/adapters/questdb/server-check.ts';
import { createSql } from '../../src/adapters/questdb/sql.ts';
import { checkRedis, createRedis } from '../../src/adapters/redis/connection.ts';
import { hasContainerEngine } from '../../src/adapters/services/containers.ts';
import { silentLog } from '../support/store.ts';

/** The official images, where a container engine runs; elsewhere these tests say that they did not run. */
const hasEngine = await hasContainerEngine({
  env: process.env,
  homeDir: '.',
  say: () => undefined,
});
const why = hasEngine ? '' : ' (SKIPPED: no container engine answers)';

test.skipIf(!hasEngine)(`the official QuestDB image takes the schema${why}`, async () => {
  // Its import takes seconds, and is only worth them where an engine runs.
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer('questdb/questdb:9.3.4')
    .withExposedPorts(9000, 8812)
    .withWaitStrategy(Wait.forHttp('/ping', 9000).forStatusCode(204))
    .start();
  const address = `${container.getHost()}:${container.getMappedPort(8812)}`;
  const sql = createSql(`postgresql://admin:quest@${address}/qdb`);
  try {
    expect(await checkVersion(sql, silentLog)).toBe('9.3.4');
    expect((await migrate(sql, silentLog)).length).toBeGreaterThan(0);
    await checkSchema(sql);
  } finally {
    await sql.close();
    await container.stop();
  }
});

test.skipIf(!hasEngine)(`the official Redis image passes the checks${why}`, async () => {
  const { GenericContainer } = await import('testcontainers');
  const container = await new GenericContainer('redis:8')
    .withCommand(['redis-server', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'])
    .withExposedPorts(6379)
    .start();
  const redis = createRedis(`redis://${container.getHost()}:${container.getMappedPort(6379)}`, {
    log: silentLog,
  });
  try {
    await checkRedis(redis, silentLog);
  } finally {
    redis.disconnect();
    await container.stop();
  }
});
