import type { ErrorFacts } from './error-facts.ts';
import { EXIT } from './exit-codes.ts';

/** Failures of Redis, QuestDB, other programs, and the folders and disk that they and cdvault use. */
export const SERVICE_ERRORS = {
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
  QUERY_TIMEOUT: {
    retryable: false,
    exitCode: EXIT.outage,
    when: 'A query of the HTTP API took longer than ten seconds and was stopped in QuestDB.',
    advice: 'Ask for a shorter range or a longer interval.',
  },
  QUERY_BUSY: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'Too many queries of the HTTP API run or wait already.',
    advice: 'Send the request again after the seconds that Retry-After names, and fewer at a time.',
  },
  ALERT_REFUSED: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'The address in CDVAULT_ALERT_URL did not take an alert.',
    advice: 'Check the address and its service. A worker sends the alert again every minute.',
  },
  SERVE_NOT_RUNNING: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'No running cdvault serve of this installation has announced its address in Redis.',
    advice: 'Start it with cdvault serve --background, or write a file with --out chart.html.',
  },
  GRAFANA_UNREACHABLE: {
    retryable: true,
    exitCode: EXIT.outage,
    when: 'The Grafana of CDVAULT_GRAFANA_URL does not respond, or is not healthy.',
    advice: 'Check that Grafana is running and that CDVAULT_GRAFANA_URL is correct.',
  },
  BROWSER_MISSING: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'A picture is asked for, and no browser that can take it is installed.',
    advice: 'Install Chromium or Chrome, or write a page with --out chart.html.',
  },
  BROWSER_FAILED: {
    retryable: false,
    exitCode: EXIT.fatal,
    when: 'The browser ended with an error before it had taken a picture.',
    advice: 'The message quotes the browser. Write a page with --out chart.html and open it.',
  },
} as const satisfies Readonly<Record<string, ErrorFacts>>;
