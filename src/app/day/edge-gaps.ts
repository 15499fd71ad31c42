import { dailyStem } from '../../domain/archive/archive-name.ts';
import { describeForeign, type ForeignRow } from '../../domain/proof/foreign-rows.ts';
import { DAY_MS, floorTo } from '../../domain/time/hour.ts';
import { verdictOf } from '../../domain/proof/ledger.ts';
import { firstAggId, type Series } from '../../domain/market.ts';
import { type SourceChoice, sourceFolder } from '../../domain/plan/source-choice.ts';
import type { Gap } from '../../ports/ledger.ts';
import type { HourRecord } from '../hour/end-of-symbol.ts';

/**
 * Why an hour from files is not proven although none of its own rows is missing: the neighbouring trade
 * that is unknown and the file that would have it, and ids that neither of two files has.
 * @param source the source of the hour's day
 * @param foreign rows of the hour's file with a wrong date: their ids are missing
 */
export function edgeGaps(
  hour: HourRecord,
  source: SourceChoice = 'auto',
  foreign: readonly ForeignRow[] = [],
): Gap[] {
  if (verdictOf(hour) === 'proven') return [];
  const gaps = [...unknownBefore(hour, source), ...unknownAfter(hour, source), ...missing(hour)];
  return gaps.map((gap) => withForeign(gap, foreign));
}

function withForeign(gap: Gap, foreign: readonly ForeignRow[]): Gap {
  const named = foreign
    .filter(({ id }) => gap.fromId <= id && id < gap.toId)
    .slice(0, FOREIGN_NAMED)
    .map(describeForeign);
  return named.length === 0 ? gap : { ...gap, evidence: `${gap.evidence}: ${named.join('; ')}` };
}

/** At most this many foreign rows are named, to keep the evidence short. */
const FOREIGN_NAMED = 5;

/** Whether a gap was made by edgeGaps(), so that it must be computed again when an edge changes. */
export function isOfEdge({ gapClass, evidence }: Gap): boolean {
  return gapClass === 'unknown_neighbour' || evidence.startsWith(NEITHER);
}

/** Also recognizes stored gaps of earlier releases: do not change this text. */
const NEITHER = 'the files on both sides leave these ids out';

function unknownBefore(hour: HourRecord, source: SourceChoice): Gap[] {
  const { hourMs, market, symbol, prev } = hour;
  const head = hour.first ?? hour.next;
  if (prev !== undefined || head === undefined || head.id === firstAggId(market)) return [];
  const file = `${dailyStem(symbol, floorTo(hourMs, DAY_MS) - DAY_MS)}.zip`;
  const evidence =
    `the trade before id ${head.id} is unknown: it is the last one in ${file} or in the nearest file before that; ` +
    whereFrom(hour, source);
  return [unknown(hourMs, head.id - 1, evidence)];
}

function unknownAfter(hour: HourRecord, source: SourceChoice): Gap[] {
  const { hourMs, symbol, next, endedAtMs } = hour;
  const tail = hour.last ?? hour.prev;
  if (next !== undefined || endedAtMs !== undefined || tail === undefined) return [];
  const file = `${dailyStem(symbol, floorTo(hourMs, DAY_MS) + DAY_MS)}.zip`;
  const evidence =
    `the trade after id ${tail.id} is unknown: it is the first one in ${file} or in the nearest file after that; ` +
    whereFrom(hour, source);
  return [unknown(hourMs, tail.id + 1, evidence)];
}

function unknown(hourMs: number, id: number, evidence: string): Gap {
  return { hourMs, gapClass: 'unknown_neighbour', fromId: id, toId: id + 1, evidence };
}

/** How to provide a missing file. */
export function whereFrom({ market }: Pick<Series, 'market'>, source: SourceChoice): string {
  const folder = sourceFolder(source);
  if (folder !== undefined)
    return `put that file into ${folder}, or run backfill with --source auto to ask the exchange`;
  const isSpotArchive = source === 'archive' && market === 'binance_spot';
  return isSpotArchive
    ? 'it is loaded once the exchange publishes that file; --source auto fetches it by REST'
    : 'it is loaded once the exchange publishes that file';
}

/** Ids missing at the hour's edges. None is missing between its own rows: hours with holes are not recorded. */
function missing({ hourMs, first, last, prev, next }: HourRecord): Gap[] {
  const spans = [
    { from: prev, to: first ?? next },
    { from: last, to: next },
  ];
  return spans.flatMap(({ from, to }) =>
    from === undefined || to === undefined || to.id <= from.id + 1
      ? []
      : [
          {
            hourMs,
            gapClass: 'missing_ids' as const,
            fromId: from.id + 1,
            toId: to.id,
            evidence: NEITHER,
          },
        ],
  );
}
