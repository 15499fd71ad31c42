import type { Series } from '../../domain/market.ts';
import { dayWindowUs } from '../../domain/time/hour.ts';
import type { SourceChoice } from '../../domain/plan/source-choice.ts';
import type { JobPayloads, WantedDay } from '../../ports/job-queue.ts';
import type { TimeWindowUs } from '../../ports/trade-store.ts';

/** A day of a series that a run wants from its archive file. */
export interface FileDay extends Series, WantedDay {
  readonly runId: string;
  /** Default: auto. */
  readonly source?: SourceChoice | undefined;
}

/** From the first of some days to the end of the last one. @param days oldest first, at least one */
export function windowOf(days: readonly Pick<FileDay, 'dayMs'>[]): TimeWindowUs {
  const [first, last] = [days[0]?.dayMs ?? 0, days.at(-1)?.dayMs ?? 0];
  return { startUs: dayWindowUs(first).startUs, endUs: dayWindowUs(last).endUs };
}

export function fileDays({
  market,
  symbol,
  runId,
  source,
  days,
}: JobPayloads['archive']): FileDay[] {
  return days.map((day) => ({ market, symbol, runId, source, ...day }));
}
