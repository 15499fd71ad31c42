import { expect } from 'vitest';
import type { Sql } from '../../src/adapters/questdb/sql.ts';

export type Json = Readonly<Record<string, unknown>>;
export type Cells = Readonly<Record<string, readonly (string | number | null)[]>>;

/** The rows of columns, with null for undefined. */
export function rowsOf(columns: Cells): Readonly<Record<string, unknown>>[] {
  const [[, first] = ['', []]] = Object.entries(columns);
  return first.map((_, index) =>
    Object.fromEntries(Object.entries(columns).map(([name, cells]) => [name, cells[index]])),
  );
}

/** Names of columns in answers that are others in SQL than the same words with underscores. */
const IN_SQL: Readonly<Record<string, string>> = {
  time: 'ts',
  hour: 'ts',
  end: 'ts_end',
  seen: 'seen_at',
};

/** Columns that the statements leave out: counted from the ledger, the same in all rows, or made from others. */
const LEFT_OUT = new Set(['levelFrom', 'levelMissing', 'tier', 'side', 'timeUs']);

/** What a statement gives as text, as answers with `exact=true` have it. */
function asTold(text: string | null | undefined, like: unknown): unknown {
  if (text === null || text === undefined) return null;
  if (typeof like !== 'number') return text;
  if (!/^\d{4}-/.test(text)) return Number(text);
  // A Date has no microseconds.
  return (
    (Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`) * 1000 + Number(text.slice(20))) / 1000
  );
}

/**
 * Runs the statement of an answer that was asked for with `exact=true`, and compares every cell.
 * @param derived columns that are made from those of the statement
 */
export async function expectSqlGives(
  reader: Sql,
  {
    sql,
    columns,
  }: { readonly sql?: unknown; readonly columns: Readonly<Record<string, readonly unknown[]>> },
  derived: readonly string[] = [],
): Promise<void> {
  const rows = await reader.query(String(sql));
  expect(rows.length).toBeGreaterThan(0);
  for (const [name, cells] of Object.entries(columns)) {
    if (LEFT_OUT.has(name) || derived.includes(name)) continue;
    const column = IN_SQL[name] ?? name.replace(/[A-Z]/g, (big) => `_${big.toLowerCase()}`);
    expect(
      rows.map((row, index) => asTold(row[column], cells[index] ?? undefined)),
      name,
    ).toEqual(cells);
  }
}
