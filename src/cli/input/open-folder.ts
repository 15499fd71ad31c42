import { createFolderSource } from '../../adapters/archive/folder-source.ts';
import { createExportSource, holdsExports } from '../../adapters/export/export-source.ts';
import type { ArchiveSource } from '../../ports/archive-source.ts';

/** Opens the folder of `--source dir:`: either archive files of the exchange, or files of `cdvault export`. */
export function openFolder(folder: string): ArchiveSource {
  return holdsExports(folder) ? createExportSource(folder) : createFolderSource(folder);
}
