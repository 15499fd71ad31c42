/**
 * The trades of a day's bars: the proven rows whose time lies in the day, of whichever hour's run. Other
 * stored rows are ignored.
 */

import { type AggTrade, isInvalid } from '../../domain/trade/agg-trade.ts';
import { cdvBarsFrom, compareForBars } from '../../domain/bars/cdv.ts';
import { type BaseVolume, type Contract, plusBase } from '../../domain/bars/contract.ts';
import type { DayHour, DayInputs } from '../../domain/bars/day.ts';
import { formatDecimal, parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { idRanges } from '../../domain/proof/finding.ts';
import {
  dayWindowUs,
  floorTo,
  HOUR_MS,
  hourWindowUs,
  isoHour,
  MINUTE_MS,
} from '../../domain/time/hour.ts';
import { claims, reachesBack, type SliceRecord } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import { type TierBounds, TierPass } from '../../domain/bars/tier.ts';
import type { ComputedMinutes } from '../../ports/bar-store.ts';
import type { StoredRun, TradeStore } from '../../ports/trade-store.ts';

type Records = ReadonlyMap<number, SliceRecord>;

/** The store's window sums are DOUBLEs, exact below 2^53 whole units. */
const EXACT_WINDOW_E8 = 2n ** 53n * 100_000_000n;

/**
 * Whether the store may compute a day's minutes by time alone: the stored rows of the day's hours are
 * exactly those that the ledger counted (number, ids and sums), none belongs to another hour's run, and
 * the store's window sums are exact.
 */
export async function holdsExactly(
  trades: Pick<TradeStore, 'readBackHours'>,
  series: Series,
  day: DayInputs,
  records: Records,
): Promise<boolean> {
  if (day.volumeE8 >= EXACT_WINDOW_E8 || day.hours.some(({ isReached }) => isReached)) return false;
  const stored = await trades.readBackHours(series, dayWindowUs(day.dayMs));
  return day.hours.every((hour) => isJust(hour, records.get(hour.hourMs), stored.get(hour.hourMs)));
}

function isJust(
  hour: DayHour,
  record: SliceRecord | undefined,
  stored: StoredRun | undefined,
): boolean {
  if (stored === undefined) return hour.rows === 0;
  return (
    stored.rows === hour.rows &&
    stored.doubleRows === 0 &&
    stored.firstId === record?.first?.id &&
    stored.lastId === record?.last?.id &&
    stored.buyQty === formatDecimal(hour.buyE8, QTY_SCALE) &&
    stored.sellQty === formatDecimal(hour.sellE8, QTY_SCALE)
  );
}

/**
 * Computes a day's minutes in this process, from its proven rows alone. One hour of rows is in memory at a
 * time.
 * @param records of inputRange(), by hour
 * @throws CdvaultError STORE_MISMATCH when the proven rows are not all stored exactly once
 */
export async function computeMinutes(
  trades: Pick<TradeStore, 'read'>,
  series: Series,
  { day, records }: { readonly day: DayInputs; readonly records: Records },
  { tiers, contract }: { readonly tiers: TierBounds; readonly contract: Contract | undefined },
): Promise<ComputedMinutes> {
  const tierPass = new TierPass(tiers, contract);
  const baseVolumes = new Map<number, BaseVolume>();
  async function* inBarOrder(): AsyncGenerator<AggTrade> {
    for (const hour of day.hours) {
      const rows = await provenRows(trades, series, hour, records);
      for (const trade of rows.toSorted(compareForBars)) {
        tierPass.accept(trade);
        if (contract?.size !== undefined && !isInvalid(trade))
          addBase(baseVolumes, trade, contract.size);
        yield trade;
      }
    }
  }
  const denseHours = day.hours
    .filter(({ verdict }) => verdict === 'proven')
    .map(({ hourMs }) => hourMs);
  const minutes = await Array.fromAsync(
    cdvBarsFrom(inBarOrder(), { intervalMs: MINUTE_MS, denseHours }),
  );
  return { minutes, tiers: tierPass.finish(minutes), baseVolumes };
}

function addBase(volumes: Map<number, BaseVolume>, trade: AggTrade, size: string): void {
  const openMs = floorTo(trade.timeUs / 1000, MINUTE_MS);
  const volume = volumes.get(openMs) ?? { buyE24: 0n, sellE24: 0n };
  volumes.set(openMs, plusBase(volume, trade, size));
}

async function provenRows(
  trades: Pick<TradeStore, 'read'>,
  series: Series,
  hour: DayHour,
  records: Records,
): Promise<readonly AggTrade[]> {
  const { hourMs } = hour;
  const own = records.get(hourMs);
  const next = records.get(hourMs + HOUR_MS);
  const rows: AggTrade[] = [];
  for await (const trade of trades.read(series, hourWindowUs(hourMs))) {
    const { aggId } = trade;
    const isProven =
      (own !== undefined && claims(own, aggId)) || (next !== undefined && reachesBack(next, aggId));
    if (isProven) rows.push(trade);
  }
  assertCounted(series, hour, rows);
  return rows;
}

/** @param rows ascending by id */
function assertCounted(series: Series, hour: DayHour, rows: readonly AggTrade[]): void {
  const valid = rows.filter((trade) => !isInvalid(trade));
  const sumOf = (isBuyerMaker: boolean) =>
    valid
      .filter((trade) => trade.isBuyerMaker === isBuyerMaker)
      .reduce((sum, { qty }) => sum + parseDecimal(qty, QTY_SCALE), 0n);
  const doubled = rows.filter(({ aggId }, index) => rows[index - 1]?.aggId === aggId);
  const isCounted =
    rows.length === hour.rows &&
    valid.length === hour.validRows &&
    doubled.length === 0 &&
    sumOf(false) === hour.buyE8 &&
    sumOf(true) === hour.sellE8;
  if (isCounted) return;
  const twice =
    doubled.length === 0
      ? ''
      : `; stored with two times: ids ${idRanges(doubled.map(({ aggId }) => aggId))}`;
  throw new CdvaultError(
    'STORE_MISMATCH',
    `${series.symbol} ${isoHour(hour.hourMs)}: ${hour.rows} trades were proven, the store has ${rows.length} with their ids${twice}`,
  );
}
