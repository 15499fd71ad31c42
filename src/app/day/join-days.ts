import {
  type Border,
  borderAt,
  isAdjacent,
  type Joined,
  joinAcross,
  type Outside,
  type SilentHour,
  tailOf,
} from '../../domain/proof/border.ts';
import { DAY_MS, floorTo, HOUR_MS, type TimeRange } from '../../domain/time/hour.ts';
import { type Neighbour, neighbourOf, type SliceRecord } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import type { SourceChoice } from '../../domain/plan/source-choice.ts';
import type { ArchiveSource } from '../../ports/archive-source.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Lease, Leases } from '../../ports/lease.ts';
import type { Ledger, LedgerEntry } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import type { TradeSource } from '../../ports/trade-source.ts';
import { askedHours } from './awaited-hours.ts';
import { nearestTrade, SILENT_DAYS, type Side } from './day-edges.ts';
import { edgeGaps, isOfEdge } from './edge-gaps.ts';
import { endOfFiles, silentHour } from '../hour/end-of-symbol.ts';
import { hourLease, OWNED_WRITE_MS } from '../leases.ts';

const LEASE_POLL_MS = 250;

interface JoinDeps {
  readonly ledger: Ledger;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly log: Log;
  /** The source of the days. */
  readonly archive: ArchiveSource;
  /** Asked only whether it still trades the symbol. */
  readonly source: TradeSource;
  readonly codeVersion: string;
}

/** A midnight at which the hours on both sides are to be joined. */
export interface Midnight extends Series {
  readonly borderMs: number;
  /** Whether no other job loads the days after it. */
  readonly isEnd: boolean;
  readonly runId: string;
  readonly source: SourceChoice;
}

export interface JoinedDays {
  /** Days with a changed hour. */
  readonly days: readonly number[];
  /** Why it is unknown whether a trade follows; set only if that was checked. */
  readonly openEnd?: string | undefined;
}

/**
 * Gives the hours on both sides of a midnight each other's nearest trade, also across days without a
 * file. It is for hours that REST no longer serves, so only files know these trades. Called after a day,
 * or what it waits for, has been recorded: of two days loaded at the same time the later one joins.
 *
 * It looks again after it has written: another job may have recorded its day after the look, and have
 * looked itself before this write was visible. Then neither would join what the other has added.
 * @throws CdvaultError LEASE_LOST, and the store's own
 */
export async function joinDays(
  deps: JoinDeps,
  midnight: Midnight,
  signal: AbortSignal,
): Promise<JoinedDays> {
  const days = new Set<number>();
  for (;;) {
    const joined = await joinOnce(deps, midnight, signal);
    for (const dayMs of joined.days) days.add(dayMs);
    if (joined.days.length === 0) return { days: [...days], openEnd: joined.openEnd };
  }
}

async function joinOnce(
  deps: JoinDeps,
  midnight: Midnight,
  signal: AbortSignal,
): Promise<JoinedDays> {
  const known = await whatIsKnown(deps, midnight);
  const { outside, openEnd } = await lookOutside(deps, midnight, known.border, signal);
  const wanted = hoursOf(joinAcross(known.records, known.border, outside));
  if (wanted.length === 0) return { days: [], openEnd };
  const leases: Lease[] = [];
  try {
    for (const hourMs of wanted) leases.push(await acquire(deps, midnight, hourMs, signal));
    const held = new Set(wanted);
    // The previous owner of the leases may have changed the hours.
    const now = await whatIsKnown(deps, midnight);
    const joined = joinAcross(now.records, now.border, outside);
    const changed = joined.changed.filter(({ hourMs }) => held.has(hourMs));
    const silent = joined.silent.filter(({ hourMs }) => held.has(hourMs));
    await write(deps, midnight, { changed, silent }, leases);
    const hours = hoursOf({ changed, silent });
    return { days: [...new Set(hours.map((hourMs) => floorTo(hourMs, DAY_MS)))], openEnd };
  } finally {
    await Promise.all(leases.map((lease) => lease.release()));
  }
}

function hoursOf({ changed, silent }: Joined): number[] {
  return [...changed, ...silent].map(({ hourMs }) => hourMs);
}

interface Known {
  readonly records: readonly SliceRecord[];
  readonly border: Border;
}

