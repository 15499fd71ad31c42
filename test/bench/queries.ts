import { createSql, type Sql } from '../../src/adapters/questdb/sql.ts';
import { type Interval, INTERVALS } from '../../src/domain/interval.ts';
import { backfillDays } from './backfill.ts';
import { SYMBOL } from './day-files.ts';
import { type Line, type Measurement, median, repeat } from './measurement.ts';
import { freshStore, startHost, type Store } from './place.ts';
import { secondsSince } from './process-meter.ts';

const SYMBOLS = 20;
const NANOSECONDS_A_MS = 1e6;
/** 2024 less its last day. */
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 30] as const;

const VIEWS = [
  (interval: Interval) => `cdv_${interval}`,
  (interval: Interval) => `cdv_${interval}_total`,
  (interval: Interval) => `bars_${interval}`,
];
const ASKED: readonly {
  readonly interval: Interval;
  readonly span: string;
  readonly in: string;
}[] = [
  { interval: '1h', span: 'a year', in: '2024' },
  { interval: '4h', span: 'a year', in: '2024' },
  { interval: '1d', span: 'a year', in: '2024' },
  { interval: '1m', span: 'a month', in: '2024-05' },
  { interval: '1m', span: 'a day', in: '2024-05-17' },
];

export const queries: Measurement = {
  name: 'queries',
  about:
    `Queries of all columns of one symbol among ${SYMBOLS} with a year of bars each at every interval (the stored ` +
    'day’s bars, moved). Through the PostgreSQL wire as the read-only user, to the last row in the client; in the ' +
    'note what the server says that it took to compile the same, read it and write it as JSON.',
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
    const reader = createSql(store.urls.questdbReadonlyPgUrl, 1);
    try {
      const lines: Line[] = [];
      for (const asked of ASKED)
        for (const view of VIEWS)
          lines.push(
            await timed(
              reader,
              store,
              runs,
              `${asked.span} of ${view(asked.interval)}`,
              queryOf(view(asked.interval), asked.in),
            ),
          );
      return lines;
    } finally {
      await reader.close();
    }
  },
};

function queryOf(view: string, span: string): string {
  return `SELECT * FROM ${view} WHERE symbol = 'YEAR7' AND ts IN '${span}'`;
}

async function timed(
  reader: Sql,
  store: Store,
  runs: number,
  what: string,
  query: string,
): Promise<Line> {
  await reader.query(query);
  const wire = await repeat(runs, async () => {
    const startedMs = performance.now();
    const { length } = await reader.query(query);
    return { value: secondsSince(startedMs) * 1000, rows: length };
  });
  const server = await repeat(runs, async () => serverMs(store, query));
  return {
    what,
    unit: 'ms',
    samples: wire,
    note: `${wire[0]?.rows ?? 0} rows; in the server ${median(server).toFixed(1)} ms`,
  };
}

/** Compiled, read to the end and written as JSON, as the server says itself. */
async function serverMs({ urls }: Store, query: string): Promise<number> {
  const { origin, username, password } = new URL(urls.questdbHttpUrl);
  const asked = new URLSearchParams({ query, timings: 'true' });
  const response = await fetch(`${origin}/exec?${asked.toString()}`, {
    headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` },
  });
  const { timings } = (await response.json()) as {
    readonly timings?: { readonly compiler: number; readonly execute: number };
  };
  if (timings === undefined) throw new Error(`QuestDB gives no timings: ${query}`);
  return (timings.compiler + timings.execute) / NANOSECONDS_A_MS;
}

/** Every symbol's every day is the stored one, with ids, times and continuous levels going on. */
async function fillYear(sql: Sql): Promise<void> {
  let day = 0;
  for (const days of MONTH_DAYS) {
    for (const interval of INTERVALS) await sql.query(monthOfBars(interval, day, days));
    await sql.query(monthOfAnchors(day, days));
    day += days;
  }
  for (const interval of INTERVALS) await sql.waitApplied(`cdv_exact_${interval}`);
  await sql.waitApplied('anchors');
}

const BAR_COLUMNS =
  'ts, market, symbol, open, high, low, close, delta, buy_volume, sell_volume, quote_delta, quote_volume, agg_trades, ' +
  'trades, price_open, price_high, price_low, price_close, first_id, last_id, status, level_from, level_missing, ' +
  'base_buy_volume, base_sell_volume, buy_agg_trades, buy_trades';

function monthOfBars(interval: Interval, day: number, days: number): string {
  const moved = "dateadd('d', d.day, b.ts), b.market, s.symbol";
  const levels =
    'b.open, b.high, b.low, b.close, b.delta, b.buy_volume, b.sell_volume, b.quote_delta, b.quote_volume';
  const rest =
    'b.agg_trades, b.trades, b.price_open, b.price_high, b.price_low, b.price_close, ' +
    "b.first_id + d.day * t.trades, b.last_id + d.day * t.trades, b.status, dateadd('d', d.day, b.level_from), b.level_missing, " +
    'b.base_buy_volume, b.base_sell_volume, b.buy_agg_trades, b.buy_trades';
  return (
    `INSERT INTO cdv_exact_${interval} (${BAR_COLUMNS}) SELECT ${moved}, ${levels}, ${rest} FROM ` +
    `(SELECT * FROM cdv_exact_${interval} WHERE symbol = '${SYMBOL}') b CROSS JOIN ` +
    `(SELECT agg_trades trades FROM cdv_exact_1d WHERE symbol = '${SYMBOL}') t ` +
    copies(day, days)
  );
}

function monthOfAnchors(day: number, days: number): string {
  return (
    `INSERT INTO anchors SELECT dateadd('d', d.day, b.ts), b.market, s.symbol, (b.delta * d.day)::decimal(38,8), 0, b.level_from ` +
    `FROM (SELECT * FROM cdv_exact_1d WHERE symbol = '${SYMBOL}') b ` +
    copies(day, days)
  );
}

function copies(day: number, days: number): string {
  return (
    `CROSS JOIN (SELECT (x - 1 + ${day})::int day FROM long_sequence(${days})) d ` +
    `CROSS JOIN (SELECT concat('YEAR', x) symbol FROM long_sequence(${SYMBOLS})) s`
  );
}
