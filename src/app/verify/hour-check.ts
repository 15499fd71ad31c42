import { type Finding, spansText } from '../../domain/proof/finding.ts';
import { isoHour } from '../../domain/time/hour.ts';
import { reachesBack, type SliceRecord, verdictOf } from '../../domain/proof/ledger.ts';
import { ExactSum } from '../../domain/trade/decimal.ts';
import {
  EXACT_NUMBER,
  LineHasher,
  lineOf,
  qtyE8,
  type StoredTrades,
} from '../../domain/trade/stored-trades.ts';

/** The stored rows of an hour's run of ids, and where they differ from the ledger. */
export interface CheckedHour {
  readonly hourMs: number;
  readonly rows: number;
  /** Σ quantity of valid rows by taker side, units of 1e-8. */
  readonly buyE8: bigint;
  readonly sellE8: bigint;
  /** Hex, computed from the stored rows. */
  readonly contentHash: string;
  readonly findings: readonly Finding[];
}

/** Ledger rows of the neighbouring hours. */
interface Surroundings {
  readonly before: SliceRecord | undefined;
  /** The time of some of its rows may lie in this hour. */
  readonly next: SliceRecord | undefined;
}

/** A row of a run whose time lies in the hour before. */
interface EarlyRow {
  readonly aggId: number;
  readonly qtyE8: bigint;
  readonly isBuyerMaker: boolean;
  readonly isValid: boolean;
  readonly line: Uint8Array;
}

/** Rows of a run that lie in the hour before it, in id order: few, so they are kept. */
export class EarlyRows {
  readonly rows: EarlyRow[] = [];

  add(trades: StoredTrades, row: number): void {
    this.rows.push({
      aggId: trades.aggIds[row] ?? 0,
      qtyE8: qtyE8(trades, row),
      isBuyerMaker: trades.makers[row] === 1,
      isValid: trades.valids[row] === 1,
      line: lineOf(trades, row).slice(),
    });
  }
}

/** Compares the rows of one hour with its ledger row while they pass by. */
export class HourCheck {
  readonly #record: SliceRecord;
  readonly #around: Surroundings;
  readonly #early: readonly EarlyRow[];
  #earlyAt = 0;
  readonly #hasher = new LineHasher();
  readonly #buys = new ExactSum();
  readonly #sells = new ExactSum();
  #rows = 0;
  #ids = 0;
  #lastId: number;
  readonly #absent = new IdSpans();
  readonly #doubled = new IdSpans();
  readonly #strange = new IdSpans();
  /** Rows of the next hour's run. */
  readonly reaching = new EarlyRows();

  /** @param early rows of this hour's run from the hour before */
  constructor(record: SliceRecord, around: Surroundings, early: EarlyRows) {
    this.#record = record;
    this.#around = around;
    this.#early = early.rows;
    this.#lastId = (record.first?.id ?? 0) - 1;
  }

  /** @param trades rows `[from, to)` have their time in the hour; in id order over all calls */
  add(trades: StoredTrades, from: number, to: number): void {
    const { aggIds } = trades;
    const { first, last } = this.#record;
    const [firstId, lastId] = [first?.id ?? Infinity, last?.id ?? -Infinity];
    const isOwn = (row: number) => {
      const id = aggIds[row] ?? 0;
      return firstId <= id && id <= lastId;
    };
    for (let row = from; row < to;) {
      if (!isOwn(row)) {
        this.#other(trades, row);
        row += 1;
        continue;
      }
      let end = row + 1;
      while (end < to && isOwn(end)) end += 1;
      this.#own(trades, row, end);
      row = end;
    }
  }

  finish(): CheckedHour {
    this.#takeEarly(Infinity);
    const contentHash = this.#hasher.digest();
    const { hourMs } = this.#record;
    return {
      hourMs,
      rows: this.#rows,
      buyE8: this.#buys.value,
      sellE8: this.#sells.value,
      contentHash,
      findings: this.#findings(contentHash),
    };
  }

