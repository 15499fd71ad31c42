import type { BackupManifest, Checkpoint, CopiedFiles, NewBackup } from '../../ports/backup.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Leases } from '../../ports/lease.ts';
import type { Ledger } from '../../ports/ledger.ts';
import { whileHolding } from '../leases.ts';

interface BackUpDeps {
  readonly checkpoint: Checkpoint;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, 'overview'>;
  readonly onWait: () => void;
  /** Called with the bytes of each file. */
  readonly onFile: (bytes: number) => void;
}

/** What the manifest says of the versions of the store. */
type Versions = Pick<BackupManifest, 'version' | 'questdb' | 'migrations'>;

/**
 * Copies the store's files as they were at one checkpoint, while others go on writing. The checkpoint is
 * released in any case. Compact, prune and forget wait meanwhile, since they change files in place.
 */
export async function backUp(
  deps: BackUpDeps,
  backup: NewBackup,
  versions: Versions,
  signal: AbortSignal,
): Promise<{ readonly folder: string; readonly copied: CopiedFiles }> {
  const { checkpoint, clock, ledger } = deps;
  const work = async () => {
    const startedAtMs = clock.nowMs();
    const series = (await ledger.overview()).map(({ market, symbol, proven, rows }) => ({
      market,
      symbol,
      provenHours: proven,
      trades: rows,
    }));
    let copied: CopiedFiles;
    try {
      await checkpoint.create(backup.followsInterrupted, signal);
      try {
        copied = await backup.copy(signal, deps.onFile);
      } finally {
        await checkpoint.release();
      }
    } catch (error) {
      await backup.discard();
      throw error;
    }
    const { files, bytes, listSha256 } = copied;
    const facts = { files, bytes, listSha256, startedAtMs, finishedAtMs: clock.nowMs() };
    const folder = await backup.publish({ ...versions, ...facts, series });
    return { folder, copied };
  };
  return whileHolding(deps, 'compact', work, signal);
}
