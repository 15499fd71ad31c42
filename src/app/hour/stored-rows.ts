import { type AggTrade, canonicalLine, describeTrade } from '../../domain/trade/agg-trade.ts';
import type { HourRun } from '../../domain/proof/hour-run.ts';
import { DAY_MS, floorTo, hourWindowUs } from '../../domain/time/hour.ts';
import { verdictOf } from '../../domain/proof/ledger.ts';
import type { Series, Slice } from '../../domain/market.ts';
import type { ArchiveFiles } from '../../ports/archive-files.ts';
import type { Gap, Ledger } from '../../ports/ledger.ts';
import type { TradeStore } from '../../ports/trade-store.ts';

/**
 * The stored rows of an hour, read once in id order alongside the fetched ones, so that no stored row is
 * overwritten before it has been compared.
 */
export class StoredRows {
  readonly #hourMs: number;
  readonly #rows: AsyncIterator<AggTrade>;
  #ahead: AggTrade | undefined;
  #isAtEnd = false;

  constructor(trades: TradeStore, series: Series, hourMs: number) {
    this.#hourMs = hourMs;
    this.#rows = trades.read(series, hourWindowUs(hourMs))[Symbol.asyncIterator]();
  }

  /**
   * Passes rows to a run as far as they continue without a hole.
   * @param onTaken called with the rows that the run has taken
   */
  async takeUp(run: HourRun, onTaken: (trades: readonly AggTrade[]) => void): Promise<void> {
    for (let row = await this.#peek(); row !== undefined; row = await this.#peek()) {
      const taken = run.prime([row]);
      if (taken.length === 0 && row.aggId >= run.nextId) return;
      onTaken(taken);
      this.#ahead = undefined;
    }
  }

  /**
   * @param fetched rows as received from the exchange, ascending by id over all calls
   * @returns the rows that are not stored yet, and gaps for stored rows that differ
   */
  async compare(
    fetched: readonly AggTrade[],
  ): Promise<{ readonly unwritten: readonly AggTrade[]; readonly conflicts: readonly Gap[] }> {
    const unwritten: AggTrade[] = [];
    const conflicts: Gap[] = [];
    for (const trade of fetched) {
      const line = canonicalLine(trade);
      let isStored = false;
      for (
        let row = await this.#peek();
        row !== undefined && row.aggId <= trade.aggId;
        row = await this.#peek()
      ) {
        this.#ahead = undefined;
        if (row.aggId < trade.aggId || row.timeUs !== trade.timeUs) continue;
        isStored = canonicalLine(row) === line;
        if (!isStored) conflicts.push(this.#conflict(row, trade));
      }
      if (!isStored) unwritten.push(trade);
    }
    return { unwritten, conflicts };
  }

  #conflict(stored: AggTrade, fetched: AggTrade): Gap {
    return {
      hourMs: this.#hourMs,
      gapClass: 'duplicate_id',
      fromId: fetched.aggId,
      toId: fetched.aggId + 1,
      evidence: `the store had ${describeTrade(stored)}; the exchange gives ${describeTrade(fetched)}, which is kept`,
    };
  }

  async #peek(): Promise<AggTrade | undefined> {
    if (this.#ahead !== undefined || this.#isAtEnd) return this.#ahead;
    const next = await this.#rows.next();
    if (next.done === true) this.#isAtEnd = true;
    else this.#ahead = next.value;
    return this.#ahead;
  }
}

/**
 * Whether the stored rows of an hour are those of an earlier, interrupted fetch by REST. Only these are
 * reused. Rows are compared instead when they may come from a file that did not prove the hour, or when
 * the hour had missing ids, because stored rows with these ids were never fetched.
 */
export async function isLeftByRest(
  { ledger, files }: { readonly ledger: Ledger; readonly files: Pick<ArchiveFiles, 'records'> },
  slice: Slice,
): Promise<boolean> {
  const record = await ledger.record(slice, slice.hourMs);
  if (record !== undefined && verdictOf(record) === 'gap') return false;
  const dayMs = floorTo(slice.hourMs, DAY_MS);
  const read = await files.records(slice, { startMs: dayMs, endMs: dayMs + DAY_MS });
  return read.every(({ verdict }) => verdict === 'absent' || verdict === 'unreachable');
}