  #own(trades: StoredTrades, from: number, to: number): void {
    const { aggIds, qtysE8, makers, valids } = trades;
    let hashed = from;
    for (let row = from; row < to; row += 1) {
      const id = aggIds[row] ?? 0;
      if (this.#earlyAt < this.#early.length) {
        this.#hasher.update(trades, hashed, row);
        hashed = row;
        this.#takeEarly(id);
      }
      this.#count(id);
      if (valids[row] !== 1) continue;
      const sum = makers[row] === 1 ? this.#sells : this.#buys;
      const qty = qtysE8[row] ?? 0;
      if (qty < EXACT_NUMBER) sum.add(qty);
      else sum.addBig(qtyE8(trades, row));
    }
    this.#hasher.update(trades, hashed, to);
  }

  /** Takes the rows from the hour before whose ids are at most `id`. */
  #takeEarly(id: number): void {
    for (
      let early = this.#early[this.#earlyAt];
      early !== undefined && early.aggId <= id;
      early = this.#early[this.#earlyAt]
    ) {
      this.#earlyAt += 1;
      this.#hasher.line(early.line);
      this.#count(early.aggId);
      if (early.isValid) (early.isBuyerMaker ? this.#sells : this.#buys).addBig(early.qtyE8);
    }
  }

  #count(id: number): void {
    this.#rows += 1;
    if (id === this.#lastId) {
      this.#doubled.add(id, id);
      return;
    }
    this.#ids += 1;
    if (id > this.#lastId + 1) this.#absent.add(this.#lastId + 1, id - 1);
    this.#lastId = id;
  }

  #other(trades: StoredTrades, row: number): void {
    const id = trades.aggIds[row] ?? 0;
    const { next } = this.#around;
    if (next !== undefined && reachesBack(next, id)) this.reaching.add(trades, row);
    else this.#strange.add(id, id);
  }

  #findings(contentHash: string): Finding[] {
    const { hourMs, rows, contentHash: proven } = this.#record;
    const findings = [
      ...this.#missing(),
      ...this.#strangers(),
      ...meeting(this.#record, this.#around),
    ];
    if (findings.length > 0 || contentHash === proven) return findings;
    const detail = `all ${rows} ids are stored, but their content hash is ${contentHash.slice(0, 16)}… instead of the proven ${proven.slice(0, 16)}…`;
    return [{ kind: 'content_differs', atMs: hourMs, detail }];
  }

  #missing(): Finding[] {
    const { last, rows, hourMs } = this.#record;
    if (last === undefined || (this.#ids === rows && this.#rows === rows)) return [];
    if (last.id > this.#lastId) this.#absent.add(this.#lastId + 1, last.id);
    // In an hour with holes it is unknown which of the absent ids were once stored.
    const isProven = verdictOf(this.#record) === 'proven';
    const which = [
      isProven && this.#absent.ids > 0 ? `: ids ${this.#absent.text}` : '',
      this.#doubled.ids > 0 ? `; stored with two times: ids ${this.#doubled.text}` : '',
    ].join('');
    const kind = this.#ids < rows ? 'trades_missing' : 'trades_strange';
    const detail = `${rows} trades were proven, ${this.#rows} are stored${which}`;
    return [{ kind, atMs: hourMs, detail }];
  }

  #strangers(): Finding[] {
    const { ids, text } = this.#strange;
    if (ids === 0) return [];
    const detail = `${ids} rows that no fetch has proven: ids ${text}`;
    return [{ kind: 'trades_strange', atMs: this.#record.hourMs, detail }];
  }
}

/** As many spans as a text names. */
const SPANS_NAMED = 5;

/** Spans of ids, counted; only those that are named are kept. */
class IdSpans {
  readonly #named: { readonly from: number; to: number }[] = [];
  #spans = 0;
  #lastId = -Infinity;
  ids = 0;

  /** @param from ascending over all calls; both ends included */
  add(from: number, to: number): void {
    this.ids += to - from + 1;
    const last = this.#named.at(-1);
    if (from <= this.#lastId + 1) {
      if (last !== undefined && this.#spans === this.#named.length) last.to = to;
    } else {
      this.#spans += 1;
      if (this.#named.length < SPANS_NAMED) this.#named.push({ from, to });
    }
    this.#lastId = to;
  }

  get text(): string {
    const left = this.#spans - this.#named.length;
    return spansText(this.#named) + (left > 0 ? ` and ${left} more` : '');
  }
}

/** Two consecutive proven hours must name each other's edge trades. */
export function meeting(record: SliceRecord, { before }: Pick<Surroundings, 'before'>): Finding[] {
  if (before === undefined || verdictOf(record) !== 'proven' || verdictOf(before) !== 'proven')
    return [];
  const edge = record.first ?? record.next;
  const last = before.last ?? before.prev;
  if (before.next?.id === edge?.id && record.prev?.id === last?.id) return [];
  const detail =
    `${isoHour(before.hourMs)} ends at id ${last?.id ?? '-'} before ${before.next?.id ?? '-'}, ` +
    `this hour begins at id ${edge?.id ?? '-'} after ${record.prev?.id ?? '-'}`;
  return [{ kind: 'neighbours_differ', atMs: record.hourMs, detail }];
}
