import { CdvaultError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/error-catalogue.ts';
import { MINUTE_MS, floorTo } from '../../domain/time/hour.ts';
import type { PauseReason } from '../../ports/weight-governor.ts';
import type { Reply } from './transport.ts';

export interface Pause {
  readonly reason: PauseReason;
  readonly untilMs: number;
}

/** Quoted bytes of a body that is not JSON: enough to distinguish a proxy's page from the exchange's. */
const QUOTED_BYTES = 120;

/** Error bodies have one code and one sentence; longer bodies are data, which is not parsed twice. */
const LONGEST_ERROR_BYTES = 1_024;

/** The shortest ban that the exchange documents. */
const SHORTEST_BAN_MS = 2 * MINUTE_MS;

/** The longest ban is 3 days. A later end is a parsing error, which must not pause requests for years. */
const LONGEST_BAN_MS = 3 * 24 * 60 * MINUTE_MS;

/** The firewall counts requests over five minutes. */
const BLOCKED_MS = 5 * MINUTE_MS;

/** A location rarely changes; one attempt an hour notices a server that was moved. */
const RESTRICTED_MS = 60 * MINUTE_MS;

/** Spreads requests that all wait until the same second. */
const WAKE_SPREAD_MS = 1_000;

const SERVER_TROUBLE = new Set([-1000, -1001, -1003, -1006, -1007, -1008]);
const PAUSE_CODES = {
  blocked: 'EXCHANGE_BLOCKED',
  banned: 'EXCHANGE_BANNED',
  rate_limited: 'EXCHANGE_RATE_LIMITED',
  restricted: 'EXCHANGE_RESTRICTED',
} as const satisfies Readonly<Record<PauseReason, ErrorCode>>;

const RETIRED = -1016;
export const INVALID_SYMBOL = -1121;

/** The pause for all programs on this address after such a reply; undefined for most replies. */
export function pauseOf(reply: Reply, nowMs: number, random: number): Pause | undefined {
  switch (reply.status) {
    case 403:
      return { reason: 'blocked', untilMs: nowMs + BLOCKED_MS };
    case 418:
      return { reason: 'banned', untilMs: banEndMs(reply, nowMs) };
    case 429:
      return {
        reason: 'rate_limited',
        untilMs: rateLimitEndMs(reply, nowMs) + random * WAKE_SPREAD_MS,
      };
    case 451:
      return { reason: 'restricted', untilMs: nowMs + RESTRICTED_MS };
    default:
      return undefined;
  }
}

/**
 * The error by HTTP status, then by JSON code, never by text; undefined when the reply is a 200 that may
 * have data.
 */
export function refusalOf(reply: Reply, request: string, nowMs: number): CdvaultError | undefined {
  const code = jsonCode(reply.body);
  if (reply.status === 200 && code === undefined) return undefined;
  const body = code === undefined ? quote(reply.body) : reply.body.toString('utf8');
  const said = `${request}: HTTP ${reply.status} ${body}`;
  const pause = pauseOf(reply, nowMs, 0);
  if (pause !== undefined)
    return new CdvaultError(PAUSE_CODES[pause.reason], said, { untilMs: pause.untilMs });
  return code === undefined
    ? errorByStatus(reply.status, said)
    : errorByCode(code, reply.status, said);
}

/** The error for a body that is not JSON, with a quote of it. */
export function notJson(reply: Reply, request: string, cause: unknown): CdvaultError {
  const type = reply.headers.get('content-type') ?? 'no content type';
  const message = `${request}: HTTP ${reply.status} with ${reply.body.length} bytes (${type}) that are not JSON: ${quote(reply.body)}`;
  return new CdvaultError('EXCHANGE_BAD_BODY', message, { cause });
}

function errorByCode(code: number, status: number, said: string): CdvaultError {
  if (code === INVALID_SYMBOL) return new CdvaultError('UNKNOWN_SYMBOL', said);
  if (code === RETIRED) {
    const advice = 'The exchange has withdrawn this service; a newer cdvault is needed.';
    return new CdvaultError('EXCHANGE_REFUSED', said, { advice });
  }
  const isPassing = SERVER_TROUBLE.has(code) || isServerStatus(status);
  return new CdvaultError(isPassing ? 'EXCHANGE_UNAVAILABLE' : 'EXCHANGE_REFUSED', said);
}

function errorByStatus(status: number, said: string): CdvaultError {
  if (isServerStatus(status)) return new CdvaultError('EXCHANGE_UNAVAILABLE', said);
  // A redirect, or a 2xx other than 200: not from the exchange, but from something in between.
  if (status < 400) return new CdvaultError('EXCHANGE_BAD_BODY', said);
  const advice = 'The exchange does not refuse requests in this form: check the BINANCE_*_URL.';
  return new CdvaultError('EXCHANGE_REFUSED', said, { advice });
}

function isServerStatus(status: number): boolean {
  return status === 408 || status >= 500;
}

/** The `code` of `{"code":-1121,"msg":"…"}`; 0 accompanies HTTP 451. */
export function jsonCode(body: Buffer): number | undefined {
  if (body[0] !== 0x7b || body.length > LONGEST_ERROR_BYTES) return undefined;
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    const code =
      typeof parsed === 'object' && parsed !== null && 'code' in parsed ? parsed.code : undefined;
    return typeof code === 'number' ? code : undefined;
  } catch {
    return undefined;
  }
}

function quote(body: Buffer): string {
  return JSON.stringify(body.subarray(0, QUOTED_BYTES).toString('utf8').replaceAll(/\s+/g, ' '));
}

function rateLimitEndMs(reply: Reply, nowMs: number): number {
  return longest(retryAfterMs(reply, nowMs) ?? floorTo(nowMs, MINUTE_MS) + MINUTE_MS, nowMs);
}

/** `Retry-After`, else the epoch milliseconds in the body, else the shortest ban. */
function banEndMs(reply: Reply, nowMs: number): number {
  const named = /\b\d{13}\b/.exec(reply.body.toString('utf8'))?.[0];
  const namedMs = named === undefined ? 0 : Number(named);
  const endMs = retryAfterMs(reply, nowMs) ?? (namedMs > nowMs ? namedMs : nowMs + SHORTEST_BAN_MS);
  return longest(endMs, nowMs);
}

function longest(endMs: number, nowMs: number): number {
  return Math.min(endMs, nowMs + LONGEST_BAN_MS);
}

/** Seconds or an HTTP date; undefined when absent, past or not understood. */
function retryAfterMs(reply: Reply, nowMs: number): number | undefined {
  const text = reply.headers.get('retry-after');
  if (text === undefined) return undefined;
  const untilMs = /^\d+$/.test(text) ? nowMs + Number(text) * 1000 : Date.parse(text);
  return untilMs > nowMs ? untilMs : undefined;
}
