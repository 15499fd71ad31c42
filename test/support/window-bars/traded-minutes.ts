import type { DayInputs } from '../../../src/domain/bars/day.ts';

/**
 * `stored`: the rows are in the table in the order of their ids. `sorted`: they may not be, since rows with
 * the same time keep the order of their arrival; the window function must sort them, which doubles the time.
 */
export type RowOrder = 'stored' | 'sorted';

/**
 * How the running sum is kept exact. A window `sum` is a DOUBLE (exact below 2^53) and takes no DECIMAL.
 * One limb in units of 1e-8 is enough if the day's volume is below 90 million units. Two limbs, whole units
 * and units of 1e-8, are enough for any day below 9.0e15 units and 90 million trades.
 */
export interface Limbs {
  /** Columns of the running sum over a window. */
  readonly sums: (over: string) => string;
  /** Columns of a minute's first or last running sum. */
  readonly edge: (pick: (column: string) => string, name: string) => string;
  /** The exact level of the columns that `edge` gives. */
  readonly level: (name: string) => string;
  /** The exact level of the running sum, or of an aggregate of it. */
  readonly extreme: (aggregate: 'max' | 'min') => string;
}

const UNITS = '100000000m';
const UNIT = '0.00000001m';

const ONE_LIMB: Limbs = {
  sums: (over) => `sum((delta * ${UNITS})::long) ${over} e8`,
  edge: (pick, name) => `${pick('e8')} ${name}_e8`,
  level: (name) => `(${name}_e8::long * ${UNIT})::decimal(38,8)`,
  extreme: (aggregate) => `(${aggregate}(e8)::long * ${UNIT})::decimal(38,8)`,
};

const TWO_LIMBS: Limbs = {
  sums: (over) =>
    `sum(delta::long) ${over} hi, sum(((delta - delta::long) * ${UNITS})::long) ${over} lo`,
  edge: (pick, name) => `${pick('hi')} ${name}_hi, ${pick('lo')} ${name}_lo`,
  level: (name) => bothLimbs(`${name}_hi`, `${name}_lo`),
  extreme: (aggregate) => `${aggregate}(${bothLimbs('hi', 'lo')})`,
};

function bothLimbs(hi: string, lo: string): string {
  return `(${hi}::long::decimal(38,8) + (${lo}::long * ${UNIT})::decimal(38,8))`;
}

/** Chosen by the day's volume, since no running sum of a day is greater. */
export function limbsOf({ volumeE8 }: Pick<DayInputs, 'volumeE8'>): Limbs {
  return volumeE8 < 2n ** 53n ? ONE_LIMB : TWO_LIMBS;
}

/** The signed quantity that a trade adds to the CDV. */
export const DELTA = '(CASE WHEN is_buyer_maker THEN -qty ELSE qty END)';

/**
 * Minutes with trades: `levels`, the levels of the CDV, still in limbs, and `sums`, the traded volumes. They
 * are separate because only `levels` needs a window over the ordered rows; `sums` is computed by all cores
 * directly from the table. `arg_min` takes no DECIMAL, so sorted prices are converted to integers.
 * @param rows table and condition that select the trades
 * @param worth columns with the value of the trades
 */
export function tradedMinutes(rows: string, limbs: Limbs, order: RowOrder, worth: string): string {
  const isStored = order === 'stored';
  const over = isStored ? 'OVER (ORDER BY ts)' : 'OVER (ORDER BY ts, agg_id)';
  const first = (column: string) => (isStored ? `first(${column})` : `arg_min(${column}, place)`);
  const last = (column: string) => (isStored ? `last(${column})` : `arg_max(${column}, place)`);
  const price = (pick: typeof first) =>
    isStored ? pick('price') : `(${pick(`(price * ${UNITS})::long`)} * ${UNIT})::decimal(18,8)`;
  return `running AS (
    SELECT ts, price, ${limbs.sums(over)}${isStored ? '' : `, row_number() ${over} place`}
    FROM (SELECT ts, agg_id, price, ${DELTA} delta FROM ${rows})
  ),
  levels AS (
    SELECT ts, ${limbs.edge(first, 'open')}, ${limbs.edge(last, 'close')},
      ${limbs.extreme('max')} high, ${limbs.extreme('min')} low,
      ${price(first)} price_open, ${price(last)} price_close
    FROM running TIMESTAMP(ts) SAMPLE BY 1m
  ),
  sums AS (
    SELECT ts, sum(${DELTA}) delta,
      sum(CASE WHEN is_buyer_maker THEN 0m ELSE qty END) buy_volume,
      sum(CASE WHEN is_buyer_maker THEN qty ELSE 0m END) sell_volume,
      ${worth},
      count() agg_trades, sum(last_id - first_id + 1) trades,
      sum(CASE WHEN is_buyer_maker THEN 0L ELSE 1L END) buy_agg_trades,
      sum(CASE WHEN is_buyer_maker THEN 0L ELSE last_id - first_id + 1 END) buy_trades,
      max(price) price_high, min(price) price_low,
      min(agg_id) first_id, max(agg_id) last_id
    FROM ${rows} SAMPLE BY 1m
  )`;
}
