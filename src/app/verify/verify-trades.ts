import type { AggTrade } from '../../domain/trade/agg-trade.ts';
import { contentHasher } from '../../domain/trade/content-hash.ts';
import { type Finding, idRanges } from '../../domain/proof/finding.ts';
import { BACKWARD_BOUND_MS } from '../../domain/proof/foreign-rows.ts';
import { hourWindowUs, isoHour } from '../../domain/time/hour.ts';
import { claims, reachesBack, type SliceRecord, verdictOf } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import type { TradeStore } from '../../ports/trade-store.ts';

/** An hour as stored, and where that differs from the ledger. */
export interface StoredHour {
  /** All rows whose time lies in the hour, ascending by id. */
  readonly inWindow: readonly AggTrade[];
  /** The rows whose id belongs to the hour, whatever their time; ascending by id. */
  readonly run: readonly AggTrade[];
  readonly contentHash: string;
  readonly findings: readonly Finding[];
}

/** Ledger rows of the neighbouring hours. */
interface Surroundings {
  readonly before: SliceRecord | undefined;
  /** The time of some of its rows may lie in this hour. */
  readonly next: SliceRecord | undefined;
}

/**
 * Re-proves one hour from the store alone: ids, count, content, and that it meets its neighbours.
 * Holds one hour of rows in memory.
 */
export async function verifyHour(
  trades: Pick<TradeStore, 'read'>,
  record: SliceRecord,
  around: Surroundings,
): Promise<StoredHour> {
  const inWindow = await Array.fromAsync(trades.read(record, hourWindowUs(record.hourMs)));
  const run = await runOf(trades, record, inWindow);
  const hasher = contentHasher();
  for (const trade of run) hasher.update(trade);
  const contentHash = hasher.digest();
  const findings = [
    ...missing(record, run),
    ...strange(record, inWindow, around),
    ...meeting(record, around),
  ];
  if (findings.length === 0 && contentHash !== record.contentHash) {
    findings.push({
      kind: 'content_differs',
      atMs: record.hourMs,
      detail: `all ${record.rows} ids are stored, but their content hash is ${contentHash.slice(0, 16)}… instead of the proven ${record.contentHash.slice(0, 16)}…`,
    });
  }
  return { inWindow, run, contentHash, findings };
}

/** Rows of an hour's run of ids; some may lie in the hour before. */
async function runOf(
  trades: Pick<TradeStore, 'read'>,
  record: SliceRecord,
  inWindow: readonly AggTrade[],
): Promise<readonly AggTrade[]> {
  if (record.reachBack.rows === 0) return inWindow.filter(({ aggId }) => claims(record, aggId));
  const { startUs, endUs } = hourWindowUs(record.hourMs);
  const wider = { startUs: startUs - BACKWARD_BOUND_MS * 1000, endUs };
  const all = await Array.fromAsync(trades.read(record, wider));
  return all.filter(({ aggId }) => claims(record, aggId));
}

function missing(record: SliceRecord, run: readonly AggTrade[]): Finding[] {
  const { first, last, rows, hourMs } = record;
  if (first === undefined || last === undefined) return [];
  const ids = new Set(run.map(({ aggId }) => aggId));
  if (ids.size === rows && run.length === rows) return [];
  const kind = ids.size < rows ? 'trades_missing' : 'trades_strange';
  // In an hour with holes it is unknown which of the absent ids were once stored.
  const absent: number[] = [];
  if (verdictOf(record) === 'proven')
    for (let id = first.id; id <= last.id; id += 1) if (!ids.has(id)) absent.push(id);
  const doubled = run.flatMap(({ aggId }, index) => (run[index - 1]?.aggId === aggId ? aggId : []));
  const which = [
    absent.length > 0 ? `: ids ${idRanges(absent)}` : '',
    doubled.length > 0 ? `; stored with two times: ids ${idRanges([...new Set(doubled)])}` : '',
  ].join('');
  return [
    { kind, atMs: hourMs, detail: `${rows} trades were proven, ${run.length} are stored${which}` },
  ];
}

function strange(
  record: SliceRecord,
  inWindow: readonly AggTrade[],
  { next }: Surroundings,
): Finding[] {
  const ids = inWindow
    .map(({ aggId }) => aggId)
    .filter((id) => !claims(record, id) && (next === undefined || !reachesBack(next, id)));
  if (ids.length === 0) return [];
  const detail = `${ids.length} rows that no fetch has proven: ids ${idRanges(ids)}`;
  return [{ kind: 'trades_strange', atMs: record.hourMs, detail }];
}

/** Two consecutive proven hours must name each other's edge trades. */
function meeting(record: SliceRecord, { before }: Surroundings): Finding[] {
  if (before === undefined || verdictOf(record) !== 'proven' || verdictOf(before) !== 'proven')
    return [];
  const edge = record.first ?? record.next;
  const last = before.last ?? before.prev;
  if (before.next?.id === edge?.id && record.prev?.id === last?.id) return [];
  const detail =
    `${isoHour(before.hourMs)} ends at id ${last?.id ?? '-'} before ${before.next?.id ?? '-'}, ` +
    `this hour begins at id ${edge?.id ?? '-'} after ${record.prev?.id ?? '-'}`;
  return [{ kind: 'neighbours_differ', atMs: record.hourMs, detail }];
}

/** The stored trades of an hour without a ledger row. */
export async function unrecordedHour(
  trades: TradeStore,
  series: Series,
  hourMs: number,
): Promise<{ readonly rows: number; readonly contentHash: string }> {
  const hasher = contentHasher();
  let rows = 0;
  for await (const trade of trades.read(series, hourWindowUs(hourMs))) {
    hasher.update(trade);
    rows += 1;
  }
  return { rows, contentHash: hasher.digest() };
}
