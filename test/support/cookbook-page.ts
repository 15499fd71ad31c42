/** A query of the cookbook, and its answer on the page. */
export interface DocumentedAnswer {
  readonly query: string;
  readonly columns: readonly string[];
  /** As psql prints them; NULL is an empty text. */
  readonly rows: readonly (readonly string[])[];
}

export interface Recipe {
  readonly number: number;
  readonly title: string;
  readonly text: string;
  readonly answers: readonly DocumentedAnswer[];
}

const RECIPE = /^## (\d+)\. (.+)\n([\s\S]*?)(?=^## |(?![\s\S]))/gm;
const QUERY = /^```sql$/gm;
const ANSWERED_QUERY = /^```sql\n([\s\S]*?)^```\n\n```\n([\s\S]*?)^```/gm;

/** @throws Error when a query has no answer below it */
export function recipesOf(page: string): Recipe[] {
  return [...page.matchAll(RECIPE)].map(([, number, title = '', text = '']) => {
    const answers = [...text.matchAll(ANSWERED_QUERY)].map(([, query = '', table = '']) => ({
      query,
      ...psqlTable(table),
    }));
    if (answers.length === 0 || answers.length !== text.match(QUERY)?.length)
      throw new Error(`recipe ${number} has a query without an answer`);
    return { number: Number(number), title, text, answers };
  });
}

/** Parses `column | column`, a line of dashes, and the rows. */
function psqlTable(text: string): Pick<DocumentedAnswer, 'columns' | 'rows'> {
  const [columns = [], , ...rows] = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  return { columns, rows };
}
