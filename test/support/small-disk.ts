import { execFile } from 'node:child_process';
import { mkdir, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** QuestDB preallocates: a handful of trades with their bars take 1 GB of files. */
const ROOM_KB = 3_000_000;
/** Less than any of its tables needs to grow. */
const REST_KB = 300;

/** A folder that is a disk of its own, in memory, and can get full. */
export class SmallDisk {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** @returns why it can't be had, on a machine that does not let this user mount */
  async mount(): Promise<string | undefined> {
    await mkdir(this.#dir, { recursive: true });
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${ROOM_KB}k`, 'tmpfs', this.#dir]);
      return undefined;
    } catch (error) {
      return String(error);
    }
  }

  async fill(): Promise<void> {
    for (;;) {
      const { blocks, bfree, bsize } = await statfs(this.#dir);
      const usedKb = ((blocks - bfree) * bsize) / 1024;
      try {
        return await this.#resize(usedKb + REST_KB);
      } catch {
        // The server has taken more than that in the meantime: looked at again.
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
