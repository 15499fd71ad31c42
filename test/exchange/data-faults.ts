import {
  lowerBound,
  readPlain,
  visibleEnd,
  type PageRead,
  type Trade,
  type TradeSeries,
} from './trade-series.ts';

/** Defects of the exchange's data, by id; id ranges are inclusive at both ends. */
export type DataFault =
  /** rows the database lost; klines still hold them */
  | { readonly kind: 'gap'; readonly fromId: number; readonly toId: number }
  /** the row appears twice, the second time with `change` applied */
  | { readonly kind: 'duplicateId'; readonly id: number; readonly change?: Partial<Trade> }
  /** a row that the exchange declared void: p = q = 0, f = l = -1; its id stays, klines leave it out */
  | { readonly kind: 'invalidRow'; readonly id: number }
  /** the row's time is `byMs` too early */
  | { readonly kind: 'timeBackwards'; readonly id: number; readonly byMs: number }
  /** `count` rows from `fromId` on fall into the millisecond of the first */
  | { readonly kind: 'sameMs'; readonly fromId: number; readonly count: number }
  /** the row has other content on its n-th read */
  | {
      readonly kind: 'alteredRead';
      readonly id: number;
      readonly onRead: number;
      readonly change: Partial<Trade>;
    }
  /** the rows are not shown before that exchange time, as when the database lags behind */
  | {
      readonly kind: 'lateRows';
      readonly fromId: number;
      readonly toId?: number;
      readonly visibleAtMs: number;
    }
  /** the rows are missing from the first `reads` pages that would have any of them, as when the database lags behind */
  | {
      readonly kind: 'unreadRows';
      readonly fromId: number;
      readonly toId?: number;
      readonly reads: number;
    }
  /** every row is shown only `lagMs` after it happened */
  | { readonly kind: 'lag'; readonly lagMs: number }
  /** pages that start at or before `id` and would reach beyond it end with it; `times` times (default: always) */
  | { readonly kind: 'shortPage'; readonly id: number; readonly times?: number }
  /** searches by time that should find `id` find the trade `rows` later; `times` times (default: always) */
  | {
      readonly kind: 'lateSearch';
      readonly id: number;
      readonly rows: number;
      readonly times?: number;
    }
  /** the first page that starts at or after `id` repeats the page that was read before it */
  | { readonly kind: 'repeatedPage'; readonly id: number };

type Retime = Extract<DataFault, { kind: 'invalidRow' | 'timeBackwards' | 'sameMs' }>;
type Splice = Extract<DataFault, { kind: 'gap' | 'duplicateId' }>;
type Reading = Extract<
  DataFault,
  {
    kind:
      | 'alteredRead'
      | 'lateRows'
      | 'unreadRows'
      | 'lag'
      | 'shortPage'
      | 'lateSearch'
      | 'repeatedPage';
  }
>;

/** The series as a faulty database shows it; its `truth` is what the matching engine saw. */
export function faultySeries(base: TradeSeries, faults: readonly DataFault[]): TradeSeries {
  const changes = faults.filter(
    (fault): fault is Retime =>
      fault.kind === 'invalidRow' || fault.kind === 'timeBackwards' || fault.kind === 'sameMs',
  );
  const splices = faults.filter(
    (fault): fault is Splice => fault.kind === 'gap' || fault.kind === 'duplicateId',
  );
  const readings = faults.filter(
    (fault): fault is Reading =>
      !changes.some((other) => other === fault) && !splices.some((other) => other === fault),
  );
  const truth = changes.length === 0 ? base : changedRows(base, changes);
  return new FaultyReads(
    splices.length === 0 ? truth : splicedRows(truth, splices),
    truth,
    readings,
  );
}

