import { BAR_EXPORT_COLUMNS, type BarExportColumn } from '../../domain/proof/export.ts';
import { parseDecimal, PRICE_SCALE, QTY_SCALE, QUOTE_SCALE } from '../../domain/trade/decimal.ts';
import type { ExactBar } from '../../ports/bar-store.ts';
import { readColumns, unitsOf } from './parquet-columns.ts';

type BarValue = string | number | undefined;

/** The field of a bar that each column holds: the type makes a missing one an error. */
const FIELD: Readonly<Record<BarExportColumn['name'], (bar: ExactBar) => BarValue>> = {
  ts: ({ openMs }) => openMs * 1000,
  open: ({ open }) => open,
  high: ({ high }) => high,
  low: ({ low }) => low,
  close: ({ close }) => close,
  delta: ({ delta }) => delta,
  buy_volume: ({ buyVolume }) => buyVolume,
  sell_volume: ({ sellVolume }) => sellVolume,
  quote_delta: ({ quoteDelta }) => quoteDelta,
  quote_volume: ({ quoteVolume }) => quoteVolume,
  agg_trades: ({ aggTrades }) => aggTrades,
  trades: ({ trades }) => trades,
  buy_agg_trades: ({ buyAggTrades }) => buyAggTrades,
  buy_trades: ({ buyTrades }) => buyTrades,
  price_open: ({ priceOpen }) => priceOpen,
  price_high: ({ priceHigh }) => priceHigh,
  price_low: ({ priceLow }) => priceLow,
  price_close: ({ priceClose }) => priceClose,
  first_id: ({ firstId }) => firstId,
  last_id: ({ lastId }) => lastId,
  status: ({ status }) => status,
  level_from: ({ levelFromMs }) => levelFromMs * 1000,
  level_missing: ({ levelMissing }) => levelMissing,
};

const DECIMAL_SCALES: Readonly<Partial<Record<BarExportColumn['name'], number>>> = {
  quote_delta: QUOTE_SCALE,
  quote_volume: QUOTE_SCALE,
  price_open: PRICE_SCALE,
  price_high: PRICE_SCALE,
  price_low: PRICE_SCALE,
  price_close: PRICE_SCALE,
};

/**
 * Compares a file with the bars that it must hold.
 * @returns names of the columns that differ; `ts` alone when there are more or fewer bars
 */
export async function differingBars(file: string, bars: readonly ExactBar[]): Promise<string[]> {
  const names = BAR_EXPORT_COLUMNS.map(({ name }) => name);
  const differing = new Set<string>();
  let rows = 0;
  for await (const columns of readColumns({ file, names })) {
    const from = rows;
    for (const [index, column] of BAR_EXPORT_COLUMNS.entries()) {
      const values = [...(columns[index] ?? [])];
      if (index === 0) rows += values.length;
      const isSame = values.every((value, row) => {
        const bar = bars[from + row];
        return bar !== undefined && holds(column, value, FIELD[column.name](bar));
      });
      if (!isSame) differing.add(column.name);
    }
  }
  return rows === bars.length ? [...differing] : ['ts'];
}

function holds({ name, type }: BarExportColumn, value: unknown, wanted: BarValue): boolean {
  if (value === undefined || value === null) return wanted === undefined;
  if (wanted === undefined) return false;
  if (type === 'text') return value === wanted;
  if (type !== 'decimal') return value === BigInt(wanted);
  // A plain number is the nearest to the decimal.
  if (typeof value === 'number') return value === Number(wanted);
  return unitsOf(value) === parseDecimal(String(wanted), DECIMAL_SCALES[name] ?? QTY_SCALE);
}
