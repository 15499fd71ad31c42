import { readFileSync } from 'node:fs';
import path from 'node:path';

const PAGE = readFileSync(path.join(import.meta.dirname, '../../docs/anchors.md'), 'utf8');

/** The statements of docs/anchors.md by their heading. */
export const DOCUMENTED: ReadonlyMap<string, string> = new Map(
  [...PAGE.matchAll(/^## (.+)\n(?:(?!^## )[\s\S])*?```sql\n([\s\S]*?);\n```/gm)].map(
    ([, heading = '', sql = '']) => [heading, sql],
  ),
);

/**
 * A statement changed as a reader would: values in DECLARE, and replaced texts.
 * @param values by their name in DECLARE
 * @param texts texts of the statement and their replacements
 * @throws Error when the page has no such statement, name or text
 */
export function documentedSql(
  heading: string,
  values: Readonly<Record<string, string | number>>,
  texts: Readonly<Record<string, string>>,
): string {
  let sql = DOCUMENTED.get(heading);
  if (sql === undefined) throw new Error(`docs/anchors.md has no statement below "${heading}"`);
  for (const [name, value] of Object.entries(values)) {
    const declared = new RegExp(`(@${name} := )('[^']*'|[\\w-]+)`);
    if (!declared.test(sql)) throw new Error(`${heading} declares no @${name}`);
    sql = sql.replace(declared, `$1${typeof value === 'string' ? `'${value}'` : value}`);
  }
  for (const [text, other] of Object.entries(texts)) {
    if (!sql.includes(text)) throw new Error(`${heading} has no ${text}`);
    sql = sql.replaceAll(text, other);
  }
  return sql;
}
