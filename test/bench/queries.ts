import { createSql, type Sql } from '../../src/adapters/questdb/sql.ts';
import { DOCUMENTED } from '../e2e/documented-sql.ts';
import { backfillDays } from './backfill.ts';
import { type Line, type Measurement, median, repeat } from './measurement.ts';
import { freshStore, startHost, type Store } from './place.ts';
import { secondsSince } from './process-meter.ts';
import { obtainPython, runPython } from './python.ts';
import { ASKED_SYMBOL, fillYear, SYMBOLS } from './year-of-bars.ts';

const NANOSECONDS_A_MS = 1e6;

/** `draw`: what a chart needs; `all`: every column. */
type Columns = 'draw' | 'all';
const DRAWN = 'ts, open, high, low, close, delta';

interface Asked {
  readonly what: string;
  readonly query: string;
  /** Also measured with other clients. */
  readonly clients?: boolean;
}

interface Plain {
  readonly view: string;
  readonly span: string;
  readonly in: string;
  readonly columns: Columns;
  /** Also measured with other clients. */
  readonly clients?: boolean;
}

const yearOf = (view: string, columns: Columns = 'draw'): Plain => ({
  view,
  span: 'a year',
  in: '2024',
  columns,
});
const monthOf = (view: string, columns: Columns = 'draw'): Plain => ({
  view,
  span: 'a month',
  in: '2024-05',
  columns,
});

const PLAIN: readonly Plain[] = [
  ...['1h', '4h', '1d'].flatMap((interval) => [
    { ...yearOf(`cdv_${interval}`), clients: interval === '1h' },
    yearOf(`cdv_${interval}_total`),
    yearOf(`bars_${interval}`),
    yearOf(`cdv_${interval}`, 'all'),
  ]),
  ...['1m', '3m', '5m', '15m', '30m'].map((interval) => yearOf(`cdv_${interval}`)),
  { ...monthOf('cdv_1m'), clients: true },
  monthOf('cdv_1m_total'),
  monthOf('bars_1m'),
  monthOf('cdv_1m', 'all'),
  ...['3m', '5m', '15m', '30m'].map((interval) => monthOf(`cdv_${interval}`)),
  { ...monthOf('cdv_1m'), span: 'a day', in: '2024-05-17' },
  yearOf('tiers_1h'),
  monthOf('tiers_1m'),
];

const ASKED: readonly Asked[] = [
  ...PLAIN.map((plain) => ({
    what: nameOf(plain),
    query: queryOf(plain),
    clients: plain.clients === true,
  })),
  ...[...DOCUMENTED].map(([heading, sql]) => ({
    what: `a year, ${heading}`,
    query: overTheYear(sql),
  })),
];

export const queries: Measurement = {
  name: 'queries',
  about:
    `Queries for one of ${SYMBOLS} symbols (the stored day’s bars, shifted in time). Each has a year of bars from 1h ` +
    'on; shorter ones and the tiers of minutes are there for the month that is asked for, and of the other months ' +
    `only for the symbol that is asked for, because ${SYMBOLS} symbols × a year of minutes would be 105 million rows. ` +
    `*Chart columns*: ${DRAWN}; of tiers only the largest. *All columns*: every column. The time is the client’s, ` +
    'through the PostgreSQL wire as the read-only user, up to the last row: `pg`, or where the line says so `psycopg` ' +
    'or the body of `/exp` as Parquet. The note has the server’s time: what it reports for compiling the same query, ' +
    'reading the rows and writing them as JSON.',
  async run({ runs, say }) {
    await using store = await freshStore();
    {
      await using host = await startHost(say);
      await backfillDays({ store, host }, { first: 0, days: 1, source: 'auto' });
    }
    const sql = createSql(store.urls.questdbPgUrl, 1);
    try {
      say(`making a year of bars of ${SYMBOLS} symbols`);
      await fillYear(sql);
    } finally {
      await sql.close();
    }
    const python = obtainPython(say);
    const reader = createSql(store.urls.questdbReadonlyPgUrl, 1);
    try {
      const lines: Line[] = [];
      for (const asked of ASKED) {
        lines.push(await byPg(reader, store, runs, asked));
        if (asked.clients === true)
          lines.push(
            await byPsycopg(python, store, runs, asked),
            await byParquet(store, runs, asked),
          );
      }
      return lines;
    } finally {
      await reader.close();
    }
  },
};

