import { dayInputs, inputRange } from '../../domain/bars/day.ts';
import type { Series, SeriesDay } from '../../domain/market.ts';
import { seriesKey } from '../../domain/market.ts';
import { NO_REACH, type SliceRecord } from '../../domain/proof/ledger.ts';
import { DAY_MS, floorTo, HOUR_MS } from '../../domain/time/hour.ts';
import type { RecentWrites } from '../../ports/backup.ts';
import type { BarStore } from '../../ports/bar-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Prunings } from '../../ports/prunings.ts';
import type { TradeStore } from '../../ports/trade-store.ts';
import { isHourStored } from '../compact/settled-trades.ts';
import { compareWithLedger } from '../verify/verify-pruned.ts';

interface SettleDeps {
  readonly recent: RecentWrites;
  readonly ledger: Pick<Ledger, 'records' | 'write'>;
  readonly trades: Pick<TradeStore, 'readBackHours'>;
  readonly bars: BarStore;
  readonly prunings: Pick<Prunings, 'days'>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** What was found to be newer than the tables that it tells about. */
export interface Settled {
  /** Hours that are open again, since their trades are not all in the backup. */
  readonly hours: number;
  /** Days whose bars are due again. */
  readonly days: number;
}

/** By how much the clocks of workers may differ, and how long a write may be under way. */
const MARGIN_MS = 3_600_000;

/**
 * Makes a restored store agree with itself. A checkpoint notes the state of one table after the other, while workers
 * write: the ledger's may be newer than that of the trades that it counts, and the stamp of a day newer than its
 * bars. Such hours become open, and the bars of such days due, so that the next run fetches and builds them again.
 * @param startedAtMs when the backup was begun
 */
export async function settleRestored(
  deps: SettleDeps,
  startedAtMs: number,
  signal: AbortSignal,
): Promise<Settled> {
  const sinceMs = startedAtMs - MARGIN_MS;
  let hours = 0;
  for (const day of uniqueDays(await deps.recent.hours(sinceMs))) {
    signal.throwIfAborted();
    hours += await reopen(deps, day);
  }
  let days = 0;
  for (const { dayMs, ...series } of await deps.recent.days(sinceMs)) {
    signal.throwIfAborted();
    days += await makeDue(deps, series, dayMs);
  }
  return { hours, days };
}

function uniqueDays(
  hours: readonly (Series & { readonly hourMs: number })[],
): readonly SeriesDay[] {
  const days = hours.map(({ market, symbol, hourMs }) => ({
    market,
    symbol,
    dayMs: floorTo(hourMs, DAY_MS),
  }));
  return [...new Map(days.map((day) => [`${seriesKey(day)} ${day.dayMs}`, day])).values()];
}

async function isPruned({ prunings }: SettleDeps, series: Series, dayMs: number): Promise<boolean> {
  return (await prunings.days(series, { startMs: dayMs, endMs: dayMs + DAY_MS })).length > 0;
}

/** @returns how many hours are open now */
async function reopen(deps: SettleDeps, { dayMs, market, symbol }: SeriesDay): Promise<number> {
  const series = { market, symbol };
  if (await isPruned(deps, series, dayMs)) return 0;
  const records = await deps.ledger.records(series, inputRange(dayMs));
  const byHour = new Map(records.map((record) => [record.hourMs, record]));
  const window = { startUs: dayMs * 1000, endUs: (dayMs + DAY_MS) * 1000 };
  const stored = await deps.trades.readBackHours(series, window);
  const wrong = (dayInputs(dayMs, records)?.hours ?? [])
    .filter((hour) => !isHourStored(hour, byHour.get(hour.hourMs), stored.get(hour.hourMs)))
    // Rows that are missing in an hour may be those of the next one's run.
    .flatMap(({ hourMs, isReached }) => (isReached ? [hourMs, hourMs + HOUR_MS] : [hourMs]));
  const nowMs = deps.clock.nowMs();
  const opened = [...new Set(wrong)].flatMap((hourMs) => byHour.get(hourMs) ?? []);
  const entries = opened.map((record) => ({ record: asOpen(record, nowMs), gaps: [] }));
  await deps.ledger.write(entries, nowMs);
  return entries.length;
}

/** The hour as if a fetch had seen none of its trades and none after it: it is due again. */
function asOpen(record: SliceRecord, nowMs: number): SliceRecord {
  return {
    ...record,
    rows: 0,
    first: undefined,
    last: undefined,
    next: undefined,
    endedAtMs: undefined,
    invalidRows: 0,
    backwardRows: 0,
    reachBack: NO_REACH,
    buyQty: '0',
    sellQty: '0',
    runId: 'restore',
    fetchedAtMs: nowMs,
  };
}

/** @returns 1 when the stamp of a day was newer than its bars, which are due now */
async function makeDue(deps: SettleDeps, series: Series, dayMs: number): Promise<number> {
  if (await isPruned(deps, series, dayMs)) return 0;
  const range = inputRange(dayMs);
  const all = await deps.ledger.records(series, { ...range, startMs: dayMs - HOUR_MS });
  const day = dayInputs(dayMs, all);
  if (day === undefined) return 0;
  const records = new Map(all.map((record) => [record.hourMs, record]));
  const asked = { startMs: dayMs, endMs: dayMs + DAY_MS };
  const found = await compareWithLedger(deps.bars, series, { inputs: day, records, asked });
  if (found.bars.state === 'due' || !found.findings.some(({ kind }) => kind === 'bar_differs'))
    return 0;
  await deps.bars.stamp([{ series, day: { ...day, inputs: '' } }], deps.clock.nowMs());
  return 1;
}
