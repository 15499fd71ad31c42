import type { Fingerprint, HourContent } from './fingerprint.ts';
import type { TimeRange } from '../time/hour.ts';
import type { Interval } from '../time/interval.ts';
import type { Neighbour } from './ledger.ts';
import type { Series } from '../market.ts';

/** Written to every manifest; docs/export.md describes the format. */
export const EXPORT_FORMAT = 'cdvault-export-1';

/** Columns of a file of trades; all of `agg_trades` but market and symbol, which are in the path. */
export const TRADE_COLUMNS = [
  'ts',
  'agg_id',
  'price',
  'qty',
  'first_id',
  'last_id',
  'is_buyer_maker',
] as const;

/** Columns of a file of bars that are those of the exact tables; `ts_end` and `vwap` are added. */
export const BAR_EXPORT_COLUMNS = [
  { name: 'ts', type: 'time' },
  { name: 'open', type: 'decimal' },
  { name: 'high', type: 'decimal' },
  { name: 'low', type: 'decimal' },
  { name: 'close', type: 'decimal' },
  { name: 'delta', type: 'decimal' },
  { name: 'buy_volume', type: 'decimal' },
  { name: 'sell_volume', type: 'decimal' },
  { name: 'quote_delta', type: 'decimal' },
  { name: 'quote_volume', type: 'decimal' },
  { name: 'agg_trades', type: 'integer' },
  { name: 'trades', type: 'integer' },
  { name: 'buy_agg_trades', type: 'integer' },
  { name: 'buy_trades', type: 'integer' },
  { name: 'price_open', type: 'decimal' },
  { name: 'price_high', type: 'decimal' },
  { name: 'price_low', type: 'decimal' },
  { name: 'price_close', type: 'decimal' },
  { name: 'first_id', type: 'integer' },
  { name: 'last_id', type: 'integer' },
  { name: 'status', type: 'text' },
  { name: 'level_from', type: 'time' },
  { name: 'level_missing', type: 'integer' },
] as const;

export type BarExportColumn = (typeof BAR_EXPORT_COLUMNS)[number];

export interface DataOfBars {
  readonly what: 'bars';
  readonly interval: Interval;
  /** Plain numbers, rounded once, in place of decimals. */
  readonly isDouble: boolean;
}

/** What is exported of a series. */
export type ExportedData = { readonly what: 'trades' } | DataOfBars;

/** `range`: whole hours, and whole bars where bars are longer. */
export type ExportRequest = Series & ExportedData & { readonly range: TimeRange };

/** One day's file. */
export interface ExportedFile {
  readonly dayMs: number;
  /** Relative to the manifest's folder, with slashes. */
  readonly path: string;
  readonly bytes: number;
  /** Hex, of the file as it is on disk. */
  readonly sha256: string;
  readonly rows: number;
  /** undefined in a file without trades. */
  readonly firstId: number | undefined;
  readonly lastId: number | undefined;
  /** Exact sums of valid trades by taker side, decimal text of scale 8; contracts on COIN-M. */
  readonly buyVolume: string;
  readonly sellVolume: string;
}

/** What was exported, and what was proven about it. */
export type ExportManifest = ExportRequest & {
  /** Oldest first, one for each UTC day that the range touches. */
  readonly files: readonly ExportedFile[];
  /**
   * Of trades: hashed from the written files. Of bars: what the ledger proved and the bars were built from.
   */
  readonly fingerprint: Fingerprint;
  /** The trades just before the first hour and just after the last one; undefined when there is none. */
  readonly before: Neighbour | undefined;
  readonly after: Neighbour | undefined;
  readonly codeVersion: string;
  readonly createdAtMs: number;
};

/** A day that has been written and verified. */
export interface ExportedDay {
  readonly file: ExportedFile;
  readonly hours: readonly HourContent[];
}
