import type { Series, SeriesDay, Slice } from '../domain/market.ts';

/** A state of the whole store that stays readable as files while others go on writing. */
export interface Checkpoint {
  /** @throws CdvaultError BACKUP_BLOCKED when there is one that is not ours */
  create(mayReplace: boolean, signal: AbortSignal): Promise<void>;
  /** Must be called in any case: the store keeps old files until then. */
  release(): Promise<void>;
}

export interface BackupManifest {
  readonly version: string;
  readonly questdb: string;
  readonly migrations: readonly string[];
  /** Before the checkpoint was asked for. */
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly files: number;
  readonly bytes: number;
  /** Of the list of files, which has the SHA-256 of each. */
  readonly listSha256: string;
  readonly series: readonly (Series & { readonly provenHours: number; readonly trades: number })[];
}

export interface CopiedFiles extends Pick<BackupManifest, 'files' | 'bytes' | 'listSha256'> {
  /** Of `bytes`, those that an earlier backup has and that take no more space. */
  readonly linkedBytes: number;
}

/** One new backup in a folder of backups. */
export interface NewBackup {
  /** Whether a backup into the same folder was interrupted. */
  readonly followsInterrupted: boolean;
  copy(signal: AbortSignal, onFile: (bytes: number) => void): Promise<CopiedFiles>;
  /** Gives the backup its name, after which it counts. @returns its folder */
  publish(manifest: BackupManifest): Promise<string>;
  /** Deletes what is not published. */
  discard(): Promise<void>;
}

/** What was written lately. */
export interface RecentWrites {
  /** Hours whose ledger row was written at or after an instant, by worker clocks. */
  hours(sinceMs: number): Promise<readonly Slice[]>;
  /** Days whose bars were stamped at or after an instant. */
  days(sinceMs: number): Promise<readonly SeriesDay[]>;
}