function nameOf({ span, view, columns }: Plain): string {
  return `${span} of ${view}, ${columns === 'all' ? 'all columns' : 'chart columns'}`;
}

function queryOf({ view, columns, in: span }: Plain): string {
  const drawn = view.startsWith('bars') ? `${DRAWN}, cdv_close` : DRAWN;
  const tier = view.startsWith('tiers') ? " AND tier = '1000000'" : '';
  return (
    `SELECT ${columns === 'all' ? '*' : drawn} FROM ${view} ` +
    `WHERE market = 'binance_spot' AND symbol = '${ASKED_SYMBOL}' AND ts IN '${span}'${tier}`
  );
}

/**
 * A documented query over 52 whole weeks. A query by session would have to start at a session's start; the
 * difference does not change the time that it takes.
 */
function overTheYear(documented: string): string {
  return documented
    .replace(/(@symbol := )'[^']*'/, `$1'${ASKED_SYMBOL}'`)
    .replace(/(@from := )'[^']*'/, "$1'2024-01-01T00:00:00Z'")
    .replace(/(@to := )'[^']*'/, "$1'2024-12-30T00:00:00Z'");
}

async function byPg(reader: Sql, store: Store, runs: number, asked: Asked): Promise<Line> {
  const query = asked.query;
  await reader.query(query);
  const samples = await repeat(runs, async () => {
    const startedMs = performance.now();
    const { length } = await reader.query(query);
    return { value: secondsSince(startedMs) * 1000, rows: length };
  });
  const server = await repeat(runs, async () => serverMs(store, query));
  return {
    what: asked.what,
    unit: 'ms',
    samples,
    note: `${samples[0]?.rows ?? 0} rows; server time ${median(server).toFixed(1)} ms`,
  };
}

async function byPsycopg(
  python: string,
  { urls }: Store,
  runs: number,
  asked: Asked,
): Promise<Line> {
  const args = [urls.questdbReadonlyPgUrl, asked.query, String(runs)];
  const { said } = await runPython(python, 'reader.py', args);
  return {
    what: `${asked.what}: psycopg`,
    unit: 'ms',
    samples: said.ms.map((value) => ({ value })),
    note: `${said.rows} rows`,
  };
}

async function byParquet(store: Store, runs: number, asked: Asked): Promise<Line> {
  const once = async () => {
    const startedMs = performance.now();
    const response = await ask(store, '/exp', { query: asked.query, fmt: 'parquet' });
    const { byteLength } = await response.arrayBuffer();
    return { value: secondsSince(startedMs) * 1000, bytes: byteLength };
  };
  await once();
  const samples = await repeat(runs, once);
  return {
    what: `${asked.what}: /exp as Parquet`,
    unit: 'ms',
    samples,
    note: `${samples[0]?.bytes ?? 0} bytes`,
  };
}

/** Time to compile the query, read all rows and write them as JSON, as the server reports it. */
async function serverMs(store: Store, query: string): Promise<number> {
  const response = await ask(store, '/exec', { query, timings: 'true' });
  const { timings } = (await response.json()) as {
    readonly timings?: { readonly compiler: number; readonly execute: number };
  };
  if (timings === undefined) throw new Error(`QuestDB gives no timings: ${query}`);
  return (timings.compiler + timings.execute) / NANOSECONDS_A_MS;
}

async function ask(
  { urls }: Store,
  path: string,
  asked: Readonly<Record<string, string>>,
): Promise<Response> {
  const { origin, username, password } = new URL(urls.questdbHttpUrl);
  const response = await fetch(`${origin}${path}?${new URLSearchParams(asked).toString()}`, {
    headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` },
  });
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}: ${await response.text()}`);
  return response;
}
