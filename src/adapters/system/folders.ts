import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

/**
 * Creates a folder and its parents. Not with `recursive` of Node.js: that never returns where the system
 * reports ENOENT for a folder whose parent exists, as below /proc.
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

/**
 * Whether an error came from the operating system: a full disk, a missing permission, a file where a
 * folder should be.
 */
export function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
