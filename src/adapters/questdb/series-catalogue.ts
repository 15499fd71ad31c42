import { CdvaultError } from '../../domain/errors.ts';
import { marketName, type Series } from '../../domain/market.ts';
import type { SeriesCatalogue, SeriesFacts } from '../../ports/ledger.ts';
import { tradesTableName, tradesViewName } from './series-names.ts';
import {
  int,
  NOT_FORGOTTEN,
  OF_SERIES,
  optionalInt,
  seriesParameters,
  type Sql,
  type TextRow,
  toSeries,
} from './sql.ts';

const COLUMNS =
  'market, symbol, origin::long AS origin_us, scheduled_from::long AS scheduled_us, contract_size, generation, trades_table, trades_view, scheduled_by';

/** A row of the table `series`. `forgetting`: a forget was begun. `forgotten`: it has ended. */
export type SeriesRow =
  | { readonly state: 'known'; readonly facts: SeriesFacts }
  | { readonly state: 'forgetting' | 'forgotten'; readonly generation: number };

/** The row of a series, whatever its state. */
export async function seriesRow(sql: Sql, series: Series): Promise<SeriesRow | undefined> {
  await sql.waitApplied('series');
  const [row] = await sql.query(
    `SELECT ${COLUMNS} FROM series WHERE ${OF_SERIES}`,
    seriesParameters(series),
  );
  if (row === undefined) return undefined;
  if (row['origin_us'] !== null) return { state: 'known', facts: toFacts(row) };
  const isLeft = row['trades_table'] !== null;
  return { state: isLeft ? 'forgetting' : 'forgotten', generation: int(row, 'generation') };
}

/** Writes the row of a series. Resolves when all see it. */
export async function writeSeriesRow(
  sql: Sql,
  facts: Omit<SeriesFacts, 'originMs'> & { readonly originMs: number | undefined },
  hasTable = true,
): Promise<void> {
  const { market, symbol, originMs, scheduledFromMs, contractSize, generation, scheduledBy } =
    facts;
  await sql.query(
    'INSERT INTO series (ts, market, symbol, origin, scheduled_from, contract_size, generation, trades_table, trades_view, scheduled_by) VALUES ' +
      '(0::timestamp, $1, $2, cast($3 AS long)::timestamp, cast($4 AS long)::timestamp, cast($5 AS decimal(18,8)), $6, cast($7 AS varchar), cast($8 AS varchar), $9)',
    [
      market,
      symbol,
      originMs === undefined ? null : originMs * 1000,
      scheduledFromMs === undefined ? null : scheduledFromMs * 1000,
      contractSize ?? null,
      generation,
      hasTable ? tradesTableName(facts, generation) : null,
      hasTable ? tradesViewName(facts) : null,
      scheduledBy ?? null,
    ],
  );
  await sql.waitApplied('series');
}

/**
 * Callers must hold the series' lease while they read and then write.
 * @param onFound called with the generation of each row that is read: what was kept of an earlier one is out of date
 */
export function createSeriesCatalogue(
  sql: Sql,
  onFound: (series: Series, generation: number) => void = () => undefined,
): SeriesCatalogue {
  const write = async (facts: SeriesFacts) => writeSeriesRow(sql, facts);

  async function found(series: Series): Promise<SeriesRow | undefined> {
    const row = await seriesRow(sql, series);
    if (row?.state === 'forgetting') throw forgetting(series);
    if (row?.state === 'known') onFound(series, row.facts.generation);
    return row;
  }

  async function find(series: Series): Promise<SeriesFacts | undefined> {
    const row = await found(series);
    return row?.state === 'known' ? row.facts : undefined;
  }

  async function pinOrigin(series: Series, originMs: number): Promise<SeriesFacts> {
    const row = await found(series);
    if (row?.state === 'known') return row.facts;
    const facts = {
      market: series.market,
      symbol: series.symbol,
      originMs,
      scheduledFromMs: undefined,
      scheduledBy: undefined,
      contractSize: undefined,
      generation: row?.generation ?? 1,
    };
    await write(facts);
    return facts;
  }

  return {
    find,
    pinOrigin,
    async all() {
      await sql.waitApplied('series');
      const rows = await sql.query(
        `SELECT ${COLUMNS} FROM series WHERE ${NOT_FORGOTTEN} ORDER BY market, symbol`,
      );
      return rows.map(toFacts);
    },
    async pinContractSize(series, contractSize) {
      const known = await find(series);
      if (known !== undefined && known.contractSize === undefined)
        await write({ ...known, contractSize });
    },
    async setSchedule(facts, fromMs, by) {
      await write({ ...facts, scheduledFromMs: fromMs, scheduledBy: by });
    },
  };
}

function forgetting({ market, symbol }: Series): CdvaultError {
  const message = `cdvault forget ${symbol} (${marketName(market)}) was begun: it has not ended`;
  return new CdvaultError('FORGET_UNFINISHED', message);
}

function toFacts(row: TextRow): SeriesFacts {
  const scheduledUs = optionalInt(row, 'scheduled_us');
  return {
    ...toSeries(row),
    originMs: int(row, 'origin_us') / 1000,
    scheduledFromMs: scheduledUs === undefined ? undefined : scheduledUs / 1000,
    scheduledBy: row['scheduled_by'] ?? undefined,
    contractSize: row['contract_size'] ?? undefined,
    generation: int(row, 'generation'),
  };
}
