import { execFile } from 'node:child_process';
import { mkdir, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** QuestDB preallocates: even a few trades with their bars take 1 GB of files. */
const ROOM_KB = 3_000_000;
/** Less than any table of QuestDB needs to grow. */
const REST_KB = 300;

/** A folder that is a separate disk in memory, and can get full. */
export class SmallDisk {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** @returns the reason when this user may not mount; else undefined */
  async mount(): Promise<string | undefined> {
    await mkdir(this.#dir, { recursive: true });
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${ROOM_KB}k`, 'tmpfs', this.#dir]);
      return undefined;
    } catch (error) {
      return String(error);
    }
  }

  /** @param restKb what is left */
  async fill(restKb = REST_KB): Promise<void> {
    for (;;) {
      const { blocks, bfree, bsize } = await statfs(this.#dir);
      const usedKb = ((blocks - bfree) * bsize) / 1024;
      try {
        return await this.#resize(usedKb + restKb);
      } catch {
        // The server has used more than that meanwhile: measure again.
      }
    }
  }

  async makeRoom(): Promise<void> {
    await this.#resize(ROOM_KB);
  }

  async unmount(): Promise<void> {
    await run('umount', [this.#dir]);
  }

  async #resize(kb: number): Promise<void> {
    await run('mount', ['-o', `remount,size=${Math.ceil(kb)}k`, this.#dir]);
  }
}