async function whatIsKnown({ ledger }: JoinDeps, midnight: Midnight): Promise<Known> {
  const { borderMs } = midnight;
  const of = async (reachMs: number) => {
    const range: TimeRange = { startMs: borderMs - reachMs, endMs: borderMs + reachMs };
    return [await ledger.records(midnight, range), range] as const;
  };
  const [near] = await of(DAY_MS);
  const border = borderAt(near, [], borderMs);
  if (isAdjacent(border)) return { records: near, border };
  const [records, range] = await of(SILENT_DAYS * DAY_MS);
  const asked = await askedHours(ledger, midnight, range);
  return { records, border: borderAt(records, asked, borderMs) };
}

/**
 * Reads, from the files next to awaited hours, the trades around these hours. At the end of a symbol,
 * checks that no trade follows.
 */
async function lookOutside(
  deps: JoinDeps,
  midnight: Midnight,
  border: Border,
  signal: AbortSignal,
): Promise<{ readonly outside: Outside; readonly openEnd?: string | undefined }> {
  const { before, after, asked } = border;
  const [first, last] = [asked[0], asked.at(-1)];
  if (isAdjacent(border) || hoursOf(joinAcross([], border)).length > 0) return { outside: {} };
  const nearest = async (hourMs: number | undefined, side: Side) => {
    if (hourMs === undefined) return undefined;
    const dayMs = floorTo(hourMs, DAY_MS);
    const { market, symbol } = midnight;
    const trade = await nearestTrade(deps, { market, symbol, dayMs }, side, signal);
    return trade === undefined ? undefined : neighbourOf(trade);
  };
  const head = after === undefined ? await nearest(last, 'after') : undefined;
  const tail = await nearest(isBeside(before, first) ? undefined : first, 'before');
  if (after !== undefined || head !== undefined) return { outside: { tail, head } };
  const lastTrade = latest(tailOf(before), tail);
  const isOpen = asked.length > 0 || (midnight.isEnd && before?.next === undefined);
  if (lastTrade === undefined || !isOpen) return { outside: { tail } };
  const end = await endOfFiles(deps, midnight, lastTrade, signal);
  return typeof end === 'object'
    ? { outside: { tail, ended: end } }
    : { outside: { tail }, openEnd: end };
}

/** Whether a recorded hour is right before another one: then no file has a trade between them. */
function isBeside(before: SliceRecord | undefined, hourMs: number | undefined): boolean {
  return before !== undefined && before.hourMs + HOUR_MS === hourMs;
}

function latest(one: Neighbour | undefined, other: Neighbour | undefined): Neighbour | undefined {
  return (one?.id ?? -1) >= (other?.id ?? -1) ? one : other;
}

async function write(
  { ledger, clock, codeVersion }: JoinDeps,
  midnight: Midnight,
  { changed, silent }: Joined,
  leases: readonly Lease[],
): Promise<void> {
  const hours = hoursOf({ changed, silent });
  if (hours.length === 0) return;
  const nowMs = clock.nowMs();
  const range = { startMs: Math.min(...hours), endMs: Math.max(...hours) + HOUR_MS };
  const gaps = Map.groupBy(await ledger.openGaps(midnight, range), ({ hourMs }) => hourMs);
  const entries: LedgerEntry[] = [
    ...changed.map((record) => ({
      record,
      gaps: [
        ...(gaps.get(record.hourMs) ?? []).filter((gap) => !isOfEdge(gap)),
        ...edgeGaps(record, midnight.source),
      ],
    })),
    ...silent.map((hour) => ({ record: recordOf(midnight, hour, codeVersion, nowMs), gaps: [] })),
  ];
  await Promise.all(leases.map((lease) => lease.assertHeld(OWNED_WRITE_MS)));
  await ledger.write(entries, nowMs);
}

function recordOf(
  { market, symbol, runId }: Midnight,
  { hourMs, prev, next, endedAtMs }: SilentHour,
  codeVersion: string,
  fetchedAtMs: number,
): SliceRecord {
  const hour = silentHour({ market, symbol, hourMs }, prev, 'archive');
  return { ...hour, next, endedAtMs, runId, codeVersion, fetchedAtMs };
}

async function acquire(
  { leases, clock }: JoinDeps,
  series: Series,
  hourMs: number,
  signal: AbortSignal,
): Promise<Lease> {
  for (;;) {
    const lease = await leases.tryAcquire(hourLease({ ...series, hourMs }), signal);
    if (lease !== undefined) return lease;
    await clock.sleep(LEASE_POLL_MS, signal);
  }
}
