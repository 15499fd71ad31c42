import type { TimeRange } from '../time/hour.ts';

/**
 * What can be wrong with proven data. Hours that are not proven are not findings; they are counted by
 * their verdict.
 */
export type FindingKind =
  /** The ledger lost an hour that bars were computed from. */
  | 'ledger_lost'
  /** Ids that the ledger counted are not in the store. */
  | 'trades_missing'
  /** The store has rows that the ledger does not count. */
  | 'trades_strange'
  /** All ids are stored, but not with the content that was proven. */
  | 'content_differs'
  /** Two neighbouring hours do not name each other's edge trades. */
  | 'neighbours_differ'
  /** A stored bar differs from the one computed from the trades. */
  | 'bar_differs'
  /** A stored continuous level differs from the one computed from the days. */
  | 'anchor_differs'
  /** The trades differ from the exchange's own candles. */
  | 'kline_differs'
  /** The exchange has replaced the file that the day was loaded from. */
  | 'file_replaced';

export interface Finding {
  readonly kind: FindingKind;
  /** Start of the hour, bar or minute, or the midnight, that the finding is about. */
  readonly atMs: number;
  readonly detail: string;
}

/**
 * The repair that a finding needs. `fetch` fetches an hour and continues from its stored rows. `refetch`
 * fetches all of it and compares the stored rows. `reload` refetches all hours from the day's file.
 * `rebuild` computes the day's bars again. `chain` computes the continuous levels again.
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

/** Spans of ids as text: `7 to 9, 12`; at most five of them, and how many are left out. */
export function spansText(spans: readonly IdSpan[], others = 'more'): string {
  const shown = spans
    .slice(0, 5)
    .map(({ from, to }) => (from === to ? String(from) : `${from} to ${to}`));
  const left = spans.length - shown.length;
  return left > 0 ? `${shown.join(', ')} and ${left} ${others}` : shown.join(', ');
}

/** The same for single ids, ascending. */
export function idRanges(ids: readonly number[]): string {
  const spans: { from: number; to: number }[] = [];
  for (const id of ids) {
    const last = spans.at(-1);
    if (last !== undefined && id === last.to + 1) last.to = id;
    else spans.push({ from: id, to: id });
  }
  return spansText(spans);
}

/** At most this many findings of one kind are listed; the rest is counted. */
const LISTED = 3;

/** @param what what the findings are about: `minutes` */
export function listed(findings: readonly Finding[], what: string): Finding[] {
  const next = findings[LISTED];
  if (next === undefined) return [...findings];
  const more = findings.length - LISTED;
  return [
    ...findings.slice(0, LISTED),
    { ...next, detail: `and ${more} more ${what} of this day` },
  ];
}

/** Result of the exact comparison of stored trades with the exchange's own candles. */
export interface KlineCheck {
  readonly minutes: number;
  readonly equal: number;
}

/** A source outside the store that was asked about a day and did not answer. */
export interface Unheard {
  /** `klines`: the exchange's candles. `files`: whether the exchange still has the file that the day was loaded from. */
  readonly witness: 'klines' | 'files';
  /** The error's code and message. */
  readonly reason: string;
}

/**
 * `due`: older than the hours that they are computed from. `damaged`: not compared, because the trades
 * are wrong. `none`: the ledger has nothing about the day, so there are no bars to compare.
 * `summed`: the trades were pruned, so the bars were only compared with the ledger's sums and with each other.
 */
export type BarsCheck =
  /** `bars`: number of compared bars that contain a minute of the requested hours. */
  | { readonly state: 'compared' | 'summed'; readonly bars: number }
  | { readonly state: 'due' | 'damaged' | 'none' };

/** What a verification found for one symbol-day. All figures are those of the requested hours alone. */
export interface DayReport {
  readonly dayMs: number;
  readonly range: TimeRange;
  readonly proven: number;
  readonly open: number;
  readonly gap: number;
  /** Hours without a ledger row. */
  readonly unknown: number;
  /** Whether the day's trades were dropped by prune, and so not read. */
  readonly pruned: boolean;
  /** Hours in the range that are not proven, with their verdict. */
  readonly unproven: readonly { readonly hourMs: number; readonly verdict: string }[];
  /** Stored rows of the hours' runs of ids; 0 for a pruned day. */
  readonly rows: number;
  /** Content hashes recomputed from the store, hex, by hour. */
  readonly hashes: readonly {
    readonly hourMs: number;
    readonly rows: number;
    readonly contentHash: string;
  }[];
  /** Exact sum of the signed quantities of these rows, decimal text; for a pruned day what the ledger has. */
  readonly delta: string;
  readonly bars: BarsCheck;
  readonly klines: KlineCheck | undefined;
  /** Sources that did not answer: the result rests on the store alone. */
  readonly unheard: readonly Unheard[];
  readonly findings: readonly Finding[];
}
