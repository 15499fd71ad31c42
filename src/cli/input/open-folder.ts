import { createFolderSource } from '../../adapters/archive/folder-source.ts';
import { createExportSource, holdsExports } from '../../adapters/export/export-source.ts';
import type { ArchiveSource } from '../../ports/archive-source.ts';

/** What `--source dir:` names: a folder of the exchange's files, or one that was exported to. */
export function openFolder(folder: string): ArchiveSource {
  return holdsExports(folder) ? createExportSource(folder) : createFolderSource(folder);
}
