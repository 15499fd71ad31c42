import type { DayInputs } from '../../domain/bars/day.ts';
import { dayBars } from '../../domain/bars/day-bars.ts';
import { restatementOf } from '../../domain/bars/restatement.ts';
import { formatDecimal, parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import { CdvaultError, classify } from '../../domain/errors.ts';
import { DAY_MS, floorTo, HOUR_MS, isoDay } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import type { DayToWrite, RestatementRow, StoredDay } from '../../ports/bar-store.ts';
import type { DistilledHours } from '../../ports/distilled-hours.ts';
import type { Log } from '../../ports/log.ts';
import type { TradeStore } from '../../ports/trade-store.ts';
import { OWNED_WRITE_MS } from '../leases.ts';
import { distilledHours } from './distilled-day.ts';
import {
  type BuildOutcome,
  changedPart,
  type DueDay,
  prepareBuild,
  type PrepareDeps,
  SeriesBuild,
  type WantedBars,
} from './series-build.ts';

export interface BuildBarsDeps extends PrepareDeps {
  readonly trades: Pick<TradeStore, 'read'>;
  readonly distilled: DistilledHours;
  readonly log: Log;
}

/**
 * Computes the bars of days of any number of series, at every interval, only from what the ledger has
 * recorded. It does not ask the queue: it makes no difference whether a slice was shared with another flow,
 * or failed and was repaired later. All bars are written in one request. What is wrong with one series' days
 * does not harm the others.
 * @returns an outcome for each of `wanted`, in its order
 * @throws CdvaultError when no day could be written: of the store, or LEASE_LOST
 */
export async function buildBars(
  deps: BuildBarsDeps,
  wanted: readonly WantedBars[],
  signal: AbortSignal,
): Promise<readonly BuildOutcome[]> {
  const outcomes: (BuildOutcome | SeriesBuild)[] = [];
  const builds: SeriesBuild[] = [];
  try {
    for (const one of wanted) {
      const found = await unlessFailed(signal, () => prepareBuild(deps, one, signal));
      if (found instanceof SeriesBuild) builds.push(found);
      outcomes.push(found);
    }
    const due = builds.filter(({ days }) => days.length > 0);
    if (due.length > 0) await buildAll(deps, due, signal);
    return outcomes.map((one) => (one instanceof SeriesBuild ? one.outcome : one));
  } finally {
    await Promise.all(builds.map(({ lease }) => lease.release()));
  }
}

/** @returns the error that work fails with, unless it concerns the whole batch */
async function unlessFailed<T>(
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T | CdvaultError> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    return classify(error);
  }
}

/** A day without bars: none of its trades counts in continuous levels, and all its ids are missing. */
const NOT_BUILT = ({ idStart }: DayInputs) => ({
  inputs: '',
  deltaE8: 0n,
  idEnd: idStart,
  missing: 0,
});

async function buildAll(
  deps: BuildBarsDeps,
  builds: readonly SeriesBuild[],
  signal: AbortSignal,
): Promise<void> {
  const { bars, clock } = deps;
  const held = AbortSignal.any([signal, ...builds.map(({ lease }) => lease.signal)]);
  await Promise.all(builds.map(({ lease }) => lease.assertHeld(OWNED_WRITE_MS)));
  await bars.begin(
    builds.flatMap(({ series, days }) =>
      days.map(({ day, before }) => ({ series, day: { ...day, ...(before ?? NOT_BUILT(day)) } })),
    ),
    clock.nowMs(),
  );
  try {
    await bars.write(() => daysToWrite(deps, builds, held), held);
    for (const build of builds.filter(({ isFailed }) => !isFailed)) {
      const error = await unlessFailed(held, () => checkAll(deps, build));
      if (error !== undefined) build.outcome = error;
    }
  } finally {
    // Also after a failure: a request that got no answer may have been stored all the same.
    await assertStillOurs(deps, builds);
  }
  await bars.stamp(
    builds
      .filter(({ isFailed }) => !isFailed)
      .flatMap(({ series, days }) => days.map(({ day }) => ({ series, day }))),
    clock.nowMs(),
  );
}

