import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { isOfSystem } from './system-error.ts';

/**
 * A folder and those above it. Node.js has `recursive` for it, which never returns where the system
 * says that a folder does not exist though the one above it does, as below /proc.
 * @throws the system's error
 */
export function makeFolder(folder: string, mode = 0o777): void {
  const above = path.dirname(folder);
  try {
    mkdirSync(folder, { mode });
    return;
  } catch (error) {
    if (isFolder(folder)) return;
    if (!isOfSystem(error) || error.code !== 'ENOENT' || existsSync(above)) throw error;
  }
  makeFolder(above, mode);
  makeFolder(folder, mode);
}

function isFolder(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
