import type { Bar } from '../../domain/bars/bar.ts';
import type { Contract } from '../../domain/bars/contract.ts';
import { type DayInputs, dayInputs, lostHours } from '../../domain/bars/day.ts';
import { formatDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import type { DayReport, Finding } from '../../domain/proof/finding.ts';
import { DAY_MS, daysOf, floorTo, HOUR_MS, type TimeRange } from '../../domain/time/hour.ts';
import type { SliceRecord } from '../../domain/proof/ledger.ts';
import type { Series, SeriesDay } from '../../domain/market.ts';
import type { StoredBars, StoredDay } from '../../ports/bar-store.ts';
import type { Ledger, SeriesCatalogue } from '../../ports/ledger.ts';
import type { Prunings } from '../../ports/prunings.ts';
import type { TradeScan } from '../../ports/trade-scan.ts';
import { dueMidnightBases } from '../bars/midnight-bases.ts';
import { knownContract } from '../contract-size.ts';
import { DayMinutes } from './day-minutes.ts';
import { judgedHours } from './judged-hours.ts';
import type { CheckedHour } from './hour-check.ts';
import { verifyBars } from './verify-bars.ts';
import { verifyPrunedDay } from './verify-pruned.ts';
import { unrecordedHour, verifyHours } from './verify-trades.ts';
import { type WitnessDeps, Witnesses } from './witnesses.ts';

export interface VerifyDeps extends WitnessDeps {
  readonly scan: TradeScan;
  readonly ledger: Ledger;
  readonly bars: StoredBars;
  readonly catalogue: SeriesCatalogue;
  readonly prunings: Pick<Prunings, 'days'>;
}

export interface VerifyOptions {
  /** Also compare with the exchange's candles, where these are exact (spot): 2 pages of weight 2 a day. */
  readonly klines: boolean;
  /** Also check whether files that days were loaded from were replaced: one request a day, without weight. */
  readonly archives: boolean;
  /** Treats days whose trades were pruned as all others: their trades are missing. */
  readonly pruned?: boolean | undefined;
  /** Called after each hour that has been read. */
  readonly onHour?: ((hour: Pick<CheckedHour, 'hourMs' | 'rows'>) => void) | undefined;
}

/**
 * Re-proves a range of a series, day by day, from what is stored: every trade against the ledger by
 * id, count and content hash; every bar and level against a second computation from the trades; and
 * the trades against the exchange's candles. A source outside the store that does not answer is reported,
 * and the result of the store is kept. Changes nothing. One hour of trades, as columns, and one day
 * of bars are in memory at a time.
 * @param range whole hours; bars are checked for the whole days that it touches
 */
export async function* verifyRange(
  deps: VerifyDeps,
  { series, range }: { readonly series: Series; readonly range: TimeRange },
  options: VerifyOptions,
  signal: AbortSignal,
): AsyncGenerator<DayReport> {
  const anchors = await anchorFindings(deps, series);
  const witnesses = new Witnesses(deps, series);
  const pruned = new Set(
    options.pruned === true
      ? []
      : (await deps.prunings.days(series, range)).map(({ dayMs }) => dayMs),
  );
  for (const dayMs of daysOf(range)) {
    signal.throwIfAborted();
    const asked = {
      startMs: Math.max(dayMs, range.startMs),
      endMs: Math.min(dayMs + DAY_MS, range.endMs),
    };
    const day = { series, asked };
    let report = pruned.has(dayMs)
      ? await verifyPrunedDay(deps, day)
      : await verifyDay({ ...deps, witnesses }, day, options, signal);
    // It may have been pruned while it was read.
    if (options.pruned !== true && report.findings.length > 0 && !report.pruned)
      if ((await deps.prunings.days(series, asked)).length > 0)
        report = await verifyPrunedDay(deps, day);
    const findings = [...report.findings, ...(anchors.get(dayMs) ?? [])];
    yield { ...report, findings };
  }
}

async function verifyDay(
  deps: VerifyDeps & { readonly witnesses: Witnesses },
  { series, asked }: { readonly series: Series; readonly asked: TimeRange },
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<DayReport> {
  const dayMs = floorTo(asked.startMs, DAY_MS);
  const contract = await knownContract(deps.catalogue, series);
  const day = await readDay(
    { ...deps, onHour: options.onHour },
    series,
    { dayMs, contract },
    signal,
  );
  const { records, findings } = day;
  const runs = day.runs.filter(({ hourMs }) => hourMs >= asked.startMs && hourMs < asked.endMs);
  const judged = judgedHours(asked, records);

  const bars = await checkBars(deps, series, day, { asked, contract, signal });
  const said = await deps.witnesses.ask(
    { dayMs, minutes: day.minutes, provenHours: judged.hours, records: records.values() },
    options,
    signal,
  );
  return {
    dayMs,
    range: asked,
    ...judged.verdicts,
    pruned: false,
    rows: runs.reduce((sum, { rows }) => sum + rows, 0),
    hashes: runs.map(({ hourMs, rows, contentHash }) => ({ hourMs, rows, contentHash })),
    delta: formatDecimal(
      runs.reduce((sum, { buyE8, sellE8 }) => sum + buyE8 - sellE8, 0n),
      QTY_SCALE,
    ),
    bars: bars.result,
    klines: said.klines,
    unheard: said.unheard,
    findings: [...findings, ...bars.findings, ...said.findings],
  };
}

interface ReadDay {
  readonly inputs: DayInputs | undefined;
  /** Ledger rows of the day, by hour. */
  readonly records: ReadonlyMap<number, SliceRecord>;
  readonly runs: readonly CheckedHour[];
  /** Minute bars, computed from the stored trades of the hours in the ledger. */
  readonly minutes: readonly Bar[];
  /** The same for each tier. */
  readonly tiers: readonly (readonly Bar[])[];
  readonly findings: readonly Finding[];
}

/** One pass over a day's stored trades: proves each hour and computes the day's minutes. */
async function readDay(
  deps: VerifyDeps & Pick<VerifyOptions, 'onHour'>,
  series: Series,
  { dayMs, contract }: { readonly dayMs: number; readonly contract: Contract | undefined },
  signal: AbortSignal,
): Promise<ReadDay> {
  const wider = { startMs: dayMs - HOUR_MS, endMs: dayMs + DAY_MS + HOUR_MS };
  const all = new Map(
    (await deps.ledger.records(series, wider)).map((record) => [record.hourMs, record]),
  );
  const records = new Map(
    [...all].filter(([hourMs]) => hourMs >= dayMs && hourMs < dayMs + DAY_MS),
  );
  const inputs = dayInputs(dayMs, [...all.values()]);
  const proven = (inputs?.hours ?? []).filter(({ verdict }) => verdict === 'proven');
  const denseHours = new Set(proven.map(({ hourMs }) => hourMs));
  const computed = new DayMinutes({ tiers: deps.bars.tiers, contract, denseHours });
  const runs: CheckedHour[] = [];
  const asked = { records: all, hours: records.keys() };
  const reading = verifyHours(deps.scan, asked, signal, (trades, from, to) =>
    computed.add(trades, from, to),
  );
  for await (const hour of reading) {
    computed.endHour(hour.hourMs);
    runs.push(hour);
    deps.onHour?.(hour);
  }
  const { minutes, tiers } = computed;
  const findings = runs.flatMap((run) => run.findings);
  return { inputs, records, runs, minutes, tiers, findings };
}

async function checkBars(
  deps: VerifyDeps,
  series: Series,
  { inputs, minutes, tiers, findings, records }: ReadDay,
  {
    asked,
    contract,
    signal,
  }: {
    readonly asked: TimeRange;
    readonly contract: Contract | undefined;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly result: DayReport['bars']; readonly findings: readonly Finding[] }> {
  const dayMs = inputs?.dayMs;
  if (inputs === undefined || dayMs === undefined)
    return { result: { state: 'none' }, findings: [] };
  const [built] = await deps.bars.days(series, { startMs: dayMs, endMs: dayMs + DAY_MS });
  const lost = await ledgerLosses(
    { ...deps, signal },
    { ...series, dayMs },
    built?.inputs ?? '',
    records,
  );
  if (lost.length > 0) return { result: { state: 'due' }, findings: lost };
  if (built?.isCurrent !== true || built.inputs !== inputs.inputs)
    return { result: { state: 'due' }, findings: [] };
  if (findings.length > 0) return { result: { state: 'damaged' }, findings: [] };
  const { compared, findings: wrong } = await verifyBars(
    deps.bars,
    series,
    { day: inputs, minutes, tiers, contract },
    asked,
  );
  return {
    result: { state: 'compared', bars: compared },
    findings: [...wrong, ...dayRow(built, minutes)],
  };
}

/** Checks the day's stored delta, from which the continuous levels are computed. */
function dayRow({ dayMs, deltaE8 }: StoredDay, minutes: readonly Bar[]): Finding[] {
  const wanted = minutes.reduce((sum, { delta }) => sum + delta, 0n);
  if (wanted === deltaE8) return [];
  const detail = `the day's delta is stored as ${formatDecimal(deltaE8, QTY_SCALE)}, the trades give ${formatDecimal(wanted, QTY_SCALE)}`;
  return [{ kind: 'bar_differs', atMs: dayMs, detail }];
}

/** Hours that the day's bars were computed from and that the ledger no longer has. */
async function ledgerLosses(
  { scan, signal }: Pick<VerifyDeps, 'scan'> & { readonly signal: AbortSignal },
  { market, symbol, dayMs }: SeriesDay,
  builtFrom: string,
  records: ReadonlyMap<number, SliceRecord>,
): Promise<Finding[]> {
  const series: Series = { market, symbol };
  const findings: Finding[] = [];
  for (const { hourMs, hashPrefix } of lostHours(builtFrom, dayMs, new Set(records.keys()))) {
    const { rows, contentHash } = await unrecordedHour(scan, series, hourMs, signal);
    findings.push({
      kind: 'ledger_lost',
      atMs: hourMs,
      detail: `bars were computed from this hour, but the ledger has no row of it; the store has ${rows} trades`,
    });
    if (!contentHash.startsWith(hashPrefix))
      findings.push({
        kind: 'content_differs',
        atMs: hourMs,
        detail: `bars were computed from trades with content hash ${hashPrefix}…, the stored ones have ${contentHash.slice(0, 16)}…`,
      });
  }
  return findings;
}

/** Stored continuous levels that differ from the sums of the days, by day; absent ones are due, not wrong. */
async function anchorFindings(
  { bars, catalogue }: VerifyDeps,
  series: Series,
): Promise<Map<number, Finding[]>> {
  const facts = await catalogue.find(series);
  if (facts === undefined) return new Map();
  const { due, stored } = await dueMidnightBases({ bars }, series, facts.originMs);
  const wrong = due.flatMap((anchor): Finding[] => {
    const old = stored.get(anchor.dayMs);
    if (old === undefined) return [];
    const level = (baseE8: bigint) => formatDecimal(baseE8, QTY_SCALE);
    const detail =
      `continuous CDV at this midnight is stored as ${level(old.baseE8)} (${old.missing ?? 'unknown'} ids missing), ` +
      `the days give ${level(anchor.baseE8)} (${anchor.missing ?? 'unknown'})`;
    return [{ kind: 'anchor_differs', atMs: anchor.dayMs, detail }];
  });
  return Map.groupBy(wrong, ({ atMs }) => floorTo(atMs, DAY_MS));
}
