/**
 * The one list of failures. The queue's retries, the exit code and docs/errors.md come from it. Code
 * matches on the error code, never on message text.
 */

import { EXIT, type ExitCode } from './exit-codes.ts';

interface ErrorFacts {
  /** True when the same call may succeed later although nothing was changed. */
  readonly retryable: boolean;
  readonly exitCode: ExitCode;
  /** When the failure occurs: full sentences. */
  readonly when: string;
  /** What the operator can do next: full sentences. */
  readonly advice: string;
}

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
  // ── archive files ───────────────────────────────────────────────────────────────────────────
  ARCHIVE_BAD_FILE: {
    retryable: false,
    exitCode: EXIT.gaps,
    when: 'An archive file is not a zip file with exactly one CSV file of its own name, a checksum is wrong, or most of its rows have a wrong date.',
    advice: 'Download the file again, with its .CHECKSUM, or fetch its day by REST.',
  },
  ARCHIVE_BAD_ROW: {
    retryable: false,
    exitCode: EXIT.gaps,
    when: 'A row of an archive file is not an aggregate trade, or the time unit changes within the file.',
    advice: 'Download the file again. If the error persists, fetch its day by REST.',
  },
  ARCHIVE_UNREACHABLE: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'The host of the exchange’s archive files does not respond, or responds with a server error.',
    advice:
      'The request is retried with increasing delays. If the error persists, check the network and BINANCE_ARCHIVE_URL, or use --source rest.',
  },
  // ── services ────────────────────────────────────────────────────────────────────────────────
  SERVICES_MISSING: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'Redis or QuestDB is not configured by URL and cannot be started on this machine.',
    advice:
      'Set REDIS_URL and the QUESTDB_* URLs, start a container engine, or install redis-server and Java 17.',
  },
  SERVICES_CONFIG: {
    retryable: false,
    exitCode: EXIT.usage,
    when: 'Only some of the service URLs are set, a URL is not valid, REDIS_URL does not give its database as a number, or a file in CDVAULT_HOME cannot be parsed.',
    advice:
      'Set all of REDIS_URL, QUESTDB_HTTP_URL, QUESTDB_PG_URL and QUESTDB_READONLY_PG_URL, or none.',
  },
  SERVICE_START_FAILED: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'A service was started but did not become ready.',
    advice: 'Read the service log named in the message.',
  },
  FOLDER_UNUSABLE: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'A folder for cdvault’s own files or for downloads is not a folder, is not writable, or is on a full disk.',
    advice:
      'The message quotes the system error. Free disk space, fix the permissions, or set CDVAULT_HOME to another folder.',
  },
  REDIS_UNREACHABLE: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'Redis does not respond.',
    advice:
      'Check that Redis is running and that REDIS_URL is correct. No data is lost; run the same command again.',
  },
  REDIS_POLICY: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'Redis may evict keys, which would silently lose queued jobs.',
    advice: 'Run CONFIG SET maxmemory-policy noeviction on that Redis.',
  },
  REDIS_REFUSED: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'Redis returned an error: wrong password, unknown database, missing permission or full memory.',
    advice: 'The message quotes the server. Check REDIS_URL and the server’s maxmemory.',
  },
  STORE_UNREACHABLE: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'QuestDB refuses connections, does not respond in time, closed the connection, or has no memory maps left.',
    advice:
      'Check that QuestDB is running and that the QUESTDB_* URLs are correct. No data is lost; run the same command again.',
  },
  STORE_REFUSED: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'QuestDB rejected a statement, a batch of rows or a password.',
    advice: 'The message quotes the server. Usual causes: a wrong password, a full disk.',
  },
  STORE_TOO_OLD: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'The QuestDB server is older than cdvault supports.',
    advice: 'Run QuestDB 9.3.4, the version this release is tested with.',
  },
  SCHEMA_MISMATCH: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'A table exists with columns or dedup keys other than cdvault’s.',
    advice:
      'Use another database root, or rename the existing table. cdvault never alters a table that it does not know.',
  },
  SCHEMA_OF_OTHER_RELEASE: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'The store has the tables of another release of cdvault, which this one cannot use or convert.',
    advice: 'Backfill into an empty QuestDB (another CDVAULT_HOME or QUESTDB_PG_URL).',
  },
  TABLE_SUSPENDED: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'QuestDB has suspended a table: it acknowledges writes but never applies them.',
    advice:
      'Free disk space, or fix the cause shown in the server log. Then run ALTER TABLE <name> RESUME WAL and the same command again.',
  },
  DISK_TOO_SMALL: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'The planned data does not fit in the free disk space.',
    advice: 'Free disk space or request a shorter range.',
  },
  // ── the exchange ────────────────────────────────────────────────────────────────────────────
  EXCHANGE_UNREACHABLE: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'The exchange does not respond: the connection was refused, reset, timed out or cut short.',
    advice:
      'The request is retried with increasing delays. If the error persists, check the network, HTTPS_PROXY and the BINANCE_*_URL settings.',
  },
  EXCHANGE_UNAVAILABLE: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'The exchange returned a server error (5xx, 408 or a busy code).',
    advice: 'The request is retried. If the error persists, check the exchange’s status page.',
  },
  EXCHANGE_RATE_LIMITED: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'The exchange returned 429: this address used more request weight than allowed.',
    advice:
      'All workers pause for as long as the exchange requests. Lower --weight-share if other programs use this address.',
  },
  EXCHANGE_BANNED: {
    retryable: true,
    exitCode: EXIT.fatal,
    when: 'The exchange returned 418: this address is banned temporarily.',
    advice:
      'No requests are sent until the ban ends, even after a restart. Run the same command after that time.',
  },
  EXCHANGE_BLOCKED: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'The exchange’s firewall returned 403.',
    advice:
      'Wait a few minutes, lower --weight-share, and check that no other program floods the exchange from this address.',
  },
  EXCHANGE_RESTRICTED: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'The exchange returned 451: it does not serve this location.',
    advice:
      'For spot, set BINANCE_SPOT_URL=https://data-api.binance.vision, the public market-data host. Futures have no such host.',
  },
  EXCHANGE_REFUSED: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'The exchange rejected a request as malformed (codes -1100 to -1199).',
    advice: 'Report it with the whole message: a bug in cdvault, or a change at the exchange.',
  },
  EXCHANGE_BAD_BODY: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'The exchange returned 200 with unexpected content: HTML, truncated JSON or wrong fields.',
    advice:
      'The request is retried. If the error persists, the usual cause is a proxy between this machine and the exchange.',
  },
  EXCHANGE_BAD_PAGE: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'A page of trades or candles does not start where it was requested, or is out of order.',
    advice: 'The page is requested again. Trades that stay missing are recorded as a gap.',
  },
  RETENTION: {
    retryable: false,
    exitCode: EXIT.gaps,
    when: 'Trades older than 48 hours were requested from the exchange’s futures REST, which serves only the last 48 hours.',
    advice: 'Fetch older hours from the exchange’s archive files: cdvault backfill --source auto.',
  },
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
