import { DAY_MS, isoDay, type TimeRange } from '../time/hour.ts';

/** What the name of an archive file says about its content. */
export interface ArchiveName extends TimeRange {
  /** Without folder and extension: `BTCUSDT-aggTrades-2024-01-01`. */
  readonly stem: string;
  readonly symbol: string;
}

const NAME =
  /^(?<stem>(?<symbol>.+)-aggTrades-(?<year>\d{4})-(?<month>\d\d)(?:-(?<day>\d\d))?)\.(?:zip|csv)$/;

/**
 * @param fileName `SYMBOL-aggTrades-YYYY-MM-DD.zip`, or a month, or `.csv`
 * @returns undefined when the name has another form or the date does not exist
 */
export function parseArchiveName(fileName: string): ArchiveName | undefined {
  const { stem, symbol, year, month, day } = NAME.exec(fileName)?.groups ?? {};
  if (stem === undefined || symbol === undefined) return undefined;
  const startMs = Date.UTC(Number(year), Number(month) - 1, Number(day ?? 1));
  const asWritten = `${year}-${month}-${day ?? '01'}`;
  if (new Date(startMs).toISOString().slice(0, 10) !== asWritten) return undefined;
  const endMs = day === undefined ? monthOf(startMs).endMs : startMs + DAY_MS;
  return { stem, symbol, startMs, endMs };
}

/** The UTC month that contains an instant. */
export function monthOf(timeMs: number): TimeRange {
  const at = new Date(timeMs);
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
  return { startMs: Date.UTC(year, month, 1), endMs: Date.UTC(year, month + 1, 1) };
}

export function dailyStem(symbol: string, dayMs: number): string {
  return `${symbol}-aggTrades-${isoDay(dayMs)}`;
}

export function monthlyStem(symbol: string, monthMs: number): string {
  return `${symbol}-aggTrades-${isoDay(monthMs).slice(0, 7)}`;
}
