import type { ApiError } from './parameters.ts';

/** A reply before it is sent. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** false for replies of the firewall in front of the exchange: they have no weight headers */
  readonly fromExchange: boolean;
  /** of trade and kline pages */
  readonly page?: { readonly rows: number; readonly firstId?: number; readonly lastId?: number };
}

const JSON_TYPE = { 'content-type': 'application/json;charset=UTF-8' };

export function jsonReply(body: string, page?: Reply['page']): Reply {
  return {
    status: 200,
    headers: JSON_TYPE,
    body,
    fromExchange: true,
    ...(page === undefined ? {} : { page }),
  };
}

export function errorReply(error: ApiError, headers: Readonly<Record<string, string>> = {}): Reply {
  const body = JSON.stringify({ code: error.code, msg: error.message });
  return { status: error.status, headers: { ...JSON_TYPE, ...headers }, body, fromExchange: true };
}

export function htmlReply(status: number, title: string, server: string): Reply {
  const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>${server}</center>\r\n</body>\r\n</html>\r\n`;
  return { status, headers: { 'content-type': 'text/html' }, body, fromExchange: false };
}

export function limitedReply(limitText: string, retryAfterSeconds: number | undefined): Reply {
  const message = `Too much request weight used; current limit is ${limitText}. Please use WebSocket Streams for live updates to avoid polling the API.`;
  return errorReply(
    { status: 429, code: -1003, message },
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
  );
}

export function bannedReply(banUntilMs: number, retryAfterSeconds: number): Reply {
  const message = `Way too much request weight used; IP banned until ${banUntilMs}. Please use WebSocket Streams for live updates to avoid bans.`;
  return errorReply(
    { status: 418, code: -1003, message },
    { 'retry-after': String(retryAfterSeconds) },
  );
}
