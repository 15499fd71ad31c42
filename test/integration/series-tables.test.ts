import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrate, type Migration, statementsOf } from '../../src/adapters/questdb/migrate.ts';
import { createSeriesCatalogue } from '../../src/adapters/questdb/series-catalogue.ts';
import {
  dueStatements,
  seriesStatements,
  updateSeriesSchema,
} from '../../src/adapters/questdb/series-schema.ts';
import { createSeriesTables } from '../../src/adapters/questdb/series-tables.ts';
import { checkSchema } from '../../src/adapters/questdb/server-check.ts';
import { createSql, type Sql } from '../../src/adapters/questdb/sql.ts';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import { compose } from '../../src/cli/compose.ts';
import { loadConfig } from '../../src/config.ts';
import type { Series } from '../../src/domain/market.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { NEVER, openStore, silentLog, uniqueSeries } from '../support/store.ts';
import { tradeOf } from '../support/trades.ts';

const HOUR = Date.UTC(2024, 0, 1);
const FEW = { rows: 3, firstUs: HOUR * 1000, lastUs: HOUR * 1000 };

let own: OwnServices;
let services: ServiceUrls;
let sql: Sql;
let store: ReturnType<typeof openStore>;

/** A store of its own, since the view `trades` and the schema concern all series. */
beforeAll(async () => {
  own = await makeOwnServices();
  services = await own.start();
  const app = compose(loadConfig(), services);
  await app.prepare(NEVER);
  await app.close();
  sql = createSql(services.questdbPgUrl, 2);
  store = openStore(services);
});

afterAll(async () => {
  await store.close();
  await sql.close();
  await own.dispose();
});

async function columnsOf(table: string): Promise<string[]> {
  const rows = await sql.query(`SELECT "column" AS name FROM table_columns('${table}')`);
  return rows.map(({ name }) => name ?? '');
}

async function partitionOf(table: string): Promise<unknown> {
  const [row] = await sql.query(
    `SELECT "partitionBy" AS unit FROM tables() WHERE table_name = '${table}'`,
  );
  return row?.['unit'];
}

describe('the view trades', () => {
  test('is empty before the first trade, and has its columns', async () => {
    expect(await sql.query("SELECT * FROM trades WHERE symbol = 'BTCUSDT' AND price > 1")).toEqual(
      [],
    );
  });

  test('has the trades of all series, of 25 at most', async () => {
    const series = Array.from({ length: 26 }, (_, index) => uniqueSeries(`U${index}X`));
    for (const [index, one] of series.entries()) {
      if (index === 25) {
        const rows = await sql.query('SELECT symbol, agg_id, delta FROM trades ORDER BY agg_id');
        expect(rows).toEqual(
          series
            .slice(0, 25)
            .map(({ symbol }, id) => ({ symbol, agg_id: String(id), delta: '1.0' })),
        );
      }
      await store.trades.write(one, [tradeOf(index, HOUR + index)], NEVER);
      await store.trades.readBack(one, { startUs: 0, endUs: 1 });
    }
    await expect(sql.query('SELECT count() FROM trades')).rejects.toThrow(/does not exist/);
    const view = `trades_spot_${series[25]?.symbol.toLowerCase()}`;
    expect(await sql.query(`SELECT symbol, market, agg_id, price, side FROM ${view}`)).toEqual([
      {
        symbol: series[25]?.symbol,
        market: 'binance_spot',
        agg_id: '25',
        price: '42000.0',
        side: 'buy',
      },
    ]);
  });
});

