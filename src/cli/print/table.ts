/** Plain tables on the terminal. */

import CliTable from 'cli-table3';

export type Cell = string | number | undefined;

/**
 * A plain table of rows with equal keys. The keys are the titles, columns of numbers are right-aligned,
 * numbers get thousands separators. No colours and no frame, so that the output can be piped.
 */
export function renderTable(rows: readonly Readonly<Record<string, Cell>>[]): string {
  const titles = Object.keys(rows[0] ?? {});
  if (titles.length === 0) return '(no rows)';
  const table = new CliTable({
    head: titles,
    colAligns: titles.map((title) =>
      rows.every((row) => typeof row[title] !== 'string') ? 'right' : 'left',
    ),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2, compact: true },
    chars: NO_FRAME,
  });
  for (const row of rows) table.push(titles.map((title) => cellText(row[title])));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n');
}

const NO_FRAME = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
} as const;

function cellText(cell: Cell): string {
  if (cell === undefined) return '';
  return typeof cell === 'number' ? cell.toLocaleString('en-US') : cell;
}
