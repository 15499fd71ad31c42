import { CdvaultError } from '../../domain/errors.ts';
import { FIELD_COUNT } from '../../domain/trade/trade-block.ts';

/** What the exchange's own header calls the fields; by its first name a header is known. */
const FIELD_NAMES = [
  'agg_trade_id',
  'price',
  'quantity',
  'first_trade_id',
  'last_trade_id',
  'transact_time',
  'is_buyer_maker',
] as const;

/** A line of a file, without what ends it. */
export interface Line {
  /** File and number of the line. */
  readonly place: string;
  readonly text: string;
}

/** Whether it is the header that we know, its names in quotes or not. */
export function isHeader({ text }: Line): boolean {
  return text.split(',', 1)[0]?.replace(/^"(.*)"$/, '$1') === FIELD_NAMES[0];
}

/** @param field which of the seven is wrong */
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
