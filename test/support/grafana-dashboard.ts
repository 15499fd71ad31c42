import { readFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { type Chosen, expandQuery, type QueryContext } from './grafana-macros.ts';

/** The parts of a committed dashboard's JSON that the tests use. */
export interface LoadedDashboard {
  readonly uid: string;
  readonly panels: readonly LoadedPanel[];
  readonly templating: { readonly list: readonly LoadedVariable[] };
  readonly annotations: {
    readonly list: readonly { readonly name: string; readonly target: Target }[];
  };
}

export interface LoadedPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly targets?: readonly Target[];
  readonly panels?: readonly LoadedPanel[];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly fieldConfig?: { readonly defaults: { readonly custom?: object } };
}

export interface LoadedVariable {
  readonly name: string;
  readonly type: string;
  readonly query: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
}

export interface Target {
  readonly refId: string;
  readonly datasource: { readonly type: string; readonly uid: string };
  readonly rawSql: string;
  readonly format: string | number;
}

export const GRAFANA = path.resolve(import.meta.dirname, '..', '..', 'grafana');

export function loadDashboard(name: string): LoadedDashboard {
  const text = readFileSync(path.join(GRAFANA, 'dashboards', name), 'utf8');
  return JSON.parse(text) as LoadedDashboard;
}

/** A query with its panel and reference. */
export interface PlacedQuery {
  readonly where: string;
  readonly target: Target;
}

/** The SQL of all panels, without those of a folded row, which use other sources. */
export function panelQueries(dashboard: LoadedDashboard): PlacedQuery[] {
  return dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map((target) => ({ where: `${title} ${target.refId}`, target })),
  );
}

export interface Answer {
  readonly columns: readonly { readonly name: string; readonly oid: number }[];
  /** Every value as the text that the server sends. */
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Queries as Grafana does: as the read-only user, in the simple protocol. */
export class Asker {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async connect(url: string): Promise<Asker> {
    const client = new pg.Client({
      connectionString: url,
      types: { getTypeParser: () => (value: unknown) => value },
    });
    await client.connect();
    return new Asker(client);
  }

  async ask(sql: string): Promise<Answer> {
    const result = await this.#client.query<(string | null)[]>({ text: sql, rowMode: 'array' });
    const columns = result.fields.map(({ name, dataTypeID }) => ({ name, oid: dataTypeID }));
    return { columns, rows: result.rows };
  }

  /** The values of a dashboard's variables when some are chosen; each query uses the values before it. */
  async variables(
    { templating }: LoadedDashboard,
    context: Omit<QueryContext, 'variables'>,
    chosen: Readonly<Record<string, Chosen>>,
  ): Promise<Record<string, Chosen>> {
    const values: Record<string, Chosen> = { ...chosen };
    for (const { name, type, query } of templating.list) {
      if (name in values || type !== 'query') continue;
      const { rows } = await this.ask(expandQuery(query, { ...context, variables: values }));
      values[name] = rows[0]?.[0] ?? '';
    }
    return values;
  }

  async close(): Promise<void> {
    await this.#client.end();
  }
}

/** Parses a timestamp of QuestDB, which has no zone and is UTC. */
export function timeMsOf(text: string | null | undefined): number {
  return Date.parse(`${(text ?? '').replace(' ', 'T')}Z`);
}

export function columnOf({ columns, rows }: Answer, name: string): (number | undefined)[] {
  const index = columns.findIndex((column) => column.name === name);
  if (index < 0) throw new Error(`no column ${name}`);
  return rows.map((row) => {
    const value = row[index] ?? null;
    return value === null ? undefined : Number(value);
  });
}
