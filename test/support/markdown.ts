export interface MarkdownTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The text below a heading of the second level, up to the next one. */
export function sectionOf(page: string, heading: string): string {
  const [, ...sections] = page.split(/^## /m);
  const found = sections.find((section) => section.startsWith(`${heading}\n`));
  if (found === undefined) throw new Error(`no section "${heading}"`);
  return found.slice(heading.length + 1);
}

/** The tables of a text, in their order; cells without surrounding blanks. */
export function tablesOf(page: string, heading: string): MarkdownTable[] {
  const blocks = sectionOf(page, heading).match(/(?:^\|.*\|\n)+/gm) ?? [];
  return blocks.map((block) => {
    const [header = [], , ...rows] = block.trimEnd().split('\n').map(cellsOf);
    return { header, rows };
  });
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());
}