describe('the table of a series', () => {
  test('is made once by two workers that write its first trades at once', async () => {
    const series = uniqueSeries('ATONCE');
    const other = openStore(services);
    try {
      await createSeriesCatalogue(sql).pinOrigin(series, HOUR);
      const [first, second] = [tradeOf(1, HOUR), tradeOf(2, HOUR + 1)];
      await Promise.all([
        store.trades.write(series, [first], NEVER),
        other.trades.write(series, [second], NEVER),
      ]);
      const window = { startUs: HOUR * 1000, endUs: (HOUR + HOUR_MS) * 1000 };
      expect(await Array.fromAsync(store.trades.read(series, window))).toEqual([first, second]);
    } finally {
      await other.close();
    }
  });

  test.each([
    ['DAY', { rows: 100_000, firstUs: HOUR * 1000, lastUs: (HOUR + 24 * HOUR_MS) * 1000 }],
    ['DAY', { rows: 10_000, firstUs: HOUR * 1000, lastUs: (HOUR + HOUR_MS / 4) * 1000 }],
    // The first piece of a busy day's file.
    ['DAY', { rows: 900, firstUs: HOUR * 1000, lastUs: HOUR * 1000 + 120_000_000 }],
    ['MONTH', { rows: 20, firstUs: HOUR * 1000, lastUs: HOUR * 1000 + 1_000_000 }],
    ['MONTH', { rows: 2_000, firstUs: HOUR * 1000, lastUs: (HOUR + 24 * HOUR_MS) * 1000 }],
    ['MONTH', FEW],
  ])('is divided by %s where its first trades are %o', async (unit, first) => {
    const table = await store.tables.forWriting(uniqueSeries('UNIT'), first, NEVER);
    expect(await partitionOf(table)).toBe(unit);
  });

  test('is refused, and not written to, where another program has a table of its name', async () => {
    const series = uniqueSeries('FOREIGN');
    const table = `agg_trades_spot_${series.symbol.toLowerCase()}_1`;
    await sql.query(
      `CREATE TABLE ${table} (ts TIMESTAMP, agg_id LONG) TIMESTAMP(ts) PARTITION BY DAY WAL`,
    );
    await expect(store.trades.write(series, [tradeOf(1, HOUR)], NEVER)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
    });
    expect(await columnsOf(table)).toEqual(['ts', 'agg_id']);
    expect(await sql.query(`SELECT * FROM ${table}`)).toEqual([]);
  });

  test('is refused without a row of the series', async () => {
    const bare = createSeriesTables({ sql, lock: (work) => work(), log: silentLog });
    await expect(bare.forWriting(uniqueSeries('NOROW'), FEW, NEVER)).rejects.toMatchObject({
      code: 'INTERNAL',
    });
  });
});

describe('a migration of every series', () => {
  /** The present schema and a release that adds a column to the tables of trades and to the ledger. */
  const LATER = statementsOf(
    '-- each series\nALTER TABLE {trades_table} ADD COLUMN IF NOT EXISTS note VARCHAR;\n' +
      '-- each series\nCREATE OR REPLACE VIEW {trades_view} AS (SELECT ts, note FROM {trades_table});\n' +
      'ALTER TABLE slices ADD COLUMN IF NOT EXISTS note VARCHAR;\n',
  );
  const laterFiles = async (): Promise<readonly Migration[]> => {
    const { migrationFiles } = await import('../../src/adapters/questdb/migrate.ts');
    return [...(await migrationFiles()), { name: '99_note.sql', ...LATER }];
  };
  const laterTemplates = async () => seriesStatements(laterFiles());
  const made: { series: Series; table: string }[] = [];

  async function addSeries(name: string): Promise<void> {
    const series = uniqueSeries(name);
    made.push({ series, table: await store.tables.forWriting(series, FEW, NEVER) });
  }

  test('goes on where it was killed', async () => {
    await addSeries('MIGA');
    await addSeries('MIGB');
    await migrate(sql, silentLog, { files: laterFiles() });
    let statements = 0;
    const dying: Sql = {
      ...sql,
      async query(text, values) {
        if (text.startsWith('ALTER TABLE agg_trades')) statements += 1;
        if (statements > 1) throw new Error('killed');
        return sql.query(text, values);
      },
    };
    await expect(updateSeriesSchema(dying, await laterTemplates())).rejects.toThrow('killed');
    const lacking = await dueStatements(sql, await laterTemplates());
    expect(lacking.length).toBeGreaterThan(0);
    await updateSeriesSchema(sql, await laterTemplates());
    for (const { table } of made) expect(await columnsOf(table)).toContain('note');
    expect(await dueStatements(sql, await laterTemplates())).toEqual([]);
  });

  test('reaches a table that a worker of the former release creates after it', async () => {
    await addSeries('MIGC');
    const table = made.at(-1)?.table ?? '';
    expect(await columnsOf(table)).not.toContain('note');
    await updateSeriesSchema(sql, await laterTemplates());
    expect(await columnsOf(table)).toContain('note');
    expect(await sql.query(`SELECT note FROM ${table.replace('agg_', '').slice(0, -2)}`)).toEqual(
      [],
    );
  });

  test('leaves the store to its own release', async () => {
    await checkSchema(sql, laterFiles());
    await expect(checkSchema(sql)).rejects.toMatchObject({ code: 'SCHEMA_OF_OTHER_RELEASE' });
  });
});
