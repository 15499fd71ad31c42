/**
 * Expands a query as Grafana does before it reaches the database, by its documented rules: variables in the
 * browser, macros in the data source's back end. Unknown ones are an error, as in Grafana.
 */

/** A chosen value; a list for a variable with several values. */
export type Chosen = string | readonly string[];

export interface QueryContext {
  readonly fromMs: number;
  readonly toMs: number;
  /** The interval of the panel: its range divided by its width in points. */
  readonly intervalMs: number;
  readonly variables: Readonly<Record<string, Chosen>>;
  /** The data source whose back end expands macros; default: the built-in PostgreSQL data source. */
  readonly backEnd?: 'postgres' | 'questdb-plugin';
}

const VARIABLE = /\$(\w+)|\$\{(\w+)\}/g;
const MACRO = /\$(\w+)\(([^)]*)\)/g;

export function expandQuery(sql: string, context: QueryContext): string {
  const expanded = withMacros(withVariables(sql, context), context);
  if (expanded.includes('$')) throw new Error(`not expanded: ${expanded}`);
  return expanded;
}

function withVariables(sql: string, { fromMs, toMs, intervalMs, variables }: QueryContext): string {
  const values: Readonly<Record<string, Chosen>> = {
    __from: String(fromMs),
    __to: String(toMs),
    __interval: intervalText(intervalMs),
    __interval_ms: String(intervalMs),
    ...variables,
  };
  return sql.replaceAll(VARIABLE, (whole, bare?: string, braced?: string) => {
    const chosen = values[bare ?? braced ?? ''];
    // Left to the back end.
    if (chosen === undefined) return whole;
    return typeof chosen === 'string' ? escaped(chosen) : chosen.map(quoted).join(',');
  });
}

function withMacros(sql: string, { fromMs, toMs, backEnd = 'postgres' }: QueryContext): string {
  return sql.replaceAll(MACRO, (_, name: string, column: string) => {
    if (name !== '__timeFilter') throw new Error(`unknown macro ${name}`);
    return backEnd === 'postgres'
      ? `${column} BETWEEN '${goTime(fromMs)}' AND '${goTime(toMs)}'`
      : `${column} >= cast(${fromMs}000 as timestamp) AND ${column} <= cast(${toMs}000 as timestamp)`;
  });
}

const escaped = (text: string): string => text.replaceAll("'", "''");
const quoted = (text: string): string => `'${escaped(text)}'`;

/** RFC 3339 as Go prints it: no trailing zeros in the fraction. */
function goTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.?0*Z$/, 'Z');
}

/** Rounded down to one unit, as in Grafana. */
function intervalText(ms: number): string {
  const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 };
  for (const [unit, size] of Object.entries(units))
    if (ms >= size) return `${Math.floor(ms / size)}${unit}`;
  return `${ms}ms`;
}
