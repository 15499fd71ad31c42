import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type FileHandle, open, statfs } from 'node:fs/promises';
import path from 'node:path';
import { CdvaultError } from '../../domain/errors.ts';
import { isOfSystem, makeFolder } from '../system/folders.ts';
import { isAlive, ownIdentity } from '../system/process-identity.ts';

/** Marks the end of the process identity in the name of a process's folder. */
const MARK = '~';

/** The folder for downloads while they are read: one for each process, deleted when the process ends. */
export class Downloads {
  readonly #root: string;
  #own: string | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /** @throws CdvaultError FOLDER_UNUSABLE */
  newFolder(): string {
    try {
      this.#own ??= this.#settle();
      return mkdtempSync(path.join(this.#own, 'file-'));
    } catch (error) {
      throw folderError(error);
    }
  }

  close(): void {
    if (this.#own !== undefined) rmSync(this.#own, { recursive: true, force: true });
  }

  #settle(): string {
    makeFolder(this.#root, 0o700);
    for (const name of readdirSync(this.#root)) {
      const [owner = ''] = name.split(MARK);
      // The folder of a process that was killed.
      if (name.includes(MARK) && !isAlive(decodeURIComponent(owner)))
        rmSync(path.join(this.#root, name), { recursive: true, force: true });
    }
    return mkdtempSync(path.join(this.#root, `${encodeURIComponent(ownIdentity())}${MARK}`));
  }
}

/** A file that is being downloaded. Its errors are those of the disk, not of the network. */
export class DownloadFile {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /**
   * @param bytes expected size; 0 if unknown
   * @throws CdvaultError FOLDER_UNUSABLE, also when the disk has too little room
   */
  static async create(file: string, bytes: number): Promise<DownloadFile> {
    const folder = path.dirname(file);
    try {
      const { bavail, bsize } = await statfs(folder);
      if (bavail * bsize < bytes)
        throw unusable(`${folder} has ${bavail * bsize} bytes free, and the file has ${bytes}`);
      return new DownloadFile(await open(file, 'w'));
    } catch (error) {
      throw folderError(error);
    }
  }

  /** @throws CdvaultError FOLDER_UNUSABLE */
  async add(chunk: Buffer): Promise<void> {
    try {
      await this.#handle.appendFile(chunk);
    } catch (error) {
      throw folderError(error);
    }
  }

  /** @throws CdvaultError FOLDER_UNUSABLE */
  async close(): Promise<void> {
    try {
      await this.#handle.close();
    } catch (error) {
      throw folderError(error);
    }
  }
}

function folderError(error: unknown): unknown {
  return isOfSystem(error) ? unusable(error.message, error) : error;
}

function unusable(reason: string, cause?: unknown): CdvaultError {
  return new CdvaultError('FOLDER_UNUSABLE', `downloads: ${reason}`, { cause });
}
