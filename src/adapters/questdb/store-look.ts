import { seriesKey } from '../../domain/market.ts';
import { verdictOf } from '../../domain/proof/ledger.ts';
import type { CoverageCell, StoreLook } from '../../ports/status.ts';
import { KeptRead } from './kept-read.ts';
import { PROVEN_BY_IDS } from './proven-hours.ts';
import { RECORD_COLUMNS, toRecord } from './slice-row.ts';
import { int, OF_ANY_SERIES, type Sql, timestamp, toSeries } from './sql.ts';

export function createStoreLook(sql: Sql): StoreLook {
  const cells = new KeptRead<CoverageCell[]>(sql, 'slices');
  return {
    // A screen that refreshes asks every few seconds.
    coverageCells: (fromMs, cellMs) =>
      cells.of(`${fromMs} ${cellMs}`, async () => readCells(sql, fromMs, cellMs)),
    async tradeBytes() {
      const rows = await sql.query(
        'SELECT s.market market, s.symbol symbol, t."diskSize" bytes FROM series s ' +
          'JOIN table_storage() t ON t."tableName" = s.trades_table',
      );
      return rows.map((row) => ({ ...toSeries(row), bytes: int(row, 'bytes') }));
    },
  };
}

async function readCells(sql: Sql, fromMs: number, cellMs: number): Promise<CoverageCell[]> {
  const later = `ts >= ${timestamp(fromMs)} AND ${OF_ANY_SERIES}`;
  const [plain, others] = await Promise.all([
    sql.query(
      `SELECT market, symbol, (ts::long - ${fromMs * 1000}) / ${cellMs * 1000} AS cell, count() AS hours ` +
        `FROM slices WHERE ${later} AND ${PROVEN_BY_IDS}`,
    ),
    // Few, and judged by the rule itself.
    sql.query(
      `SELECT market, symbol, ${RECORD_COLUMNS} FROM slices WHERE ${later} AND NOT (${PROVEN_BY_IDS})`,
    ),
  ]);
  const cells = new Map<string, CoverageCell>();
  const add = (cell: CoverageCell): void => {
    const key = `${seriesKey(cell)} ${cell.index}`;
    const { proven = 0, open = 0, gap = 0 } = cells.get(key) ?? {};
    const sums = { proven: proven + cell.proven, open: open + cell.open, gap: gap + cell.gap };
    cells.set(key, { ...cell, ...sums });
  };
  const none = { proven: 0, open: 0, gap: 0 };
  for (const row of plain)
    add({ ...toSeries(row), index: int(row, 'cell'), ...none, proven: int(row, 'hours') });
  for (const row of others) {
    const series = toSeries(row);
    const record = toRecord(series, row);
    const index = Math.floor((record.hourMs - fromMs) / cellMs);
    add({ ...series, index, ...none, [verdictOf(record)]: 1 });
  }
  return [...cells.values()];
}
