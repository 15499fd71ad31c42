import type { ErrorFacts } from './error-facts.ts';
import { EXIT } from './exit-codes.ts';

/** Failures of backups and of what is made from them. */
export const KEEP_ERRORS = {
  BACKUP_BLOCKED: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'QuestDB is in a checkpoint already: another program backs it up, or an interrupted backup into another folder left it.',
    advice:
      'If no other program backs QuestDB up, end the checkpoint by the statement CHECKPOINT RELEASE, then run the same command again.',
  },
  BACKUP_UNWRITABLE: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'A backup could not be written or its source not be read: full disk, missing permission, or a folder that is not that of this QuestDB.',
    advice:
      'The message says what happened. The checkpoint is released, and earlier backups are untouched. Run the same command again when the cause is gone.',
  },
  BACKUP_BROKEN: {
    retryable: false,
    exitCode: EXIT.mismatch,
    when: 'A backup has no manifest, or a file of it is missing or differs from its SHA-256.',
    advice: 'Restore from another backup. An unfinished one has no manifest.',
  },
  RESTORE_UNFINISHED: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'A restore into this CDVAULT_HOME was interrupted, so the store there is not whole.',
    advice: 'Run the same cdvault restore again; it starts over.',
  },
} as const satisfies Readonly<Record<string, ErrorFacts>>;
