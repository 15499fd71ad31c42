import type { Series } from '../../domain/market.ts';
import { applyStatement, type Migration, migrationFiles, type SeriesStatement } from './migrate.ts';
import { type Column, tablesOf } from './server-check.ts';
import { literal, NOT_FORGOTTEN, type Sql, text, type TextRow, toSeries } from './sql.ts';

/** How the days of a table are divided into folders. It can't be changed later. */
export type Partition = 'DAY' | 'MONTH';

/** A series with the names that the table `series` has recorded. */
export interface SeriesNames extends Series {
  readonly table: string;
  readonly view: string;
}

/**
 * The most series that the view `trades` may have. The server compiles all branches of the view for each
 * query and keeps the plans: with 100 series, a dozen queries fill a heap of 512 MB (measured with 9.3.4),
 * and the server then answers no query at all.
 */
const MOST_IN_ONE_VIEW = 25;

/** The statements of the migrations that make and extend the tables and views of series. */
export async function seriesStatements(
  files: Promise<readonly Migration[]> = migrationFiles(),
): Promise<readonly SeriesStatement[]> {
  return (await files).flatMap(({ ofSeries }) => ofSeries);
}

/** The statements for one series, in order. */
export function statementsFor(
  templates: readonly SeriesStatement[],
  { market, symbol, table, view }: SeriesNames,
  partition: Partition,
): string[] {
  return templates
    .filter(({ markets }) => markets?.includes(market) ?? true)
    .map((template) =>
      template.text
        .replaceAll('{trades_table}', table)
        .replaceAll('{trades_view}', view)
        .replaceAll('{market}', `${literal(market)}::symbol`)
        .replaceAll('{symbol}', `${literal(symbol)}::symbol`)
        .replaceAll('{partition}', partition),
    );
}

/** The columns that the table of a series must have. */
export function columnsFor(statements: readonly string[], table: string): readonly Column[] {
  return tablesOf(statements).get(table) ?? [];
}

export function toNames(row: TextRow): SeriesNames {
  return {
    ...toSeries(row),
    table: text(row, 'trades_table'),
    view: text(row, 'trades_view'),
  };
}

/**
 * Statements that are still to be applied, so that every table of a series has all columns, every view its
 * present text, and `trades` has all series. They are found by comparison, so that nothing is lost when a
 * migration is killed or when an older release creates a series meanwhile.
 */
export async function dueStatements(
  sql: Sql,
  templates: readonly SeriesStatement[],
): Promise<readonly string[]> {
  await sql.waitApplied('series');
  const [rows, columns, views] = await Promise.all([
    sql.query(
      `SELECT market, symbol, trades_table, trades_view FROM series WHERE ${NOT_FORGOTTEN} ORDER BY market, symbol`,
    ),
    sql.query(
      "SELECT table_name AS name, column_name AS part FROM information_schema.columns() WHERE table_name LIKE 'agg_trades_%'",
    ),
    sql.query(
      "SELECT view_name AS name, view_sql AS part FROM views() WHERE view_name LIKE 'trades%'",
    ),
  ]);
  const columnsOf = groupByName(columns);
  const textOf = groupByName(views);
  const due: string[] = [];
  const shown: SeriesNames[] = [];
  for (const names of rows.map(toNames)) {
    const live = columnsOf.get(names.table);
    // An existing table keeps its partitions.
    const statements = statementsFor(templates, names, 'DAY');
    const wanted = columnsFor(statements, names.table);
    // A table of another program is refused when a trade is to be written: see series-tables.ts.
    const isOurs = wanted.every(({ name, isAdded }) => isAdded || live?.has(name) === true);
    if (live === undefined || !isOurs) continue;
    shown.push(names);
    const view = statements.findLast((statement) => statement.includes(` VIEW ${names.view} `));
    const isShown = view === undefined || textOf.get(names.view)?.has(viewText(view)) === true;
    if (!isShown || !wanted.every(({ name }) => live.has(name))) due.push(...statements);
  }
  const all = unionOf(shown);
  const isUnionShown =
    all === undefined ? !textOf.has('trades') : textOf.get('trades')?.has(viewText(all)) === true;
  return isUnionShown ? due : [...due, all ?? 'DROP VIEW IF EXISTS trades'];
}

function groupByName(rows: readonly TextRow[]): ReadonlyMap<string, ReadonlySet<string>> {
  const groups = new Map<string, Set<string>>();
  for (const row of rows) {
    const name = text(row, 'name');
    groups.set(name, (groups.get(name) ?? new Set()).add(text(row, 'part')));
  }
  return groups;
}

/** The text that the server keeps of `CREATE OR REPLACE VIEW name AS (text)`. */
function viewText(statement: string): string {
  return statement.slice(statement.indexOf('(') + 1, statement.lastIndexOf(')'));
}

/** @returns undefined when there are too many series for one view */
function unionOf(series: readonly SeriesNames[]): string | undefined {
  if (series.length > MOST_IN_ONE_VIEW) return undefined;
  const branches = series.map(({ view }) => `SELECT * FROM ${view}`);
  return `CREATE OR REPLACE VIEW trades AS (${branches.length === 0 ? NO_TRADES : branches.join(' UNION ALL ')})`;
}

/** The view `trades` before the first trade is stored. */
const NO_TRADES =
  "SELECT NULL::timestamp ts, ''::symbol market, ''::symbol symbol, NULL::long agg_id, NULL::double price, " +
  "NULL::double qty, '' side, NULL::double delta, NULL::long first_id, NULL::long last_id, false is_buyer_maker, " +
  'NULL::double contracts FROM long_sequence(0)';

/** Applies what is due. The caller must hold the lock of the schema. */
export async function updateSeriesSchema(
  sql: Sql,
  templates: readonly SeriesStatement[],
): Promise<void> {
  for (const statement of await dueStatements(sql, templates)) await applyStatement(sql, statement);
}
