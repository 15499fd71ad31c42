import type { Series } from '../../domain/market.ts';
import type { SeriesCatalogue, SeriesFacts } from '../../ports/ledger.ts';
import { tradesTableName, tradesViewName } from './series-names.ts';
import {
  int,
  OF_SERIES,
  optionalInt,
  seriesParameters,
  type Sql,
  type TextRow,
  toSeries,
} from './sql.ts';

const COLUMNS =
  'market, symbol, origin::long AS origin_us, scheduled_from::long AS scheduled_us, contract_size, generation';

/** Callers must hold the series' lease while they read and then write. */
export function createSeriesCatalogue(sql: Sql): SeriesCatalogue {
  async function find(series: Series): Promise<SeriesFacts | undefined> {
    await sql.waitApplied('series');
    const [row] = await sql.query(
      `SELECT ${COLUMNS} FROM series WHERE ${OF_SERIES}`,
      seriesParameters(series),
    );
    return row === undefined ? undefined : toFacts(row);
  }

  async function write(facts: SeriesFacts): Promise<void> {
    const { market, symbol, originMs, scheduledFromMs, contractSize, generation } = facts;
    await sql.query(
      'INSERT INTO series (ts, market, symbol, origin, scheduled_from, contract_size, generation, trades_table, trades_view) VALUES ' +
        '(0::timestamp, $1, $2, cast($3 AS long)::timestamp, cast($4 AS long)::timestamp, cast($5 AS decimal(18,8)), $6, $7, $8)',
      [
        market,
        symbol,
        originMs * 1000,
        scheduledFromMs === undefined ? null : scheduledFromMs * 1000,
        contractSize ?? null,
        generation,
        tradesTableName(facts, generation),
        tradesViewName(facts),
      ],
    );
    await sql.waitApplied('series');
  }

  async function pinOrigin(series: Series, originMs: number): Promise<SeriesFacts> {
    const known = await find(series);
    if (known !== undefined) return known;
    const facts = {
      market: series.market,
      symbol: series.symbol,
      originMs,
      scheduledFromMs: undefined,
      contractSize: undefined,
      generation: 1,
    };
    await write(facts);
    return facts;
  }

  return {
    find,
    pinOrigin,
    async all() {
      await sql.waitApplied('series');
      return (await sql.query(`SELECT ${COLUMNS} FROM series ORDER BY market, symbol`)).map(
        toFacts,
      );
    },
    async pinContractSize(series, contractSize) {
      const known = await find(series);
      if (known !== undefined && known.contractSize === undefined)
        await write({ ...known, contractSize });
    },
    async setSchedule(facts, fromMs) {
      await write({ ...facts, scheduledFromMs: fromMs });
    },
  };
}

function toFacts(row: TextRow): SeriesFacts {
  const scheduledUs = optionalInt(row, 'scheduled_us');
  return {
    ...toSeries(row),
    originMs: int(row, 'origin_us') / 1000,
    scheduledFromMs: scheduledUs === undefined ? undefined : scheduledUs / 1000,
    contractSize: row['contract_size'] ?? undefined,
    generation: int(row, 'generation'),
  };
}
