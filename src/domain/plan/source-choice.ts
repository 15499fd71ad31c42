/**
 * Where trades come from. `auto`: closed days from archive files, the rest by REST. `archive`: archive
 * files only. `dir:PATH`: only the archive files in that folder.
 */
export type SourceChoice = 'auto' | 'rest' | 'archive' | `dir:${string}`;

const FOLDER = 'dir:';

/** Whether REST is never asked; what the files do not prove stays unproven. */
export function isFilesOnly(choice: SourceChoice): boolean {
  return choice === 'archive' || choice.startsWith(FOLDER);
}

/** The folder of a `dir:` choice; undefined for the others. */
export function sourceFolder(choice: SourceChoice): string | undefined {
  return choice.startsWith(FOLDER) ? choice.slice(FOLDER.length) : undefined;
}
