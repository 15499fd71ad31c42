import { type DayInputs, dayInputs, inputRange } from '../../domain/bars/day.ts';
import { dayBars } from '../../domain/bars/day-bars.ts';
import { firstChangedHour, hoursIn } from '../../domain/bars/first-change.ts';
import { restatementOf } from '../../domain/bars/restatement.ts';
import { formatDecimal, parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { DAY_MS, HOUR_MS, isoDay } from '../../domain/time/hour.ts';
import { type Series, seriesKey } from '../../domain/market.ts';
import type { Contract } from '../../domain/bars/contract.ts';
import type { BarStore, DayToWrite, RestatementRow, StoredDay } from '../../ports/bar-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DistilledHours } from '../../ports/distilled-hours.ts';
import type { Lease, Leases } from '../../ports/lease.ts';
import type { Ledger, SeriesCatalogue } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import type { TradeSource } from '../../ports/trade-source.ts';
import type { TradeStore } from '../../ports/trade-store.ts';
import { pinnedContract } from '../contract-size.ts';
import { OWNED_WRITE_MS } from '../leases.ts';
import { distilledHours } from './distilled-day.ts';

export interface BuildBarsDeps {
  readonly bars: BarStore;
  readonly trades: Pick<TradeStore, 'read'>;
  readonly distilled: DistilledHours;
  readonly ledger: Ledger;
  readonly catalogue: SeriesCatalogue;
  /** Asked once, for the size of a contract. */
  readonly source: TradeSource;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly log: Log;
}

export type BuildOutcome = 'built' | 'fresh' | 'nothing_known' | 'busy';

/**
 * Computes one symbol-day's bars at every interval, only from what the ledger has recorded. It does not
 * ask the queue: it makes no difference whether a slice was shared with another flow, or failed and was
 * repaired later.
 * @throws CdvaultError LEASE_LOST, STORE_MISMATCH, READ_BACK_MISMATCH, and the store's own
 */
export async function buildBars(
  deps: BuildBarsDeps,
  series: Series,
  dayMs: number,
  signal: AbortSignal,
): Promise<BuildOutcome> {
  const name = `bars-${seriesKey(series)}-${isoDay(dayMs)}`;
  const lease = await deps.leases.tryAcquire(name, signal);
  if (lease === undefined) return 'busy';
  try {
    const found = await deps.ledger.records(series, inputRange(dayMs));
    const day = dayInputs(dayMs, found);
    if (day === undefined) return 'nothing_known';
    const [before] = await deps.bars.days(series, { startMs: dayMs, endMs: dayMs + DAY_MS });
    if (before?.isCurrent === true && before.inputs === day.inputs) return 'fresh';

    const contract = await pinnedContract(deps, series, signal);
    const isUnknown = contract !== undefined && contract.size === undefined;
    const { tiers } = deps.bars;
    const records = new Map(found.map((record) => [record.hourMs, record]));
    // Before anything is written: no bar may ever be computed from unproven rows.
    const hours = await distilledHours(deps, series, { day, records, tiers, contract }, signal);
    const bars = dayBars(day, hours, isUnknown ? [] : tiers);
    signal.throwIfAborted();
    await lease.assertHeld(OWNED_WRITE_MS);
    const restated = await announceRestatement(deps, series, before, day);
    await deps.bars.begin(series, day, before?.inputs ?? '', deps.clock.nowMs());
    try {
      const changes = changedPart(before, day, contract);
      await deps.bars.write([{ series, day, bars, contract, ...changes }], signal);
      await checkAgainstLedger(deps, series, day);
      if (restated !== undefined)
        await deps.bars.restate(series, [await withNewLevel(deps, series, restated)]);
    } finally {
      // Also after a failure: a request that got no answer may have been stored all the same.
      await assertStillOurs(deps, series, day, lease);
    }
    await deps.bars.stamp(series, day, deps.clock.nowMs());
    return 'built';
  } finally {
    await lease.release();
  }
}

/**
 * Which bars of a day to write, and whether an earlier build may have left others. Only a valid stamp says
 * what is stored. A contract size may have become known since then, which changes every bar.
 */
function changedPart(
  before: StoredDay | undefined,
  day: DayInputs,
  contract: Contract | undefined,
): Pick<DayToWrite, 'fromMs' | 'mayHaveLeft'> {
  if (before === undefined) return { fromMs: day.dayMs, mayHaveLeft: false };
  const isTrusted = before.isCurrent && before.inputs !== '' && contract === undefined;
  if (!isTrusted) return { fromMs: day.dayMs, mayHaveLeft: true };
  const fromMs = firstChangedHour(before.inputs, day) ?? day.dayMs;
  const dense = new Set(
    day.hours.filter(({ verdict }) => verdict === 'proven').map(({ hourMs }) => hourMs),
  );
  const mayHaveLeft = [...hoursIn(before.inputs, day.dayMs)].some(
    (hourMs) => hourMs >= fromMs && !dense.has(hourMs),
  );
  return { fromMs, mayHaveLeft };
}

/**
 * A worker that lost its lease may have overwritten the bars of the worker that took over, after that
 * worker's stamp. The stamp is therefore cleared, so that the day is due again.
 */
async function assertStillOurs(
  deps: BuildBarsDeps,
  series: Series,
  day: DayInputs,
  lease: Lease,
): Promise<void> {
  try {
    await lease.assertHeld(OWNED_WRITE_MS);
  } catch (error) {
    await deps.bars.stamp(series, { ...day, inputs: '' }, deps.clock.nowMs());
    throw error;
  }
}

/** Records the restatement before the bars change, so that it is on record even if the build is killed. */
async function announceRestatement(
  deps: BuildBarsDeps,
  series: Series,
  before: StoredDay | undefined,
  day: DayInputs,
): Promise<RestatementRow | undefined> {
  const restatement = before === undefined ? undefined : restatementOf(before.inputs, day);
  if (restatement === undefined) return undefined;
  const row: RestatementRow = {
    hourMs: restatement.hourMs,
    what: 'bars',
    oldLevel: await levelAfter(deps, series, restatement.hourMs),
    newLevel: undefined,
    reason: restatement.reason,
    seenAtMs: deps.clock.nowMs(),
  };
  await deps.bars.restate(series, [row]);
  return row;
}

async function withNewLevel(
  deps: BuildBarsDeps,
  series: Series,
  row: RestatementRow,
): Promise<RestatementRow> {
  const restated = { ...row, newLevel: await levelAfter(deps, series, row.hourMs) };
  deps.log.warn(
    {
      symbol: series.symbol,
      hour: new Date(row.hourMs).toISOString(),
      oldLevel: row.oldLevel,
      newLevel: restated.newLevel,
    },
    `levels restated: ${row.reason}`,
  );
  return restated;
}

async function levelAfter(
  deps: BuildBarsDeps,
  series: Series,
  hourMs: number,
): Promise<string | undefined> {
  const [bar] = await deps.bars.bars(series, '1h', { startMs: hourMs, endMs: hourMs + HOUR_MS });
  return bar?.close;
}

/** The day bar must have exactly the trades that the ledger counted; the two sums are computed independently. */
async function checkAgainstLedger(
  deps: BuildBarsDeps,
  series: Series,
  day: DayInputs,
): Promise<void> {
  const [bar] = await deps.bars.bars(series, '1d', {
    startMs: day.dayMs,
    endMs: day.dayMs + DAY_MS,
  });
  const validRows = day.hours.reduce((rows, hour) => rows + hour.validRows, 0);
  const deltaE8 = bar === undefined ? 0n : parseDecimal(bar.delta, QTY_SCALE);
  if ((bar?.aggTrades ?? 0) === validRows && deltaE8 === day.deltaE8) return;
  throw new CdvaultError(
    'READ_BACK_MISMATCH',
    `${series.symbol} ${isoDay(day.dayMs)}: the ledger has ${validRows} valid trades with delta ${formatDecimal(day.deltaE8, QTY_SCALE)}, ` +
      `the bars have ${bar?.aggTrades ?? 0} with delta ${bar?.delta ?? '0'}`,
  );
}
