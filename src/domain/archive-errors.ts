import type { ErrorFacts } from './error-facts.ts';
import { EXIT } from './exit-codes.ts';

/** Failures of archive files and their host. */
export const ARCHIVE_ERRORS = {
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
} as const satisfies Readonly<Record<string, ErrorFacts>>;
