import { parseArchiveName } from '../../domain/archive/archive-name.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { describeForeign, ForeignRows } from '../../domain/proof/foreign-rows.ts';
import { DAY_MS, dayWindowUs } from '../../domain/time/hour.ts';
import type { TradeBlock } from '../../domain/trade/trade-block.ts';
import type { ArchiveDay } from '../../ports/archive-source.ts';

type Rows = AsyncIterable<TradeBlock>;

/**
 * The rows of one day from its file or from that of its month, without rows that have a wrong date.
 * @param name file name
 * @param read reads all rows of the file
 */
export function dayRows(
  name: string,
  dayMs: number,
  read: () => Rows,
): Pick<ArchiveDay, 'rows' | 'foreign'> {
  const day = { startMs: dayMs, endMs: dayMs + DAY_MS };
  const dates = parseArchiveName(name) ?? day;
  let foreign = new ForeignRows(dates);
  const { startUs, endUs } = dayWindowUs(dayMs);
  const isOfDay = (timeUs = -1) => timeUs >= startUs && timeUs < endUs;
  return {
    rows() {
      foreign = new ForeignRows(dates);
      const rows = placedRows(name, read(), foreign);
      return dates.endMs - dates.startMs > DAY_MS ? rowsOfDay(rows, dayMs) : rows;
    },
    foreign: () =>
      foreign.named.filter(({ timeUs, amongUs }) => isOfDay(timeUs) || isOfDay(amongUs)),
  };
}

/**
 * The rows of a file without those that have a wrong date.
 * @throws CdvaultError ARCHIVE_BAD_FILE at the end of a file if most of its rows have a wrong date: it is the
 *   wrong file
 */
async function* placedRows(
  name: string,
  rows: Rows,
  foreign: ForeignRows,
): AsyncGenerator<TradeBlock> {
  let passed = 0;
  for await (const block of rows) {
    for (const placed of foreign.push(block)) {
      passed += placed.rows;
      yield placed;
    }
  }
  for (const placed of foreign.end()) {
    passed += placed.rows;
    yield placed;
  }
  const [first] = foreign.named;
  if (first === undefined || foreign.count <= passed) return;
  throw new CdvaultError(
    'ARCHIVE_BAD_FILE',
    `${name}: ${foreign.count} of ${foreign.count + passed} rows have a wrong date; ${describeForeign(first)}`,
  );
}

/**
 * The rows of one day. Reading stops at the first piece whose rows are all after the day: except in files of
 * interleaved streams, no row of the day follows it.
 */
async function* rowsOfDay(rows: Rows, dayMs: number): AsyncGenerator<TradeBlock> {
  const { startUs, endUs } = dayWindowUs(dayMs);
  for await (const block of rows) {
    const { timesUs } = block;
    if (block.rows > 0 && timesUs.every((timeUs) => timeUs >= endUs)) return;
    const isOwn = (row: number) => {
      const timeUs = timesUs[row] ?? 0;
      return timeUs >= startUs && timeUs < endUs;
    };
    for (let from = 0; from < block.rows;) {
      let to = from;
      while (to < block.rows && isOwn(to)) to += 1;
      if (to > from) yield block.slice(from, to);
      from = to + 1;
    }
  }
}