function changedRows(base: TradeSeries, changes: readonly Retime[]): TradeSeries {
  const edits = changes.map((change) => {
    const firstId = change.kind === 'sameMs' ? change.fromId : change.id;
    const firstUs = base.at(base.indexOfId(firstId)).timeUs;
    return {
      change,
      firstId,
      lastId: change.kind === 'sameMs' ? firstId + change.count - 1 : firstId,
      firstUs,
    };
  });
  const at = (index: number): Trade => {
    let trade = base.at(index);
    for (const edit of edits)
      if (trade.a >= edit.firstId && trade.a <= edit.lastId) trade = changed(trade, edit);
    return trade;
  };
  return {
    count: base.count,
    firstId: base.firstId,
    endUs: base.endUs,
    at,
    indexOfId: (id) => base.indexOfId(id),
    indexAtTime: (timeUs) => {
      // Changes only move times backwards, so the first row that is late enough lies at or after the base's.
      let index = base.indexAtTime(timeUs);
      while (index < base.count && at(index).timeUs < timeUs) index++;
      return index;
    },
  };
}

function changed(trade: Trade, edit: { change: Retime; firstId: number; firstUs: number }): Trade {
  const { change, firstId, firstUs } = edit;
  if (change.kind === 'invalidRow')
    return { ...trade, p: '0.00000000', q: '0.00000000', f: -1, l: -1 };
  if (change.kind === 'timeBackwards')
    return { ...trade, timeUs: trade.timeUs - change.byMs * 1000 };
  // Spread over what is left of the first row's millisecond, so that microseconds still ascend.
  const leftUs = 1000 - (firstUs % 1000);
  return { ...trade, timeUs: firstUs + Math.floor(((trade.a - firstId) * leftUs) / change.count) };
}

/** Rows [from, to) of the base, at index `at` of the spliced series. */
interface Segment {
  readonly at: number;
  readonly from: number;
  readonly to: number;
  /** applied to its first row */
  readonly change: Partial<Trade> | undefined;
}

function splicedRows(base: TradeSeries, splices: readonly Splice[]): TradeSeries {
  const segments = cutSegments(base, splices);
  const last = segments.at(-1);
  const count = last === undefined ? 0 : last.at + last.to - last.from;
  const segmentOf = (index: number): Segment => {
    const found =
      segments[
        lowerBound(0, segments.length, (slot) => (segments[slot + 1]?.at ?? Infinity) > index)
      ];
    if (found === undefined || index >= count)
      throw new RangeError(`no trade at index ${index} of ${count}`);
    return found;
  };
  const at = (index: number): Trade => {
    const segment = segmentOf(index);
    const row = base.at(segment.from + index - segment.at);
    return index === segment.at ? { ...row, ...segment.change } : row;
  };
  // The first segment with a row at or after the base's index; duplicates make segments overlap, hence no arithmetic.
  const moved = (baseIndex: number): number => {
    const segment = segments.find((candidate) => candidate.to > baseIndex);
    return segment === undefined ? count : segment.at + Math.max(0, baseIndex - segment.from);
  };
  return {
    count,
    firstId: count === 0 ? 0 : at(0).a,
    endUs: base.endUs,
    at,
    indexOfId: (id) => moved(base.indexOfId(id)),
    indexAtTime: (timeUs) => moved(base.indexAtTime(timeUs)),
  };
}

function cutSegments(base: TradeSeries, splices: readonly Splice[]): Segment[] {
  const cuts = splices
    .map((splice) => {
      if (splice.kind === 'gap')
        return { stop: base.indexOfId(splice.fromId), resume: base.indexOfId(splice.toId + 1) };
      const index = base.indexOfId(splice.id);
      return { stop: index + 1, resume: index, change: splice.change };
    })
    .sort((left, right) => left.stop - right.stop);
  const segments: Segment[] = [];
  let from = 0;
  let at = 0;
  let change: Partial<Trade> | undefined;
  for (const cut of [...cuts, { stop: base.count, resume: base.count }]) {
    if (cut.stop > from) {
      segments.push({ at, from, to: cut.stop, change });
      at += cut.stop - from;
    }
    from = cut.resume;
    change = cut.change;
  }
  return segments;
}

class FaultyReads implements TradeSeries {
  readonly count: number;
  readonly firstId: number;
  readonly endUs: number;
  readonly truth: TradeSeries;
  readonly #base: TradeSeries;
  readonly #faults: readonly Reading[];
  readonly #fired = new Map<Reading, number>();
  #previousPage: readonly Trade[] = [];

  constructor(base: TradeSeries, truth: TradeSeries, faults: readonly Reading[]) {
    this.count = base.count;
    this.firstId = base.firstId;
    this.endUs = base.endUs;
    this.truth = truth;
    this.#base = base;
    this.#faults = faults;
  }

