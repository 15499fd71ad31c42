import type { TimeRange } from '../time/hour.ts';

/**
 * What can be wrong with something that is called proven. Hours that are not proven are no findings:
 * they are counted as what they are.
 */
export type FindingKind =
  /** The ledger lost an hour that bars were made of. */
  | 'ledger_lost'
  /** Ids that the ledger counted are not in the store. */
  | 'trades_missing'
  /** The store has rows that the ledger does not count. */
  | 'trades_strange'
  /** All ids are there, but not the content that was proven. */
  | 'content_differs'
  /** Two neighbouring hours do not meet. */
  | 'neighbours_differ'
  /** A stored bar is not what the trades give. */
  | 'bar_differs'
  /** A stored continuous level is not what the days give. */
  | 'anchor_differs'
  /** The trades are not what the exchange's own candles say. */
  | 'kline_differs'
  /** The exchange has replaced the file that the day was taken from. */
  | 'file_replaced';

export interface Finding {
  readonly kind: FindingKind;
  /** The hour, bar, midnight or minute that it is about. */
  readonly atMs: number;
  readonly detail: string;
}

/**
 * What a finding makes necessary; `fetch` takes up what is stored, `refetch` doubts it, `reload` doubts
 * all that came from the day's file.
 */
export type RepairAction = 'fetch' | 'refetch' | 'reload' | 'rebuild' | 'chain';

const REPAIR_ACTIONS: Readonly<Record<FindingKind, RepairAction>> = {
  ledger_lost: 'fetch',
  trades_missing: 'refetch',
  trades_strange: 'refetch',
  content_differs: 'refetch',
  neighbours_differ: 'refetch',
  kline_differs: 'refetch',
  file_replaced: 'reload',
  bar_differs: 'rebuild',
  anchor_differs: 'chain',
};

export function repairActionOf({ kind }: Finding): RepairAction {
  return REPAIR_ACTIONS[kind];
}

/** Both ends included. */
interface IdSpan {
  readonly from: number;
  readonly to: number;
}

/** Spans of ids for people: `7 to 9, 12`; at most five of them, and how many are left out. */
export function spansText(spans: readonly IdSpan[], others = 'more'): string {
  const shown = spans
    .slice(0, 5)
    .map(({ from, to }) => (from === to ? String(from) : `${from} to ${to}`));
  const left = spans.length - shown.length;
  return left > 0 ? `${shown.join(', ')} and ${left} ${others}` : shown.join(', ');
}

/** The same for ids one by one, ascending. */
export function idRanges(ids: readonly number[]): string {
  const spans: { from: number; to: number }[] = [];
  for (const id of ids) {
    const last = spans.at(-1);
    if (last !== undefined && id === last.to + 1) last.to = id;
    else spans.push({ from: id, to: id });
  }
  return spansText(spans);
}

/** Findings of one kind beyond this many are counted, not listed. */
const LISTED = 3;

/** @param what they are about: `minutes` */
export function listed(findings: readonly Finding[], what: string): Finding[] {
  const next = findings[LISTED];
  if (next === undefined) return [...findings];
  const more = findings.length - LISTED;
  return [
    ...findings.slice(0, LISTED),
    { ...next, detail: `and ${more} more ${what} of this day` },
  ];
}

/** Exact comparison of what we hold with the exchange's own candles. */
export interface KlineCheck {
  readonly minutes: number;
  readonly equal: number;
}

/** Somebody outside the store who was to be asked about a day and did not answer. */
export interface Unheard {
  /** The exchange's candles; whether it still has the file that the day was taken from. */
  readonly witness: 'klines' | 'files';
  /** The error's code and message. */
  readonly reason: string;
}

/** `due`: older than the hours that they are made of. `damaged`: not compared, since the trades are wrong. */
export type BarsCheck =
  /** `bars`: those that hold a minute of the asked hours. */
  | { readonly state: 'compared'; readonly bars: number }
  | { readonly state: 'due' | 'damaged' | 'none' };

/** What a verification found of one symbol-day. All figures are those of the asked hours alone. */
export interface DayReport {
  readonly dayMs: number;
  readonly range: TimeRange;
  readonly proven: number;
  readonly open: number;
  readonly gap: number;
  /** Hours without a ledger row. */
  readonly unknown: number;
  /** Hours in the range that are not proven, with what they are. */
  readonly unproven: readonly { readonly hourMs: number; readonly verdict: string }[];
  /** Stored rows of the hours' runs of ids. */
  readonly rows: number;
  /** Content hashes recomputed from the store, hex, by hour. */
  readonly hashes: readonly {
    readonly hourMs: number;
    readonly rows: number;
    readonly contentHash: string;
  }[];
  /** Exact sum of the signed quantities of these rows, decimal text. */
  readonly delta: string;
  readonly bars: BarsCheck;
  readonly klines: KlineCheck | undefined;
  /** What was to be asked and could not be: the verdict is the store's alone. */
  readonly unheard: readonly Unheard[];
  readonly findings: readonly Finding[];
}
