import { type BarsPlan, planBars } from '../../domain/bars/bar-plan.ts';
import { type BarGrid, startsIn } from '../../domain/bars/bar-grid.ts';
import type { Series } from '../../domain/market.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { DAY_MS, floorTo, HOUR_MS, type TimeRange } from '../../domain/time/hour.ts';
import { INTERVAL_MS } from '../../domain/time/interval.ts';
import type {
  BarsPage,
  AllBarsQuestion,
  ChartReads,
  ShownBar,
  ShownFields,
  ShowRequest,
} from '../../ports/chart-data.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ledger } from '../../ports/ledger.ts';
import { isAsStored, showBars, type ShowDeps, statusOf } from '../bars/show-bars.ts';
import { assertStored } from './assert-stored.ts';

/** More than a chart can show, and few enough that an answer stays below some ten megabytes. */
export const MAX_BARS = 50_000;

export interface BarsDeps extends Pick<ShowDeps, 'bars' | 'zones'> {
  readonly ledger: Pick<Ledger, 'records' | 'knows'>;
  readonly reads: Pick<
    ChartReads,
    'barsStatement' | 'eachBar' | 'buildsDigest' | 'basesDigest' | 'hoursDigest'
  >;
  readonly clock: Clock;
}

/** @throws CdvaultError USAGE when a bar straddles the anchor */
export function askBars(deps: BarsDeps, series: Series, asked: ShowRequest): AllBarsQuestion {
  const { request, next, plan } = firstPart(deps, asked, MAX_BARS);
  const { grid } = plan;
  assertFewRead(plan);
  return {
    tag: () => tagOf(deps, series, request, plan),
    sql: () => deps.reads.barsStatement(series, request, plan),
    async read(fields, take) {
      await assertStored(deps, series);
      const openings: number[] = [];
      const takeOne = (bar: ShownFields) => {
        openings.push(bar.openMs);
        take(bar);
      };
      if (isAsStored(request, plan))
        await giveStored(deps, series, { request, plan, fields }, takeOne);
      else
        for (const bar of (await showBars(deps, series, request, deps.clock.nowMs())).bars)
          takeOne(bar);
      return { missing: missingSpans(openings, grid, request.range), next };
    },
  };
}

/** A bit more than the minutes of a year: an anchor may lie far before the bars that are asked for. */
const MAX_READ_BARS = 600_000;

/**
 * @param rowsABar of each stored bar
 * @throws CdvaultError BAD_RANGE
 */
export function assertFewRead({ read, stored }: BarsPlan, rowsABar = 1): void {
  const count = Math.ceil((read.endMs - read.startMs) / INTERVAL_MS[stored]) * rowsABar;
  if (count <= MAX_READ_BARS) return;
  throw new CdvaultError(
    'BAD_RANGE',
    `an answer is computed from at most ${MAX_READ_BARS} bars of ${stored}; this one needs ${count}`,
    { advice: 'Ask for a later anchor, for anchor=day or anchor=total, or for a longer interval.' },
  );
}

/** Bars that are stored as they are asked for: what is not needed is not even read. */
async function giveStored(
  { reads, clock }: Pick<BarsDeps, 'reads' | 'clock'>,
  series: Series,
  {
    request: { lengthMs, range },
    plan,
    fields,
  }: Pick<Part, 'request' | 'plan'> & { readonly fields: readonly (keyof ShownBar)[] },
  take: (bar: ShownFields) => void,
): Promise<void> {
  const nowMs = clock.nowMs();
  const inStore = fields.filter((field) => field !== 'endMs');
  const hasEnd = fields.some((field) => field === 'endMs' || field === 'status');
  await reads.eachBar(series, plan.stored, { range: plan.read, fields: inStore }, (bar) => {
    const { openMs, status } = bar;
    if (openMs < range.startMs) return;
    if (!hasEnd) return take(bar);
    const endMs = openMs + lengthMs;
    take({ ...bar, endMs, status: status && statusOf([{ status }], endMs, 1, nowMs) });
  });
}

export interface Part extends Pick<BarsPage, 'next'> {
  readonly request: ShowRequest;
  readonly plan: BarsPlan;
}

/** The request, or its first bars. */
export function firstPart(
  { zones }: Pick<BarsDeps, 'zones'>,
  asked: ShowRequest,
  maxBars: number,
): Part {
  const { range, lengthMs, anchor } = asked;
  // A bar of a session may be an hour longer than its day.
  const reachMs = range.startMs + (maxBars + 1) * lengthMs + 2 * DAY_MS;
  const request = { ...asked, range: { ...range, endMs: Math.min(range.endMs, reachMs) } };
  const plan = planBars(request, zones.clockTime);
  let count = 0;
  for (const startMs of startsIn(plan.grid, request.range)) {
    count += 1;
    if (count <= maxBars) continue;
    // The level of `from` goes on counting from where this part starts.
    const anchorMs = anchor.kind === 'from' ? range.startMs : undefined;
    const part = { ...request, range: { ...range, endMs: startMs } };
    return {
      request: part,
      plan: planBars(part, zones.clockTime),
      next: { startMs, anchorMs },
    };
  }
  return { request, plan, next: undefined };
}

/** Everything that an answer depends on: bars, continuous levels, the ledger, and which bars have ended. */
export async function tagOf(
  { reads, clock }: Pick<BarsDeps, 'reads' | 'clock'>,
  series: Series,
  { range, anchor }: ShowRequest,
  { grid, read }: BarsPlan,
): Promise<string | undefined> {
  const days = { startMs: floorTo(read.startMs, DAY_MS), endMs: read.endMs };
  const hours = { startMs: floorTo(read.startMs, HOUR_MS), endMs: read.endMs };
  const isCounted = anchor.kind !== 'day' && anchor.kind !== 'total';
  // The order does not matter: the bars are read after all of them.
  const [builds, bases, facts] = await Promise.all([
    reads.buildsDigest(series, days),
    anchor.kind === 'total' ? reads.basesDigest(series, days) : '',
    isCounted ? reads.hoursDigest(series, hours) : '',
  ]);
  if (builds === undefined) return undefined;
  // A bar stops to be `forming` when it ends, although nothing stored has changed.
  const endedMs = grid.startOf(Math.min(clock.nowMs(), read.endMs));
  return [range.startMs, range.endMs, endedMs, builds, bases, facts].join('.');
}

/** @param openings starts of bars, ascending */
function missingSpans(openings: readonly number[], grid: BarGrid, range: TimeRange): TimeRange[] {
  const spans: TimeRange[] = [];
  let next = 0;
  for (const startMs of startsIn(grid, range)) {
    if (openings[next] === startMs) {
      next += 1;
      continue;
    }
    const last = spans.at(-1);
    const endMs = grid.endOf(startMs);
    if (last?.endMs === startMs) spans[spans.length - 1] = { ...last, endMs };
    else spans.push({ startMs, endMs });
  }
  return spans;
}
