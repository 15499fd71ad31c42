import type { Series } from '../../domain/market.ts';
import type { SourceChoice } from '../../domain/plan/source-choice.ts';
import type { JobPayloads, WantedDay } from '../../ports/job-queue.ts';

/** A day of a series that a run wants from its archive file. */
export interface FileDay extends Series, WantedDay {
  readonly runId: string;
  /** Default: auto. */
  readonly source?: SourceChoice | undefined;
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
