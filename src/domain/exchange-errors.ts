import type { ErrorFacts } from './error-facts.ts';
import { EXIT } from './exit-codes.ts';

/** Failures of the exchange’s API. */
export const EXCHANGE_ERRORS = {
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
} as const satisfies Readonly<Record<string, ErrorFacts>>;