  at(index: number): Trade {
    return this.#base.at(index);
  }

  indexOfId(id: number): number {
    return this.#base.indexOfId(id);
  }

  indexAtTime(timeUs: number): number {
    const index = this.#base.indexAtTime(timeUs);
    for (const fault of this.#faults) {
      if (fault.kind !== 'lateSearch' || index !== this.indexOfId(fault.id)) continue;
      if (this.#count(fault) <= (fault.times ?? Infinity)) return index + fault.rows;
    }
    return index;
  }

  /** Hidden rows at the end are cut off here, so that "the most recent rows" are the most recent shown. */
  visibleEnd(nowMs: number): number {
    const lagMs = this.#faults.reduce(
      (most, fault) => (fault.kind === 'lag' ? Math.max(most, fault.lagMs) : most),
      0,
    );
    let end = visibleEnd(this.#base, nowMs - lagMs);
    for (const fault of this.#faults) {
      if (fault.kind !== 'lateRows' || nowMs >= fault.visibleAtMs) continue;
      const from = this.indexOfId(fault.fromId);
      if (from < end && this.indexOfId((fault.toId ?? Infinity) + 1) >= end) end = from;
    }
    return end;
  }

  read(page: PageRead): readonly Trade[] {
    let rows = this.#shown(page);
    for (const fault of this.#faults) {
      if (fault.kind === 'alteredRead') rows = this.#alter(rows, fault);
      if (fault.kind === 'shortPage') rows = this.#shorten(rows, fault);
    }
    const repeated = this.#faults.find(
      (fault) =>
        fault.kind === 'repeatedPage' &&
        (rows[0]?.a ?? -1) >= fault.id &&
        this.#fired.get(fault) === undefined,
    );
    if (repeated !== undefined && this.#previousPage.length > 0) {
      this.#count(repeated);
      return this.#previousPage;
    }
    this.#previousPage = rows;
    return rows;
  }

  #shown(page: PageRead): Trade[] {
    const hidden = this.#faults.filter((fault) => this.#hides(fault, page));
    if (hidden.length === 0) return readPlain(this.#base, page);
    const rows: Trade[] = [];
    for (let index = page.index; index < page.endIndex && rows.length < page.rows; index++) {
      const trade = this.at(index);
      if (!hidden.some((fault) => isAmong(fault, trade.a))) rows.push(trade);
    }
    return rows;
  }

  #hides(fault: Reading, page: PageRead): boolean {
    if (fault.kind === 'lateRows') return page.nowMs < fault.visibleAtMs;
    if (fault.kind !== 'unreadRows') return false;
    const end = Math.min(page.endIndex, page.index + page.rows);
    const holds =
      this.indexOfId(fault.fromId) < end &&
      this.indexOfId((fault.toId ?? Infinity) + 1) > page.index;
    return holds && this.#count(fault) <= fault.reads;
  }

  #alter(rows: Trade[], fault: Extract<DataFault, { kind: 'alteredRead' }>): Trade[] {
    if (!rows.some((row) => row.a === fault.id)) return rows;
    if (this.#count(fault) !== fault.onRead) return rows;
    return rows.map((row) => (row.a === fault.id ? { ...row, ...fault.change } : row));
  }

  #shorten(rows: Trade[], fault: Extract<DataFault, { kind: 'shortPage' }>): Trade[] {
    const reaches =
      (rows[0]?.a ?? Infinity) <= fault.id && (rows.at(-1)?.a ?? -Infinity) > fault.id;
    if (!reaches || (this.#fired.get(fault) ?? 0) >= (fault.times ?? Infinity)) return rows;
    this.#count(fault);
    return rows.filter((row) => row.a <= fault.id);
  }

  #count(fault: Reading): number {
    const fired = (this.#fired.get(fault) ?? 0) + 1;
    this.#fired.set(fault, fired);
    return fired;
  }
}

function isAmong(fault: Reading, id: number): boolean {
  return (
    (fault.kind === 'lateRows' || fault.kind === 'unreadRows') &&
    id >= fault.fromId &&
    id <= (fault.toId ?? Infinity)
  );
}
