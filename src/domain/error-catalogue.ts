/**
 * Every failure that cdvault knows, in one list: the queue's retry, the log level, the exit code and
 * docs/errors.md are all read from here. Nobody matches on message text.
 */

import { EXIT, type ExitCode } from './exit-codes.ts';

interface ErrorFacts {
  /** True when the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  readonly exitCode: ExitCode;
  /** When it happens. */
  readonly when: string;
  /** What the operator can do next. */
  readonly advice: string;
}

export const ERRORS = {
  // ── what the operator typed ─────────────────────────────────────────────────────────────────
  USAGE: {
    retryable: false,
    exitCode: EXIT.usage,
    when: 'An option or argument cannot be understood.',
    advice: 'See the command’s --help.',
  },
  BAD_TIME: {
    retryable: false,
    exitCode: EXIT.usage,
    when: 'A time is not an ISO instant, a date, a month or "now".',
    advice:
      'Write it as 2024-01-01, 2024-01-01T10:00Z, 2024-01 or now; times without a zone are UTC.',
  },
  BAD_RANGE: {
    retryable: false,
    exitCode: EXIT.usage,
    when: 'A range is empty, runs backwards or lies in the future.',
    advice: 'Give --from before --to, both in the past.',
  },
  UNKNOWN_SYMBOL: {
    retryable: false,
    exitCode: EXIT.usage,
    when: 'The exchange neither lists the symbol nor has trades of it, and the ledger has never seen it.',
    advice: 'Check the spelling (BTCUSDT) and the --market.',
  },
  // ── archive files ───────────────────────────────────────────────────────────────────────────
  ARCHIVE_BAD_FILE: {
    retryable: false,
    exitCode: EXIT.gaps,
    when: 'An archive file is no zip file with exactly the one CSV of its name, or its CRC is wrong.',
    advice: 'Download it again, with its .CHECKSUM; if that does not help, use REST for its day.',
  },
  ARCHIVE_BAD_ROW: {
    retryable: false,
    exitCode: EXIT.gaps,
    when: 'A row of an archive file is no aggregate trade, or changes its time unit within the file.',
    advice: 'Download the file again; if that does not help, use REST for its day.',
  },
  ARCHIVE_UNREACHABLE: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'The host of the exchange’s archive files does not answer, or answers with a server error.',
    advice:
      'It is retried with growing pauses; if it lasts, check the network and BINANCE_ARCHIVE_URL, or use --source rest.',
  },
  // ── services ────────────────────────────────────────────────────────────────────────────────
  SERVICES_MISSING: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'Redis or QuestDB is neither given by URL nor can be started here.',
    advice:
      'Set REDIS_URL and the QUESTDB_* URLs, start a container engine, or install redis-server and Java 17.',
  },
  SERVICES_CONFIG: {
    retryable: false,
    exitCode: EXIT.usage,
    when: 'Only some of the service URLs are set, REDIS_URL does not name its database by a number, or a file of CDVAULT_HOME cannot be understood.',
    advice:
      'Set all of REDIS_URL, QUESTDB_HTTP_URL, QUESTDB_PG_URL and QUESTDB_READONLY_PG_URL, or none.',
  },
  SERVICE_START_FAILED: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'A service was started and did not become ready.',
    advice: 'Read the service log named in the message.',
  },
  FOLDER_UNUSABLE: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'A folder for cdvault’s own files or for downloads is no folder, may not be written, or is on a full disk.',
    advice:
      'Read the message, it quotes the system; free space, mend the permissions, or name another folder in CDVAULT_HOME.',
  },
  REDIS_UNREACHABLE: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'Redis does not answer.',
    advice: 'Check REDIS_URL and that Redis runs; nothing is lost, run the same command again.',
  },
  REDIS_POLICY: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'Redis may evict keys, and so lose queued work without a word.',
    advice:
      'Set maxmemory-policy noeviction on that Redis (CONFIG SET maxmemory-policy noeviction).',
  },
  REDIS_REFUSED: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'Redis answered a command with an error: a wrong password, a database that it does not have, a missing permission, full memory.',
    advice: 'Read the message, it quotes the server; check REDIS_URL and the server’s maxmemory.',
  },
  STORE_UNREACHABLE: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'QuestDB refuses connections, does not answer in time or broke the connection.',
    advice:
      'Check the QUESTDB_* URLs and that QuestDB runs; nothing is lost, run the same command again.',
  },
  STORE_REFUSED: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'QuestDB answered a statement, a batch of rows or a password with an error.',
    advice:
      'Read the message, it quotes the server: a wrong password, a changed table or a full disk are the usual reasons.',
  },
  STORE_TOO_OLD: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'The QuestDB server is older than cdvault can use.',
    advice: 'Run QuestDB 9.3.4, the version this release is tested with.',
  },
  SCHEMA_MISMATCH: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'A table exists with other columns or other dedup keys than ours.',
    advice:
      'Use another database root, or rename the foreign table; cdvault never alters a table it does not know.',
  },
  TABLE_SUSPENDED: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'QuestDB has suspended a table: writes are acknowledged but never become visible.',
    advice:
      'Free disk space or fix the cause in the server log, run ALTER TABLE <name> RESUME WAL, then the same command again.',
  },
  DISK_TOO_SMALL: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'The free disk does not hold what the plan would store.',
    advice: 'Free space or ask for a shorter range.',
  },
  // ── the exchange ────────────────────────────────────────────────────────────────────────────
  EXCHANGE_UNREACHABLE: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'No answer from the exchange: refused, reset, timed out, cut short.',
    advice:
      'It is retried with growing pauses; if it lasts, check the network, HTTPS_PROXY and the BINANCE_*_URL.',
  },
  EXCHANGE_UNAVAILABLE: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'The exchange answered with a server error (5xx, 408, or a busy code).',
    advice: 'It is retried with growing pauses; if it lasts, look at the exchange’s status page.',
  },
  EXCHANGE_RATE_LIMITED: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'The exchange answered 429: the address used more weight than allowed.',
    advice:
      'All workers pause as long as the exchange asks; lower --weight-share if other programs use this address.',
  },
  EXCHANGE_BANNED: {
    retryable: true,
    exitCode: EXIT.fatal,
    when: 'The exchange answered 418: the address is banned for a while.',
    advice:
      'Nothing is sent until the ban ends, even after a restart; run the same command after that time.',
  },
  EXCHANGE_BLOCKED: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'The exchange’s firewall answered 403.',
    advice:
      'Wait some minutes, lower --weight-share, and check that no other program floods the exchange from this address.',
  },
  EXCHANGE_RESTRICTED: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'The exchange answered 451: it does not serve this location.',
    advice:
      'On spot, set BINANCE_SPOT_URL=https://data-api.binance.vision, the public market-data host; futures have none.',
  },
  EXCHANGE_REFUSED: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'The exchange refused a request as malformed (codes -1100 to -1199).',
    advice:
      'This is a defect of cdvault or a change of the exchange; please report it with the message.',
  },
  EXCHANGE_BAD_BODY: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'The exchange answered 200 with something that is not the promised data: HTML, cut JSON, wrong fields.',
    advice:
      'It is retried; if it lasts, a proxy between here and the exchange is the usual reason.',
  },
  EXCHANGE_BAD_PAGE: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'A page of trades or minutes does not start where it was asked for, or is out of order.',
    advice: 'It is asked again; what stays missing is recorded as a gap.',
  },
  RETENTION: {
    retryable: false,
    exitCode: EXIT.gaps,
    when: 'The exchange’s futures REST serves trades of the last 48 hours only, and older ones were asked for.',
    advice: 'Older hours come from the exchange’s archive files: cdvault backfill --source auto.',
  },
  // ── the work ────────────────────────────────────────────────────────────────────────────────
  HOUR_NOT_CLOSED: {
    retryable: true,
    exitCode: EXIT.usage,
    when: 'The hour has not ended at least two minutes ago.',
    advice: 'Ask again after the hour has closed.',
  },
  LEASE_LOST: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'A worker was away longer than its lease; another may have taken the work over.',
    advice: 'Nothing was written by the late one; the work is done again.',
  },
  JOB_TIMEOUT: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'A job has taken far longer than its kind ever should.',
    advice:
      'It is tried again; if it lasts, look at the store’s and the exchange’s answers in the log.',
  },
  READ_BACK_MISMATCH: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'What the store gives back differs from what was sent (count, ids or sums).',
    advice: 'The hour is fetched again; if it lasts, look at the QuestDB log.',
  },
  NOT_PROVEN: {
    retryable: false,
    exitCode: EXIT.gaps,
    when: 'An hour that was asked about is not proven: never fetched, open, or with missing ids.',
    advice:
      'Run cdvault backfill on the range; of hours that stay unproven the table gaps says which file or source would prove them. Then the same command again, or a range without them.',
  },
  STORE_MISMATCH: {
    retryable: false,
    exitCode: EXIT.mismatch,
    when: 'The stored trades of a proven hour are not those that were fetched.',
    advice: 'Run cdvault verify on the range, then cdvault repair.',
  },
  EXPORT_UNWRITABLE: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'A file of an export, a report or standard output could not be written: a full disk, a missing permission, a file where a folder should be.',
    advice:
      'Read the cause, it quotes the system; free space or give another --out or --report, then run the same command again.',
  },
  JOB_INVALID: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'A queued job does not have the shape this version expects.',
    advice:
      'It was queued by another version; run the same backfill again, the ledger knows what is missing.',
  },
  INTERRUPTED: {
    retryable: true,
    exitCode: EXIT.interrupted,
    when: 'Ctrl-C or SIGTERM.',
    advice: 'Nothing is lost: run the same command again and it goes on where it stopped.',
  },
  INTERNAL: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'Something that must not happen happened.',
    advice: 'Please report it with the whole message.',
  },
} as const satisfies Readonly<Record<string, ErrorFacts>>;

export type ErrorCode = keyof typeof ERRORS;
