import { z } from 'zod';
import { marketName, type Series } from '../../../domain/market.ts';
import type { ChartData, ChartEvents } from '../../../ports/chart-data.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { TimeZones } from '../../../ports/time-zones.ts';
import type { TimeRange } from '../../../domain/time/hour.ts';
import {
  type Columns,
  columnsSchema,
  ColumnsWriter,
  type Style,
  TIME,
  timeJson,
} from './columns.ts';
import { parseParameters } from './parameters.ts';

export interface Answer {
  /** Changes whenever the answer does. undefined: the answer's own text; null: the answer has no tag. */
  readonly tag: string | null | undefined;
  /** The JSON text; not called when the caller has this tag already. */
  readonly body: () => string | Promise<string>;
}

/** What answers about stored data need. */
export interface DataDeps {
  readonly data: ChartData;
  readonly zones: Pick<TimeZones, 'has'>;
  readonly clock: Clock;
  readonly version: string;
}

export interface ApiDeps extends DataDeps {
  readonly events: ChartEvents;
}

/** One path of the API. */
export interface Endpoint<Deps = DataDeps> {
  readonly path: string;
  readonly summary: string;
  readonly parameters: z.ZodObject;
  readonly answer: z.ZodType;
  /** @throws CdvaultError */
  readonly ask: (given: URLSearchParams, deps: Deps) => Promise<Answer>;
}

export function endpoint<Shape extends z.ZodObject, Deps = DataDeps>(
  made: Omit<Endpoint, 'ask' | 'parameters'> & {
    readonly parameters: Shape;
    readonly ask: (given: z.output<Shape>, deps: Deps) => Answer | Promise<Answer>;
  },
): Endpoint<Deps> {
  return {
    ...made,
    ask: async (given, deps) => made.ask(parseParameters(made.parameters, given), deps),
  };
}

/** What an answer of rows of one series says beside the rows. */
export interface TableFacts {
  readonly series: Series;
  readonly range: TimeRange;
  readonly style: Style;
  /** Path and parameters of the next part. */
  readonly next?: string | undefined;
  /** The statement that gives these rows, where it is asked for. */
  readonly sql?: string | undefined;
  /** Fields of this kind of answer, as JSON text. */
  readonly more?: Readonly<Record<string, string>>;
}

/** An answer of rows that are at hand. */
interface Table<Row> extends TableFacts {
  readonly columns: Columns<Row>;
  /** The only columns to give; default: all. */
  readonly names?: readonly string[];
  readonly rows: readonly Row[];
}

export function tableJson<Row>({ columns, names, rows, ...facts }: Table<Row>): string {
  const written = new ColumnsWriter(columns, facts.style, names);
  for (const row of rows) written.add(row);
  return writtenJson(facts, written);
}

export function writtenJson<Row>(facts: TableFacts, written: ColumnsWriter<Row>): string {
  const { series, range, style, next, sql, more = {} } = facts;
  return objectJson({
    market: JSON.stringify(marketName(series.market)),
    symbol: JSON.stringify(series.symbol),
    from: timeJson(range.startMs, style),
    to: timeJson(range.endMs, style),
    ...more,
    ...(sql !== undefined && { sql: JSON.stringify(sql) }),
    columns: written.json(),
    count: String(written.count),
    next: next === undefined ? 'null' : JSON.stringify(next),
  });
}

/** @param fields JSON texts */
export function objectJson(fields: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(fields).map(([name, json]) => `${JSON.stringify(name)}:${json}`);
  return `{${pairs.join(',')}}`;
}

/** Only with `sql=true`. */
export const SQL = z
  .string()
  .optional()
  .describe('With `sql=true`: a statement for the read-only user that gives these rows.');

const ARRAYS = 'Arrays of the same length, one value a row.';

/** The schema of tableJson() where a question may name the columns that it needs. */
export function someColumns<Row, More extends z.ZodRawShape>(columns: Columns<Row>, more: More) {
  const { shape } = tableSchema(columns, more);
  return z.strictObject({ ...shape, columns: shape.columns.partial().describe(ARRAYS) });
}

/** The schema of tableJson(). */
export function tableSchema<Row, More extends z.ZodRawShape>(columns: Columns<Row>, more: More) {
  return z.strictObject({
    market: z.enum(['spot', 'um', 'cm']),
    symbol: z.string(),
    from: TIME,
    to: TIME,
    ...more,
    sql: SQL,
    columns: columnsSchema(columns).describe(ARRAYS),
    count: z.int().describe('Number of rows.'),
    next: z.string().nullable().describe('Path of the next part, where a limit was reached.'),
  });
}
