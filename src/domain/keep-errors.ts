import type { ErrorFacts } from './error-facts.ts';
import { EXIT } from './exit-codes.ts';

/** Failures of backups, of what is made from them, and of what is dropped on purpose. */
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
  SERIES_BUSY: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'A series was to be forgotten while a worker is at one of its hours or days.',
    advice:
      'Nothing was changed. End its schedule and its backfill, wait until cdvault status shows no job of it, then run the same command again.',
  },
  SERIES_FORGOTTEN: {
    retryable: false,
    exitCode: EXIT.usage,
    when: 'The series was forgotten after the work was queued.',
    advice: 'To have the series again, run cdvault backfill.',
  },
  FORGET_UNFINISHED: {
    retryable: true,
    exitCode: EXIT.usage,
    when: 'The series is being forgotten, or an interrupted forget has left a part of it.',
    advice:
      'If no cdvault forget of it is running, run it again: it drops what is left. To have the series again, run cdvault backfill afterwards.',
  },
  RESTORE_UNFINISHED: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'A restore into this CDVAULT_HOME was interrupted, so the store there is not whole.',
    advice: 'Run the same cdvault restore again; it starts over.',
  },
} as const satisfies Readonly<Record<string, ErrorFacts>>;
