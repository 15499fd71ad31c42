import { CdvaultError } from '../../domain/errors.ts';
import { HOUR_MS, hourWindowUs } from '../../domain/time/hour.ts';
import { claims, type SliceRecord } from '../../domain/proof/ledger.ts';
import { BACKWARD_BOUND_MS } from '../../domain/proof/foreign-rows.ts';
import { LineHasher, type StoredTrades } from '../../domain/trade/stored-trades.ts';
import type { Series } from '../../domain/market.ts';
import type { TradeScan } from '../../ports/trade-scan.ts';
import { type CheckedHour, EarlyRows, HourCheck } from './hour-check.ts';

/**
 * The most rows that one read should have, so that the store sorts little at a time. A read has at least an
 * hour and at most a day.
 */
const READ_ROWS = 1_000_000;

interface HoursToVerify {
  /** Ledger rows by hour: those of the hours and of the hours around them. */
  readonly records: ReadonlyMap<number, SliceRecord>;
  /** The hours to prove, oldest first; those without a ledger row are left out. */
  readonly hours: Iterable<number>;
}

/** Called with rows `[from, to)` whose time lies in the hour that is being read, in id order. */
export type OnRows = (trades: StoredTrades, from: number, to: number) => void;

/**
 * Proves hours again from the store alone: ids, count, content, and that each meets its neighbours. Rows
 * pass by; none is kept.
 */
export async function* verifyHours(
  scan: TradeScan,
  { records, hours }: HoursToVerify,
  signal: AbortSignal,
  onRows: OnRows = () => undefined,
): AsyncGenerator<CheckedHour> {
  for (const part of partsOf(records, hours)) {
    const [first] = part;
    if (first === undefined) continue;
    const { startUs } = hourWindowUs(first.hourMs);
    const { endUs } = hourWindowUs(part.at(-1)?.hourMs ?? first.hourMs);
    const searchUs = first.reachBack.rows === 0 ? 0 : BACKWARD_BOUND_MS * 1000;
    const reading = new Reading(part, records, onRows);
    const window = { startUs: startUs - searchUs, endUs };
    for await (const trades of scan.hours(first, window, signal)) yield* reading.take(trades);
    yield* reading.finish();
  }
}

/** Hours that are read together: consecutive ones, up to READ_ROWS. */
function* partsOf(
  records: ReadonlyMap<number, SliceRecord>,
  hours: Iterable<number>,
): Generator<readonly SliceRecord[]> {
  let part: SliceRecord[] = [];
  let rows = 0;
  for (const hourMs of hours) {
    const record = records.get(hourMs);
    if (record === undefined) continue;
    const last = part.at(-1);
    const continues = last !== undefined && last.hourMs + HOUR_MS === hourMs;
    if (!continues || rows + record.rows > READ_ROWS) {
      yield part;
      [part, rows] = [[], 0];
    }
    part.push(record);
    rows += record.rows;
  }
  yield part;
}

/** The hours of one read, as its rows come by. */
class Reading {
  readonly #part: readonly SliceRecord[];
  readonly #records: ReadonlyMap<number, SliceRecord>;
  readonly #onRows: OnRows;
  /** Rows that lie before the first hour and belong to its run. */
  readonly #early = new EarlyRows();
  /** undefined before the first hour. */
  #hour: HourCheck | undefined;
  #begun = 0;
  #endUs: number;

  constructor(
    part: readonly SliceRecord[],
    records: ReadonlyMap<number, SliceRecord>,
    onRows: OnRows,
  ) {
    this.#part = part;
    this.#records = records;
    this.#onRows = onRows;
    this.#endUs = hourWindowUs(part[0]?.hourMs ?? 0).startUs;
  }

  *take(trades: StoredTrades): Generator<CheckedHour> {
    const { rows, timesUs } = trades;
    for (let from = 0; from < rows;) {
      while ((timesUs[from] ?? 0) >= this.#endUs) yield* this.#advance();
      let to = from + 1;
      while (to < rows && (timesUs[to] ?? 0) < this.#endUs) to += 1;
      this.#add(trades, from, to);
      from = to;
    }
  }

  *finish(): Generator<CheckedHour> {
    while (this.#begun < this.#part.length) yield* this.#advance();
    if (this.#hour !== undefined) yield this.#hour.finish();
  }

  #add(trades: StoredTrades, from: number, to: number): void {
    if (this.#hour !== undefined) {
      this.#hour.add(trades, from, to);
      this.#onRows(trades, from, to);
      return;
    }
    const [first] = this.#part;
    for (let row = from; row < to; row += 1)
      if (first !== undefined && claims(first, trades.aggIds[row] ?? 0))
        this.#early.add(trades, row);
  }

  /** Ends the hour and begins the next one. */
  *#advance(): Generator<CheckedHour> {
    const early = this.#hour?.reaching ?? this.#early;
    if (this.#hour !== undefined) yield this.#hour.finish();
    const record = this.#part[this.#begun];
    if (record === undefined)
      throw new CdvaultError('INTERNAL', 'the store returned rows outside the window');
    this.#begun += 1;
    this.#endUs = hourWindowUs(record.hourMs).endUs;
    const around = {
      before: this.#records.get(record.hourMs - HOUR_MS),
      next: this.#records.get(record.hourMs + HOUR_MS),
    };
    this.#hour = new HourCheck(record, around, early);
  }
}

/** The stored trades of an hour without a ledger row. */
export async function unrecordedHour(
  scan: TradeScan,
  series: Series,
  hourMs: number,
  signal: AbortSignal,
): Promise<{ readonly rows: number; readonly contentHash: string }> {
  const hasher = new LineHasher();
  let rows = 0;
  for await (const trades of scan.hours(series, hourWindowUs(hourMs), signal)) {
    hasher.update(trades, 0, trades.rows);
    rows += trades.rows;
  }
  return { rows, contentHash: hasher.digest() };
}
