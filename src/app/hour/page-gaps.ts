import { describeForeign } from '../../domain/proof/foreign-rows.ts';
import type { IdHole } from '../../domain/proof/hour-run.ts';
import { describeRepeat, type Repeat } from '../../domain/proof/repeats.ts';
import type { Gap, GapClass } from '../../ports/ledger.ts';

/** An id that a page gave more than once. */
export function repeatGap(hourMs: number, repeat: Repeat): Gap {
  const { aggId } = repeat.kept;
  const evidence = describeRepeat(repeat);
  return { hourMs, gapClass: 'duplicate_id', fromId: aggId, toId: aggId + 1, evidence };
}

/**
 * Ids that the exchange did not give.
 * @param asked the id that the page was asked to start at, and how often
 * @param gapClass `retention` where nothing older is kept, else a defect
 */
export function holeGap(
  hourMs: number,
  { fromId, toId, foreign }: IdHole,
  asked: { readonly fromId: number; readonly times: number },
  gapClass: GapClass,
): Gap {
  if (foreign !== undefined) {
    const evidence = `a wrong date, so the row is not stored: ${describeForeign(foreign)}`;
    return { hourMs, gapClass, fromId, toId, evidence };
  }
  return {
    hourMs,
    gapClass,
    fromId,
    toId,
    evidence: `asked ${asked.times} times for the page from id ${asked.fromId}; ids ${fromId} to ${toId - 1} are not in it`,
  };
}
