/**
 * The distilled hours of a day's bars: those kept from their fetch, and others distilled again from the
 * stored rows that the ledger's runs claim.
 */

import { type AggTrade, isInvalid } from '../../domain/trade/agg-trade.ts';
import type { Contract } from '../../domain/bars/contract.ts';
import type { DayHour, DayInputs } from '../../domain/bars/day.ts';
import type { DistilledHour } from '../../domain/bars/distilled.ts';
import { createHourDistiller } from '../../domain/bars/distiller.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { idRanges } from '../../domain/proof/finding.ts';
import { floorTo, HOUR_MS, isoHour, spanOfHours } from '../../domain/time/hour.ts';
import { claims, reachesBack, type SliceRecord } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import type { TierBounds } from '../../domain/bars/tier.ts';
import type { DistilledHours } from '../../ports/distilled-hours.ts';
import type { TradeStore } from '../../ports/trade-store.ts';

interface DistilDeps {
  readonly trades: Pick<TradeStore, 'read'>;
  readonly distilled: DistilledHours;
}

interface DayToDistil {
  readonly day: DayInputs;
  /** Ledger rows of inputRange(), by hour. */
  readonly records: ReadonlyMap<number, SliceRecord>;
  readonly tiers: TierBounds;
  readonly contract: Contract | undefined;
}

/** About this many stored rows are read at a time, or those of one hour. */
const ROWS_AT_ONCE = 20_000;

/**
 * Stored rows of one hour, or of several thin ones, are in memory at a time.
 * @returns every hour of the day, by its start
 * @throws CdvaultError STORE_MISMATCH when the rows of an hour are not all stored exactly once
 */
export async function distilledHours(
  deps: DistilDeps,
  series: Series,
  wanted: DayToDistil,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, DistilledHour>> {
  const hours = new Map<number, DistilledHour>();
  const missed: DayHour[] = [];
  for (const hour of wanted.day.hours) {
    const kept = keptHour(deps.distilled, series, hour, wanted);
    if (kept === undefined) missed.push(hour);
    else hours.set(hour.hourMs, kept);
  }
  for (const group of groupsOf(missed)) {
    signal.throwIfAborted();
    const rows = await storedRows(deps.trades, series, group);
    for (const hour of group)
      hours.set(hour.hourMs, distilledAgain(series, hour, rows.get(hour.hourMs) ?? [], wanted));
  }
  return hours;
}

/** Hours in a row, because the rows between them are read too. */
function groupsOf(hours: readonly DayHour[]): DayHour[][] {
  const groups: DayHour[][] = [];
  let rows = 0;
  for (const hour of hours) {
    const isNext = groups.at(-1)?.at(-1)?.hourMs === hour.hourMs - HOUR_MS;
    if (!isNext || rows + hour.rows > ROWS_AT_ONCE) {
      groups.push([]);
      rows = 0;
    }
    groups.at(-1)?.push(hour);
    rows += hour.rows;
  }
  return groups;
}

/** The stored rows of some hours, by the hour of their time; ascending by id. */
async function storedRows(
  trades: Pick<TradeStore, 'read'>,
  series: Series,
  hours: readonly DayHour[],
): Promise<ReadonlyMap<number, readonly AggTrade[]>> {
  const rows = new Map<number, AggTrade[]>();
  if (hours.every((hour) => hour.rows === 0)) return rows;
  const { startMs, endMs } = spanOfHours(hours.map(({ hourMs }) => hourMs));
  for await (const trade of trades.read(series, { startUs: startMs * 1000, endUs: endMs * 1000 })) {
    const hourMs = floorTo(trade.timeUs / 1000, HOUR_MS);
    const ofHour = rows.get(hourMs);
    if (ofHour === undefined) rows.set(hourMs, [trade]);
    else ofHour.push(trade);
  }
  return rows;
}

/** The hour as its fetch has distilled it, if no row reaches out of it or into it. */
function keptHour(
  distilled: DistilledHours,
  { market, symbol }: Series,
  hour: DayHour,
  { records, tiers, contract }: DayToDistil,
): DistilledHour | undefined {
  const { hourMs, isReached } = hour;
  const contentHash = records.get(hourMs)?.contentHash;
  if (contentHash === undefined || isReached) return undefined;
  const found = distilled.find({ market, symbol, hourMs, contentHash, tiers, contract });
  return found !== undefined && isCounted(hour, found) ? found : undefined;
}

/** Whether an hour has exactly the trades that the ledger counts in it. */
function isCounted(hour: DayHour, { rows, invalidRows, buyE8, sellE8 }: DistilledHour): boolean {
  return (
    rows === hour.rows &&
    rows - invalidRows === hour.validRows &&
    buyE8 === hour.buyE8 &&
    sellE8 === hour.sellE8
  );
}

function distilledAgain(
  series: Series,
  hour: DayHour,
  stored: readonly AggTrade[],
  { records, tiers, contract }: DayToDistil,
): DistilledHour {
  const { hourMs } = hour;
  const distiller = createHourDistiller({ hourMs, tiers, contract });
  const rows = stored.filter(({ aggId }) => isProven(records, hourMs, aggId));
  for (const trade of rows.toSorted(inBarOrder)) distiller.update(trade);
  const distilled = distiller.finish();
  if (distilled !== undefined && isCounted(hour, distilled) && doubledIds(rows).length === 0)
    return distilled;
  throw mismatch(series, hour, rows);
}

/** Whether a row that lies in an hour is claimed by the run of that hour or by the next one's. */
function isProven(records: DayToDistil['records'], hourMs: number, aggId: number): boolean {
  const own = records.get(hourMs);
  const next = records.get(hourMs + HOUR_MS);
  return (
    (own !== undefined && claims(own, aggId)) || (next !== undefined && reachesBack(next, aggId))
  );
}

/** By time, and by id where several have the same time. */
function inBarOrder(left: AggTrade, right: AggTrade): number {
  return left.timeUs - right.timeUs || left.aggId - right.aggId;
}

function doubledIds(rows: readonly AggTrade[]): readonly number[] {
  return rows.map(({ aggId }) => aggId).filter((id, index) => rows[index - 1]?.aggId === id);
}

function mismatch(series: Series, hour: DayHour, rows: readonly AggTrade[]): CdvaultError {
  const doubled = doubledIds(rows);
  const twice = doubled.length === 0 ? '' : `; stored with two times: ids ${idRanges(doubled)}`;
  const valid = rows.filter((trade) => !isInvalid(trade)).length;
  return new CdvaultError(
    'STORE_MISMATCH',
    `${series.symbol} ${isoHour(hour.hourMs)}: ${hour.rows} trades were proven, ${hour.validRows} of them valid; ` +
      `the store has ${rows.length} with their ids, ${valid} of them valid${twice}`,
  );
}