/** The bars of one day at a time. Days of a series that has failed are left out. */
async function* daysToWrite(
  deps: BuildBarsDeps,
  builds: readonly SeriesBuild[],
  signal: AbortSignal,
): AsyncGenerator<DayToWrite> {
  for (const build of builds) {
    for (const due of build.days) {
      signal.throwIfAborted();
      if (build.isFailed) break;
      const built = await unlessFailed(signal, () => dayToWrite(deps, build, due, signal));
      if (built instanceof CdvaultError) build.outcome = built;
      else yield built;
    }
  }
}

/** @throws CdvaultError STORE_MISMATCH, SUM_TOO_LARGE: no bar may ever be computed from unproven rows */
async function dayToWrite(
  deps: BuildBarsDeps,
  build: SeriesBuild,
  { day, records, before }: DueDay,
  signal: AbortSignal,
): Promise<DayToWrite> {
  const { series, contract, restated } = build;
  const { tiers } = deps.bars;
  const isUnknown = contract !== undefined && contract.size === undefined;
  const hours = await distilledHours(deps, series, { day, records, tiers, contract }, signal);
  const bars = dayBars(day, hours, isUnknown ? [] : tiers);
  // When the request is repeated, the restatement is on record already.
  if (!restated.some(({ hourMs }) => floorTo(hourMs, DAY_MS) === day.dayMs)) {
    const row = await announceRestatement(deps, series, before, day);
    if (row !== undefined) restated.push(row);
  }
  return { series, day, bars, contract, ...changedPart(before, day, contract) };
}

async function checkAll(deps: BuildBarsDeps, build: SeriesBuild): Promise<void> {
  const { series, days, restated } = build;
  await checkAgainstLedger(
    deps,
    series,
    days.map(({ day }) => day),
  );
  const rows: RestatementRow[] = [];
  for (const row of restated) rows.push(await withNewLevel(deps, series, row));
  await deps.bars.restate(series, rows);
}

/**
 * A worker that lost its lease may have overwritten the bars of the worker that took over, after that
 * worker's stamp. The stamps are therefore cleared, so that the days are due again.
 */
async function assertStillOurs(
  { bars, clock }: BuildBarsDeps,
  builds: readonly SeriesBuild[],
): Promise<void> {
  for (const build of builds) {
    try {
      await build.lease.assertHeld(OWNED_WRITE_MS);
    } catch (error) {
      const cleared = build.days.map(({ day }) => ({
        series: build.series,
        day: { ...day, inputs: '' },
      }));
      await bars.stamp(cleared, clock.nowMs());
      if (!(error instanceof CdvaultError)) throw error;
      build.outcome = error;
    }
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

/** Each day's bar must have exactly the trades that the ledger counted; the two sums are computed independently. */
async function checkAgainstLedger(
  deps: BuildBarsDeps,
  series: Series,
  days: readonly DayInputs[],
): Promise<void> {
  const [startMs, lastMs] = [days[0]?.dayMs ?? 0, days.at(-1)?.dayMs ?? 0];
  const stored = await deps.bars.bars(series, '1d', { startMs, endMs: lastMs + DAY_MS });
  const byDay = new Map(stored.map((bar) => [bar.openMs, bar]));
  for (const day of days) {
    const bar = byDay.get(day.dayMs);
    const validRows = day.hours.reduce((rows, hour) => rows + hour.validRows, 0);
    const deltaE8 = bar === undefined ? 0n : parseDecimal(bar.delta, QTY_SCALE);
    if ((bar?.aggTrades ?? 0) === validRows && deltaE8 === day.deltaE8) continue;
    throw new CdvaultError(
      'READ_BACK_MISMATCH',
      `${series.symbol} ${isoDay(day.dayMs)}: the ledger has ${validRows} valid trades with delta ${formatDecimal(day.deltaE8, QTY_SCALE)}, ` +
        `the bars have ${bar?.aggTrades ?? 0} with delta ${bar?.delta ?? '0'}`,
    );
  }
}
