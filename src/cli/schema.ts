import { isMigrated, migrate } from '../adapters/questdb/migrate.ts';
import {
  dueStatements,
  seriesStatements,
  updateSeriesSchema,
} from '../adapters/questdb/series-schema.ts';
import type { SchemaLock } from '../adapters/questdb/series-tables.ts';
import type { Sql } from '../adapters/questdb/sql.ts';
import type { createRedis } from '../adapters/redis/connection.ts';
import { createLeases } from '../adapters/redis/lease.ts';
import { whileHolding } from '../app/leases.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';

/**
 * QuestDB offers no lock, so a lease in Redis serialises changes of the schema. Its key has no
 * CDVAULT_REDIS_PREFIX: installations with other prefixes may share the store.
 */
export function schemaLock({
  redis,
  clock,
  log,
}: {
  readonly redis: ReturnType<typeof createRedis>;
  readonly clock: Clock;
  readonly log: Log;
}): SchemaLock {
  const leases = createLeases({ redis, keyPrefix: 'cdvault', log });
  return (work, signal) => whileHolding({ leases, clock }, 'schema', work, signal);
}

/** Two hosts may start at the same time: who finds something to do looks again under the lock. */
export async function prepareSchema(
  { sql, lock, log }: { readonly sql: Sql; readonly lock: SchemaLock; readonly log: Log },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const templates = await seriesStatements();
  if ((await isMigrated(sql)) && (await dueStatements(sql, templates)).length === 0) return [];
  return lock(async () => {
    const applied = await migrate(sql, log);
    await updateSeriesSchema(sql, templates);
    return applied;
  }, signal);
}
