import { describeForeign } from '../../domain/proof/foreign-rows.ts';
import type { IdHole } from '../../domain/proof/hour-run.ts';
import { describeRepeat, type Repeat } from '../../domain/proof/repeats.ts';
import type { Gap, GapClass } from '../../ports/ledger.ts';

/** The gap for an id that a page has more than once. */
export function repeatGap(hourMs: number, repeat: Repeat): Gap {
  const { aggId } = repeat.kept;
  const evidence = describeRepeat(repeat);
  return { hourMs, gapClass: 'duplicate_id', fromId: aggId, toId: aggId + 1, evidence };
}

/**
 * The gap for ids that the exchange did not return.
 * @param asked the id from which the page was requested, and how often
 * @param gapClass `retention` when the exchange keeps nothing older, else `missing_ids`
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
