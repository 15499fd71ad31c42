import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import type { Contract } from '../../src/domain/bars/contract.ts';
import { midnightBases } from '../../src/domain/bars/chain.ts';
import { contentHasher } from '../../src/domain/trade/content-hash.ts';
import { createHourRun } from '../../src/domain/proof/continuity.ts';
import { formatDecimal, parseDecimal } from '../../src/domain/trade/decimal.ts';
import { DAY_MS, floorTo, HOUR_MS } from '../../src/domain/time/hour.ts';
import type { SliceRecord } from '../../src/domain/proof/ledger.ts';
import type { Series } from '../../src/domain/market.ts';
import { createSeriesCatalogue } from '../../src/adapters/questdb/series-catalogue.ts';
import type { LedgerEntry } from '../../src/ports/ledger.ts';
import { buildDay, keptHours } from './built-day.ts';
import { NEVER, type openStore, tradesTable } from './store.ts';
import { blockOf } from './trades.ts';

type Store = ReturnType<typeof openStore>;

/** `holes`: every third row is missing. `open`: no later trade exists yet. `absent`: never fetched. */
export type HourFate = 'proven' | 'holes' | 'open' | 'absent';

export interface Filling {
  readonly series: Series;
  /** In the order of ids. */
  readonly trades: readonly AggTrade[];
  /** The midnight at which continuous CDV is 0. */
  readonly originMs: number;
  /** For a series of contracts. */
  readonly contract?: Contract;
  /** Default: proven. */
  readonly fateOf?: (hourMs: number) => HourFate;
  /** false for hours of days that were not fetched at all. */
  readonly isWanted?: (hourMs: number) => boolean;
}

export interface FilledHour {
  readonly hourMs: number;
  readonly fate: HourFate;
  readonly trades: readonly AggTrade[];
}

/** Writes trades, ledger, bars and anchors as a backfill does. */
export async function fillSeries(store: Store, filling: Filling): Promise<FilledHour[]> {
  const hours = hoursOf(filling);
  const catalogue = createSeriesCatalogue(store.sql);
  await catalogue.pinOrigin(filling.series, filling.originMs);
  if (filling.contract?.size !== undefined)
    await catalogue.pinContractSize(filling.series, filling.contract.size);
  const load = store.bulk.open(filling.series, NEVER);
  for (const { trades } of hours) {
    if (trades.length === 0) continue;
    await load.add(blockOf(trades), 0, trades.length);
  }
  await load.finish();
  await tradesTable(store.sql, filling.series.symbol);
  const entries = hours
    .filter(({ fate }) => fate !== 'absent')
    .map((hour) => entryOf(hour, filling));
  await store.ledger.write(entries, Date.now());
  await buildDays(store, filling, entries);
  return hours;
}

function hoursOf({
  trades,
  fateOf = () => 'proven',
  isWanted = () => true,
}: Filling): FilledHour[] {
  const byHour = Map.groupBy(trades, hourOf);
  const times = [...byHour.keys()];
  const hours: FilledHour[] = [];
  for (let hourMs = Math.min(...times); hourMs <= Math.max(...times); hourMs += HOUR_MS) {
    const fate = isWanted(hourMs) ? fateOf(hourMs) : 'absent';
    const all = fate === 'absent' ? [] : (byHour.get(hourMs) ?? []);
    const kept = fate === 'holes' ? all.filter((_, place) => place % 3 !== 1) : all;
    hours.push({ hourMs, fate, trades: kept });
  }
  return hours;
}

const hourOf = ({ timeUs }: AggTrade): number => floorTo(timeUs / 1000, HOUR_MS);

function entryOf(
  { hourMs, fate, trades }: FilledHour,
  { series, trades: all }: Filling,
): LedgerEntry {
  const before = all.findLast(({ timeUs }) => timeUs < hourMs * 1000);
  const after = all.find(({ timeUs }) => timeUs >= (hourMs + HOUR_MS) * 1000);
  const firstId = all[0]?.aggId ?? 1;
  // As if a trade had come before the first one.
  const prev = {
    id: before?.aggId ?? firstId - 1,
    timeUs: Math.min(before?.timeUs ?? 0, hourMs * 1000 - 1),
  };
  const run = createHourRun({ hourMs }, { expectedId: prev.id + 1, prev });
  run.accept(trades);
  const hasher = contentHasher();
  for (const trade of trades) hasher.update(trade);
  const { buyE8, sellE8, halts, rawIdGaps, ...facts } = run.facts;
  void [halts, rawIdGaps];
  const end = { id: (all.at(-1)?.aggId ?? 0) + 1, timeUs: (hourMs + HOUR_MS) * 1000 };
  const next = after === undefined ? end : { id: after.aggId, timeUs: after.timeUs };
  const record: SliceRecord = {
    ...series,
    ...facts,
    hourMs,
    endedAtMs: undefined,
    next: fate === 'open' ? undefined : next,
    buyQty: formatDecimal(buyE8, 8),
    sellQty: formatDecimal(sellE8, 8),
    contentHash: hasher.digest(),
    source: 'rest',
    runId: 'test',
    codeVersion: 'test',
    fetchedAtMs: Date.now(),
  };
  const gap = {
    hourMs,
    gapClass: 'missing_ids',
    fromId: prev.id + 1,
    toId: next.id,
    evidence: 'asked three times',
  } as const;
  return { record, gaps: fate === 'holes' ? [gap] : [] };
}

async function buildDays(
  store: Store,
  { series, trades, originMs, contract }: Filling,
  entries: readonly LedgerEntry[],
): Promise<void> {
  const byDay = Map.groupBy(entries, ({ record }) => floorTo(record.hourMs, DAY_MS));
  for (const [dayMs, ofDay] of byDay) {
    const records = ofDay.map(({ record }) => record);
    const toBuild = { dayMs, records, ...(contract !== undefined && { contract }) };
    const kept = keptHours(series, trades, toBuild);
    const day = await buildDay(store, series, toBuild, kept);
    const deltaE8 = records.reduce(
      (sum, { buyQty, sellQty }) => sum + parseDecimal(buyQty, 8) - parseDecimal(sellQty, 8),
      0n,
    );
    await store.bars.stamp([{ series, day: { ...day, deltaE8 } }], Date.now());
  }
  const anchors = midnightBases(originMs, await store.bars.days(series));
  await store.bars.writeMidnightBases(series, originMs, anchors);
}
