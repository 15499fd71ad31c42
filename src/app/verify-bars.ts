import { type Bar, rollUp } from '../domain/bar.ts';
import { type Contract, worthText } from '../domain/contract.ts';
import { barStatus, type DayInputs } from '../domain/day.ts';
import { type Finding, listed } from '../domain/finding.ts';
import { DAY_MS, floorTo, HOUR_MS } from '../domain/hour.ts';
import { INTERVAL_MS, type Interval, INTERVALS } from '../domain/interval.ts';
import type { Series } from '../domain/market.ts';
import type { BarStore, ExactBar } from '../ports/bar-store.ts';

/**
 * Compares a day's stored bars at every interval, to the last digit, with those that the trades give.
 * @param minutes bars of one minute, computed from the stored trades apart from the database
 */
export async function verifyBars(
  bars: Pick<BarStore, 'bars'>,
  series: Series,
  day: DayInputs,
  minutes: readonly Bar[],
  contract: Contract | undefined,
): Promise<{ readonly compared: number; readonly findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  let compared = 0;
  for (const interval of INTERVALS) {
    const wanted = [...rollUp(minutes, INTERVAL_MS[interval])].map((bar) =>
      exactBar(bar, day, interval, contract),
    );
    const range = { startMs: day.dayMs, endMs: day.dayMs + DAY_MS };
    const stored = await bars.bars(series, interval, range);
    findings.push(...differences(interval, wanted, stored));
    compared += wanted.length;
  }
  return { compared, findings };
}

function exactBar(
  bar: Bar,
  day: DayInputs,
  interval: Interval,
  contract: Contract | undefined,
): ExactBar {
  const { openMs } = bar;
  const spanMs = Math.max(HOUR_MS, INTERVAL_MS[interval]);
  const hourMs = floorTo(openMs, HOUR_MS);
  const missing = day.hours
    .filter((hour) => hour.hourMs >= hourMs && hour.hourMs < hourMs + spanMs)
    .map(({ levelMissing }) => levelMissing ?? 0);
  return {
    ...worthText(bar, contract),
    status: barStatus(day, hourMs, spanMs),
    levelFromMs: day.levelFromMs,
    levelMissing: day.missing === undefined ? undefined : Math.max(0, ...missing),
  };
}

function differences(
  interval: Interval,
  wanted: readonly ExactBar[],
  stored: readonly ExactBar[],
): Finding[] {
  const byOpen = new Map(stored.map((bar) => [bar.openMs, bar]));
  const found: Finding[] = [];
  for (const bar of wanted) {
    const other = byOpen.get(bar.openMs);
    byOpen.delete(bar.openMs);
    const detail = other === undefined ? 'is missing' : columnsThatDiffer(bar, other);
    if (detail !== undefined)
      found.push({ kind: 'bar_differs', atMs: bar.openMs, detail: `${interval} bar ${detail}` });
  }
  for (const { openMs } of byOpen.values())
    found.push({
      kind: 'bar_differs',
      atMs: openMs,
      detail: `${interval} bar stands where no trade is known`,
    });
  return listed(found, `${interval} bars`);
}

function columnsThatDiffer(wanted: ExactBar, stored: ExactBar): string | undefined {
  const names = (Object.keys(wanted) as (keyof ExactBar)[]).filter(
    (name) => wanted[name] !== stored[name],
  );
  if (names.length === 0) return undefined;
  return names
    .map((name) => `${name} is ${stored[name] ?? '-'}, the trades give ${wanted[name] ?? '-'}`)
    .join('; ');
}
