import type { RunFacts } from '../../domain/proof/hour-run.ts';
import { MINUTE_MS } from '../../domain/time/hour.ts';
import type { Jump, Jumps } from '../../domain/proof/jumps.ts';
import type { Neighbour } from '../../domain/proof/ledger.ts';
import { leavesOutFills, type Market } from '../../domain/market.ts';
import type { Gap } from '../../ports/ledger.ts';

/**
 * Halts and raw-id gaps of an hour, for information: one row for each kind, which describes the longest.
 * On markets whose aggregate trades leave fills out, gaps of raw ids are normal and not reported.
 */
export function oddJumps(
  market: Market,
  hourMs: number,
  { halts, rawIdGaps }: Pick<RunFacts, 'halts' | 'rawIdGaps'>,
): Gap[] {
  const found: Gap[] = [];
  if (halts !== undefined) {
    const minutes = Math.floor(halts.longest.size / (MINUTE_MS * 1000));
    const evidence = `${counted(halts, 'silence', 'silences')} of ${minutes} min ${between(halts.longest)}; no id is missing`;
    found.push({ hourMs, gapClass: 'halt', ...idsOf(halts.longest), evidence });
  }
  if (rawIdGaps !== undefined && !leavesOutFills(market)) {
    const { size } = rawIdGaps.longest;
    const what = size > 0 ? `leaves out ${size}` : `repeats ${-size}`;
    const evidence = `${counted(rawIdGaps, 'jump of raw trade ids', 'jumps of raw trade ids')} ${what} ${between(rawIdGaps.longest)}; no aggregate id is missing`;
    found.push({ hourMs, gapClass: 'raw_id_gap', ...idsOf(rawIdGaps.longest), evidence });
  }
  return found;
}

function counted({ count }: Jumps, one: string, many: string): string {
  return count === 1 ? `1 ${one}` : `${count} ${many}, the longest`;
}

function between({ from, to }: Jump): string {
  return `between id ${from.id} (${isoTime(from)}) and id ${to.id} (${isoTime(to)})`;
}

function idsOf({ from, to }: Jump): { readonly fromId: number; readonly toId: number } {
  return { fromId: from.id, toId: to.id + 1 };
}

function isoTime({ timeUs }: Neighbour): string {
  return new Date(Math.floor(timeUs / 1000)).toISOString();
}
