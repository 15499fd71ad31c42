import { dailyStem } from '../../domain/archive/archive-name.ts';
import { describeForeign, type ForeignRow } from '../../domain/proof/foreign-rows.ts';
import { DAY_MS, floorTo } from '../../domain/time/hour.ts';
import { verdictOf } from '../../domain/proof/ledger.ts';
import { firstAggId, type Series } from '../../domain/market.ts';
import { type SourceChoice, sourceFolder } from '../../domain/plan/source-choice.ts';
import type { Gap } from '../../ports/ledger.ts';
import type { HourRecord } from '../hour/end-of-symbol.ts';

/**
 * Why an hour from files is not proven although none of its own rows is missing: which trade beside it
 * nobody has shown, and where it would come from; and ids that neither of two files has.
 * @param source where its day was taken from
 * @param foreign rows with a wrong date that its file has: their ids are missing
 */
export function edgeGaps(
  hour: HourRecord,
  source: SourceChoice = 'auto',
  foreign: readonly ForeignRow[] = [],
): Gap[] {
  if (verdictOf(hour) === 'proven') return [];
  const gaps = [...unknownBefore(hour, source), ...unknownBehind(hour, source), ...missing(hour)];
  return gaps.map((gap) => withForeign(gap, foreign));
}

function withForeign(gap: Gap, foreign: readonly ForeignRow[]): Gap {
  const named = foreign
    .filter(({ id }) => gap.fromId <= id && id < gap.toId)
    .slice(0, FOREIGN_NAMED)
    .map(describeForeign);
  return named.length === 0 ? gap : { ...gap, evidence: `${gap.evidence}: ${named.join('; ')}` };
}

/** As many as a line may hold. */
const FOREIGN_NAMED = 5;

/** Whether a gap is one of these, and so to be told anew when an edge changes. */
export function isOfEdge({ gapClass, evidence }: Gap): boolean {
  return gapClass === 'unknown_neighbour' || evidence.startsWith(NEITHER);
}

const NEITHER = 'the files on both sides leave these ids out';

function unknownBefore(hour: HourRecord, source: SourceChoice): Gap[] {
  const { hourMs, market, symbol, prev } = hour;
  const head = hour.first ?? hour.next;
  if (prev !== undefined || head === undefined || head.id === firstAggId(market)) return [];
  const file = `${dailyStem(symbol, floorTo(hourMs, DAY_MS) - DAY_MS)}.zip`;
  const evidence =
    `the trade before id ${head.id} is not known: ${file}, or the last file before it, ends with it; ` +
    whereFrom(hour, source);
  return [unknown(hourMs, head.id - 1, evidence)];
}

function unknownBehind(hour: HourRecord, source: SourceChoice): Gap[] {
  const { hourMs, symbol, next, endedAtMs } = hour;
  const tail = hour.last ?? hour.prev;
  if (next !== undefined || endedAtMs !== undefined || tail === undefined) return [];
  const file = `${dailyStem(symbol, floorTo(hourMs, DAY_MS) + DAY_MS)}.zip`;
  const evidence =
    `the trade behind id ${tail.id} is not known: ${file}, or the first file behind it, begins with it; ` +
    whereFrom(hour, source);
  return [unknown(hourMs, tail.id + 1, evidence)];
}

function unknown(hourMs: number, id: number, evidence: string): Gap {
  return { hourMs, gapClass: 'unknown_neighbour', fromId: id, toId: id + 1, evidence };
}

/** How a file that is not there would come. */
export function whereFrom({ market }: Pick<Series, 'market'>, source: SourceChoice): string {
  const folder = sourceFolder(source);
  if (folder !== undefined)
    return `put that file into ${folder}, or run backfill with --source auto, which asks the exchange`;
  const isSpotArchive = source === 'archive' && market === 'binance_spot';
  return isSpotArchive
    ? 'it is taken once the exchange has that file; --source auto asks for it by REST'
    : 'it is taken once the exchange has that file';
}

/** Between the hour's own rows none is missing: files with holes don't get that far. */
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
