import type { ViewsFacts } from '../../ports/doctor.ts';
import { appliedMigrations, applyStatement, migrationFiles, MIGRATIONS_TABLE } from './migrate.ts';
import { type Sql, text } from './sql.ts';
import { existingTables } from './table-facts.ts';

const VIEW = /^CREATE OR REPLACE VIEW (\w+) AS /;

/** The views of applied migrations by name; a later one replaces an earlier one. */
async function viewStatements(sql: Sql): Promise<ReadonlyMap<string, string>> {
  if (!(await existingTables(sql)).has(MIGRATIONS_TABLE)) return new Map();
  const applied = new Set(await appliedMigrations(sql));
  const files = (await migrationFiles()).filter(({ name }) => applied.has(name));
  return new Map(
    files
      .flatMap(({ statements }) => statements)
      .flatMap((statement) => {
        const [, name] = VIEW.exec(statement) ?? [];
        return name === undefined ? [] : [[name, statement] as const];
      }),
  );
}

/** Views of series, and `trades` over them, are compared by their text: see series-schema.ts. */
export async function viewsFacts(sql: Sql): Promise<ViewsFacts> {
  const wanted = await viewStatements(sql);
  const rows = await sql.query(
    'SELECT view_name AS name, view_status AS status, invalidation_reason AS reason FROM views() ORDER BY view_name',
  );
  const live = new Set(rows.map((row) => text(row, 'name')));
  return {
    wanted: wanted.size,
    missing: [...wanted.keys()].filter((name) => !live.has(name)),
    invalid: rows
      .filter((row) => row['status'] !== 'valid')
      .map((row) => ({ name: text(row, 'name'), reason: row['reason'] ?? '' })),
  };
}

/** In the order of the migrations, since views are made of views. @returns the names of those that were made */
export async function makeViews(sql: Sql, names: readonly string[]): Promise<readonly string[]> {
  const made: string[] = [];
  for (const [name, statement] of await viewStatements(sql)) {
    if (!names.includes(name)) continue;
    await applyStatement(sql, statement);
    made.push(name);
  }
  return made;
}
