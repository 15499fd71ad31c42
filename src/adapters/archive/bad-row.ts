import { CdvaultError } from '../../domain/errors.ts';
import { FIELD_COUNT } from '../../domain/trade/trade-block.ts';

/** The names in the exchange's own header; the first one identifies a header. */
const FIELD_NAMES = [
  'agg_trade_id',
  'price',
  'quantity',
  'first_trade_id',
  'last_trade_id',
  'transact_time',
  'is_buyer_maker',
] as const;

/** A line of a file, without the line end. */
export interface Line {
  /** File name and line number. */
  readonly place: string;
  readonly text: string;
}

/** Whether the line is the exchange's header; its names may be in quotes. */
export function isHeader({ text }: Line): boolean {
  return text.split(',', 1)[0]?.replace(/^"(.*)"$/, '$1') === FIELD_NAMES[0];
}

/** @param field index of the wrong field, 0 to 6 */
export function badField(row: Line, field: number, why: string): CdvaultError {
  const columns = row.text.split(',');
  if (columns.length < FIELD_COUNT) return badRow(row, `it has ${columns.length} columns`);
  const quoted = JSON.stringify(columns[field]?.slice(0, 40));
  return badRow(row, `${FIELD_NAMES[field]} ${quoted} ${why}`);
}

export function badRow({ place, text }: Line, why: string): CdvaultError {
  const quoted = JSON.stringify(text.slice(0, 120));
  return new CdvaultError('ARCHIVE_BAD_ROW', `${place}: ${why}: ${quoted}`);
}
