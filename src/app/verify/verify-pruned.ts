import { type DayInputs, dayInputs } from '../../domain/bars/day.ts';
import { TIER_INTERVALS } from '../../domain/bars/tier.ts';
import type { Series } from '../../domain/market.ts';
import { type DayReport, type Finding, listed } from '../../domain/proof/finding.ts';
import type { SliceRecord } from '../../domain/proof/ledger.ts';
import { DAY_MS, floorTo, HOUR_MS, type TimeRange } from '../../domain/time/hour.ts';
import { INTERVAL_MS, INTERVALS } from '../../domain/time/interval.ts';
import { formatDecimal, parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import type { ExactBar, ExactTierBar, StoredBars } from '../../ports/bar-store.ts';
import { unlikeLedger, volume } from './bars-by-ledger.ts';
import type { Ledger } from '../../ports/ledger.ts';
import { meeting } from './hour-check.ts';
import { judgedHours } from './judged-hours.ts';

/** Verifies the requested hours of a day without its trades: no candle is asked for. */
export async function verifyPrunedDay(
  { ledger, bars }: { readonly ledger: Pick<Ledger, 'records'>; readonly bars: StoredBars },
  { series, asked }: { readonly series: Series; readonly asked: TimeRange },
): Promise<DayReport> {
  const dayMs = floorTo(asked.startMs, DAY_MS);
  const wider = { startMs: dayMs - HOUR_MS, endMs: dayMs + DAY_MS + HOUR_MS };
  const all = await ledger.records(series, wider);
  const records = new Map(all.map((record) => [record.hourMs, record]));
  const checked = await compareWithLedger(bars, series, {
    inputs: dayInputs(dayMs, all),
    records,
    asked,
  });
  const e8 = (text: string) => parseDecimal(text, QTY_SCALE);
  const delta = all
    .filter(({ hourMs }) => hourMs >= asked.startMs && hourMs < asked.endMs)
    .reduce((sum, { buyQty, sellQty }) => sum + e8(buyQty) - e8(sellQty), 0n);
  return {
    dayMs,
    range: asked,
    ...judgedHours(asked, records).verdicts,
    pruned: true,
    rows: 0,
    hashes: [],
    delta: formatDecimal(delta, QTY_SCALE),
    ...checked,
    klines: undefined,
    unheard: [],
  };
}

/** A day whose trades were dropped, as the ledger has it. */
interface PrunedDayFacts {
  readonly inputs: DayInputs | undefined;
  /** Ledger rows of the day and of the hours around it, by hour. */
  readonly records: ReadonlyMap<number, SliceRecord>;
  /** Bars that contain a minute of this range are counted; those of the whole day are compared. */
  readonly asked: TimeRange;
}

/**
 * Checks what can be checked of a day without its trades: the hours name each other's edge trades; the bars were
 * built from exactly these hours, at every interval there is one for each time, they add up to the ledger's exact
 * sums, and each follows from the one before; the tiers of a bar add up to it; the day's delta is that of its hours.
 */
export async function compareWithLedger(
  bars: StoredBars,
  series: Series,
  { inputs, records, asked }: PrunedDayFacts,
): Promise<Pick<DayReport, 'bars' | 'findings'>> {
  if (inputs === undefined) return { bars: { state: 'none' }, findings: [] };
  const { dayMs } = inputs;
  const day = { startMs: dayMs, endMs: dayMs + DAY_MS };
  const hours = [...records.values()].filter(({ hourMs }) => hourMs >= dayMs);
  const findings = hours
    .filter(({ hourMs }) => hourMs < day.endMs)
    .flatMap((record) => meeting(record, { before: records.get(record.hourMs - HOUR_MS) }));
  const [built] = await bars.days(series, day);
  if (built?.inputs !== inputs.inputs) return { bars: { state: 'due' }, findings };
  if (built.deltaE8 !== inputs.deltaE8) {
    const [stored, wanted] = [built.deltaE8, inputs.deltaE8].map((e8) =>
      formatDecimal(e8, QTY_SCALE),
    );
    const detail = `the day's delta is stored as ${stored}, its hours give ${wanted}`;
    findings.push({ kind: 'bar_differs', atMs: dayMs, detail });
  }
  let compared = 0;
  for (const interval of INTERVALS) {
    const stored = await bars.bars(series, interval, day);
    compared += stored.filter(
      ({ openMs }) => openMs < asked.endMs && openMs + INTERVAL_MS[interval] > asked.startMs,
    ).length;
    const wrong = unlikeLedger(interval, day, hours, stored).map(({ atMs, what }): Finding => ({
      kind: 'bar_differs',
      atMs,
      detail: `${interval} bars: ${what === 'bar_differs' ? 'they do not add up to what the ledger counts, or do not follow from each other' : what}`,
    }));
    findings.push(...listed(wrong, `${interval} bars`));
    if (!isWithTiers(interval)) continue;
    const tiers = await bars.tierBars(series, interval, day);
    findings.push(...listed(wrongTiers(stored, tiers, interval), `${interval} bars`));
  }
  return { bars: { state: 'summed', bars: compared }, findings };
}

function isWithTiers(interval: string): interval is (typeof TIER_INTERVALS)[number] {
  return TIER_INTERVALS.some((one) => one === interval);
}

/** Bars whose tiers do not add up to them. Contracts of unknown size have no tiers. */
function wrongTiers(
  bars: readonly ExactBar[],
  tiers: readonly ExactTierBar[],
  interval: string,
): Finding[] {
  if (tiers.length === 0) return [];
  const byOpen = Map.groupBy(tiers, ({ openMs }) => openMs);
  return bars.flatMap((bar): Finding[] => {
    const ofBar = byOpen.get(bar.openMs) ?? [];
    const isSame =
      volume(ofBar, 'buyVolume') === volume([bar], 'buyVolume') &&
      volume(ofBar, 'sellVolume') === volume([bar], 'sellVolume') &&
      ofBar.reduce((sum, { aggTrades }) => sum + aggTrades, 0) === bar.aggTrades;
    const detail = `the tiers of a ${interval} bar do not add up to it`;
    return isSame ? [] : [{ kind: 'bar_differs', atMs: bar.openMs, detail }];
  });
}
