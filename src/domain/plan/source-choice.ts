/**
 * Where trades are to come from. `auto`: closed days from the exchange's files, the rest by REST;
 * `archive` and `dir:` (a folder of such files): from files alone.
 */
export type SourceChoice = 'auto' | 'rest' | 'archive' | `dir:${string}`;

const FOLDER = 'dir:';

/** Whether nothing is asked for by REST, so that what the files don't prove stays undone. */
export function isFilesOnly(choice: SourceChoice): boolean {
  return choice === 'archive' || choice.startsWith(FOLDER);
}

export function sourceFolder(choice: SourceChoice): string | undefined {
  return choice.startsWith(FOLDER) ? choice.slice(FOLDER.length) : undefined;
}
