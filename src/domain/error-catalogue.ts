/**
 * The one list of failures. The queue's retries, the exit code and docs/errors.md come from it. Code
 * matches on the error code, never on message text.
 */

import { ARCHIVE_ERRORS } from './archive-errors.ts';
import type { ErrorFacts } from './error-facts.ts';
import { EXCHANGE_ERRORS } from './exchange-errors.ts';
import { EXIT } from './exit-codes.ts';
import { KEEP_ERRORS } from './keep-errors.ts';
import { SERVICE_ERRORS } from './service-errors.ts';

export const ERRORS = {
  // ── command line ───────────────────────────────────────────────────────────────────────────
  USAGE: {
    retryable: false,
    exitCode: EXIT.usage,
    when: 'An option or argument is not valid.',
    advice: 'Run the command with --help to see its options.',
  },
  BAD_TIME: {
    retryable: false,
    exitCode: EXIT.usage,
    when: 'A time is not an ISO instant, a date, a month or "now".',
    advice: 'Write it as 2024-01-01, 2024-01-01T10:00Z, 2024-01 or now, in UTC.',
  },
  BAD_RANGE: {
    retryable: false,
    exitCode: EXIT.usage,
    when: 'A range is empty, ends before it starts, or lies in the future.',
    advice: 'Set --from to a time before --to, both in the past.',
  },
  UNKNOWN_SYMBOL: {
    retryable: false,
    exitCode: EXIT.usage,
    when: 'The exchange does not list the symbol and has no trades of it, and the ledger does not know it.',
    advice: 'Check the spelling (BTCUSDT) and --market.',
  },
  ...ARCHIVE_ERRORS,
  ...SERVICE_ERRORS,
  ...EXCHANGE_ERRORS,
  ...KEEP_ERRORS,
  // ── jobs and stored data ────────────────────────────────────────────────────────────────────────────────
  HOUR_NOT_CLOSED: {
    retryable: true,
    exitCode: EXIT.usage,
    when: 'The hour has not ended, or ended less than two minutes ago.',
    advice: 'Run the command again two minutes after the hour has ended.',
  },
  LEASE_LOST: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'A worker did not renew its lease in time, so another worker may have taken over its job.',
    advice: 'No action is needed: the late worker recorded nothing, and the job is retried.',
  },
  JOB_TIMEOUT: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'A job exceeded the time limit of its kind.',
    advice: 'The job is retried. If it fails again, look in the log for slow or failing calls.',
  },
  READ_BACK_MISMATCH: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'What QuestDB returns differs from what was sent (count, ids or sums).',
    advice: 'The job is retried. If the error persists, check the QuestDB log.',
  },
  NOT_PROVEN: {
    retryable: false,
    exitCode: EXIT.gaps,
    when: 'An hour of the range is not proven: it was never fetched, is open, or has missing ids.',
    advice:
      'Run cdvault backfill on the range. For hours that stay unproven, the table gaps names the file or source that would prove them. Then run the same command again, or use a range without them.',
  },
  TRADES_PRUNED: {
    retryable: false,
    exitCode: EXIT.gaps,
    when: 'The command needs the trades of a range, and cdvault prune has dropped those of some of its days.',
    advice:
      'Bars, ledger and hashes of these days are still there. cdvault repair --pruned on the range fetches the trades again; or use a range without these days.',
  },
  STORE_MISMATCH: {
    retryable: false,
    exitCode: EXIT.mismatch,
    when: 'The stored trades of a proven hour differ from those that were fetched.',
    advice: 'Run cdvault verify on the range, then cdvault repair.',
  },
  COMPACT_MISMATCH: {
    retryable: false,
    exitCode: EXIT.mismatch,
    when: 'After a conversion to or from Parquet, a partition does not have the rows that it had before, or not the new format.',
    advice: 'Run cdvault verify on its days. If they are proven, run the same command again.',
  },
  SUM_TOO_LARGE: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'A sum over the trades of a day has more digits than its column in the bars: 30 before the point, 22 for quote amounts.',
    advice: 'The day’s trades are stored and proven. Report its symbol and date.',
  },
  EXPORT_UNWRITABLE: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'An exported file, a report or standard output could not be written: full disk, missing permission, or a file where a folder is expected.',
    advice:
      'The message quotes the system error. Free disk space or give another --out or --report, then run the same command again.',
  },
  JOB_INVALID: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'A queued job does not have the format that this version expects.',
    advice: 'Another version queued it. Run the same backfill again.',
  },
  INTERRUPTED: {
    retryable: true,
    exitCode: EXIT.interrupted,
    when: 'The command received Ctrl-C or SIGTERM.',
    advice: 'No data is lost. Run the same command again to continue.',
  },
  INTERNAL: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'An unexpected internal error occurred.',
    advice: 'Report it as a bug, with the whole message.',
  },
} as const satisfies Readonly<Record<string, ErrorFacts>>;

export type ErrorCode = keyof typeof ERRORS;
