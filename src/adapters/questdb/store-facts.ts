import type {
  Growth,
  ServerFacts,
  StoredSeries,
  StoreFacts,
  WalTable,
} from '../../ports/doctor.ts';
import { createScheduleRules } from './schedule-rules.ts';
import { appliedMigrations, migrationFiles, MIGRATIONS_TABLE } from './migrate.ts';
import { parquetFacts } from './parquet.ts';
import { dueStatements, seriesStatements } from './series-schema.ts';
import { isTooOld, readVersion, TESTED_VERSION } from './server-check.ts';
import { int, NOT_FORGOTTEN, OF_ANY_SERIES, type Sql, text, timestamp, toSeries } from './sql.ts';
import { existingTables, ourTables, tablesFacts } from './table-facts.ts';
import { viewsFacts } from './view-facts.ts';

const DAY_MS = 86_400_000;

/** Reads what `doctor` judges; waits for no table, where the answer is not wrong without it. */
export function createStoreFacts(sql: Sql, growthMs: number): StoreFacts {
  return {
    server: () => serverFacts(sql),
    walTables: () => walTables(sql),
    views: () => viewsFacts(sql),
    tables: () => tablesFacts(sql),
    async migrations() {
      const files = await migrationFiles();
      const isStarted = (await existingTables(sql)).has(MIGRATIONS_TABLE);
      const applied = new Set(isStarted ? await appliedMigrations(sql) : []);
      const names = files.map(({ name }) => name);
      return {
        isStarted,
        known: names.length,
        due: names.filter((name) => !applied.has(name)),
        unknown: [...applied].filter((name) => !names.includes(name)),
      };
    },
    async dueOfSeries() {
      if (!(await existingTables(sql)).has('series')) return 0;
      return (await dueStatements(sql, await seriesStatements())).length;
    },
    async parquet() {
      return (await existingTables(sql)).has('compactions')
        ? parquetFacts(sql)
        : { tables: 0, otherEncodings: [] };
    },
    growth: (nowMs) => growth(sql, nowMs, growthMs),
    series: () => storedSeries(sql),
    rules: async () =>
      (await existingTables(sql)).has('schedule_rules') ? createScheduleRules(sql).all() : [],
  };
}

async function serverFacts(sql: Sql): Promise<ServerFacts> {
  const version = await readVersion(sql);
  const rows = await sql.query('SELECT property_path AS name, value FROM (SHOW PARAMETERS)');
  return {
    version,
    testedVersion: TESTED_VERSION,
    isTooOld: version !== undefined && isTooOld(version),
    settings: new Map(rows.map((row) => [text(row, 'name'), row['value'] ?? ''])),
  };
}

async function walTables(sql: Sql): Promise<readonly WalTable[]> {
  const ours = await ourTables(sql);
  const rows = await sql.query(
    'SELECT name, suspended, "writerTxn" AS written, "sequencerTxn" - "writerTxn" AS pending, ' +
      '"errorTag" AS tag, "errorMessage" AS message FROM wal_tables() ORDER BY name',
  );
  return rows.map((row) => ({
    name: text(row, 'name'),
    isOurs: ours.has(text(row, 'name')),
    isSuspended: row['suspended'] === 't',
    pending: int(row, 'pending'),
    nextTransaction: int(row, 'written') + 1,
    errorTag: row['tag'] ?? '',
    errorMessage: row['message'] ?? '',
  }));
}

async function storedSeries(sql: Sql): Promise<readonly StoredSeries[]> {
  if (!(await existingTables(sql)).has('series')) return [];
  const rows = await sql.query(
    `SELECT market, symbol, scheduled_from IS NOT NULL AS scheduled FROM series WHERE ${NOT_FORGOTTEN} ORDER BY market, symbol`,
  );
  return rows.map((row) => ({ ...toSeries(row), isScheduled: row['scheduled'] === 't' }));
}

/** By when hours were fetched, not by when they were: it is the fetching that fills the disk. */
async function growth(sql: Sql, nowMs: number, growthMs: number): Promise<Growth | undefined> {
  if (!(await existingTables(sql)).has('slices')) return undefined;
  const [row] = await sql.query(
    'SELECT count() AS hours, sum(rows) AS trades, min(fetched_at)::long AS first_us FROM slices ' +
      `WHERE fetched_at >= ${timestamp(nowMs - growthMs)} AND ${OF_ANY_SERIES}`,
  );
  if (row === undefined || int(row, 'hours') === 0) return undefined;
  const seenMs = nowMs - int(row, 'first_us') / 1000;
  // What was fetched today only is a day's growth, not that of an hour times 24.
  const days = Math.max(1, seenMs / DAY_MS);
  return { days, hours: int(row, 'hours'), trades: int(row, 'trades') };
}
