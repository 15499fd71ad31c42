import { existsSync } from 'node:fs';
import { readdir, readFile, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { StoreMachine } from '../../ports/doctor.ts';
import { ownQuestdb } from './native.ts';
import type { ServiceUrls } from './types.ts';

/** The machine of a QuestDB that runs as a process of this home; undefined for every other QuestDB. */
export function ownMachine(
  urls: Pick<ServiceUrls, 'how'>,
  homeDir: string,
): StoreMachine | undefined {
  if (urls.how !== 'native') return undefined;
  const { pid, dir } = ownQuestdb(path.resolve(homeDir));
  return {
    async disk() {
      // As df counts: what is kept for root is not free.
      const { bavail, blocks, bsize } = await statfs(dir);
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    },
    async limits() {
      const proc = (name: string) => (pid === undefined ? undefined : `/proc/${pid}/${name}`);
      const maps = await textOf(proc('maps'));
      return {
        openFiles: await entriesOf(proc('fd')),
        mostOpenFiles: numberIn(await textOf(proc('limits')), /^Max open files\s+(\d+)/m),
        maps: maps?.trimEnd().split('\n').length,
        mostMaps: numberIn(await textOf('/proc/sys/vm/max_map_count'), /^(\d+)/),
      };
    },
    has: async (below) => existsSync(path.join(dir, below)),
  };
}

/** undefined where the system has no such file, or this user may not read it. */
async function textOf(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : readFile(file, 'utf8').catch(() => undefined);
}

async function entriesOf(folder: string | undefined): Promise<number | undefined> {
  if (folder === undefined) return undefined;
  return (await readdir(folder).catch(() => undefined))?.length;
}

function numberIn(text: string | undefined, pattern: RegExp): number | undefined {
  const found = pattern.exec(text ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}
