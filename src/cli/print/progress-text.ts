/** Formats numbers and the progress line. Pure: the width of the terminal is an argument. */

import { isoHour } from '../../domain/time/hour.ts';
import { formatCount, formatDuration, formatInteger, formatPercent } from './format.ts';

export interface ProgressFacts {
  readonly slicesDone: number;
  readonly slicesTotal: number;
  readonly rows: number;
  readonly rowsPerSecond: number;
  readonly weightUsed: number;
  /** The share of the exchange's limit that may be used; 0 until the limit is known. */
  readonly weightLimit: number;
  readonly retrying: number;
  readonly gaps: number;
  /** Jobs that build bars and have not ended: each of a day, or of a month of a thin series. */
  readonly barJobs: number;
  /** Until all hours are fetched; undefined until there is enough data for an estimate. */
  readonly etaMs: number | undefined;
  /** The hour that was processed last. */
  readonly atMs: number | undefined;
}

interface Part {
  readonly long: string;
  /** The same in fewer columns; empty when it may be left out. */
  readonly short: string;
  /** The part with the lowest rank is dropped first when the short forms do not fit. */
  readonly rank: number;
}

const SEPARATOR = ' | ';

/** One line, at most `columns` wide: parts are shortened first, then dropped by rank. */
export function progressLine(facts: ProgressFacts, columns: number): string {
  const parts = progressParts(facts);
  const long = parts.map((part) => part.long).join(SEPARATOR);
  if (long.length <= columns) return long;
  const kept = parts.filter((part) => part.short !== '');
  const line = (): string => kept.map((part) => part.short).join(SEPARATOR);
  while (kept.length > 1 && line().length > columns) {
    const lowest = Math.min(...kept.map(({ rank }) => rank));
    kept.splice(
      kept.findIndex(({ rank }) => rank === lowest),
      1,
    );
  }
  return line().slice(0, columns);
}

function progressParts(facts: ProgressFacts): Part[] {
  const { slicesDone, slicesTotal, weightUsed, weightLimit, retrying, gaps, barJobs } = facts;
  const { etaMs, atMs } = facts;
  const percent = formatPercent(slicesDone, slicesTotal);
  const hours = `${formatInteger(slicesDone)}/${formatInteger(slicesTotal)}`;
  const rows = formatCount(facts.rows);
  const rate = formatCount(facts.rowsPerSecond);
  const weight = `${formatInteger(weightUsed)}/${formatInteger(weightLimit)}`;
  const gapWord = gaps === 1 ? 'gap' : 'gaps';
  const parts: Part[] = [
    { long: percent, short: percent, rank: 10 },
    { long: `${hours} hours`, short: hours, rank: 6 },
    { long: `${rows} rows`, short: `${rows} rows`, rank: 3 },
    { long: `${rate} rows/s`, short: `${rate}/s`, rank: 5 },
    // A limit that is not known is left out.
    ...(weightLimit > 0 ? [{ long: `weight ${weight}`, short: `w ${weight}`, rank: 2 }] : []),
    // High ranks keep retries and gaps in a short line; without any, they are dropped first.
    { long: `${retrying} retrying`, short: retrying > 0 ? `${retrying} retry` : '', rank: 7 },
    { long: `${gaps} ${gapWord}`, short: gaps > 0 ? `${gaps} ${gapWord}` : '', rank: 8 },
  ];
  if (slicesDone >= slicesTotal && barJobs > 0) {
    const left = formatInteger(barJobs);
    const jobs = barJobs === 1 ? 'job' : 'jobs';
    parts.push({ long: `building bars, ${left} ${jobs} left`, short: `${left} bars`, rank: 9 });
  } else if (etaMs !== undefined) {
    const eta = `ETA ${formatDuration(etaMs)}`;
    parts.push({ long: eta, short: eta, rank: 4 });
  }
  if (atMs !== undefined)
    parts.push({ long: `at ${isoHour(atMs)}`, short: isoHour(atMs), rank: 1 });
  return parts;
}
