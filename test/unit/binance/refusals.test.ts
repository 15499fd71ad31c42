import { describe, expect, it } from 'vitest';
import { pauseOf, refusalOf } from '../../../src/adapters/binance/refusals.ts';
import type { Reply } from '../../../src/adapters/binance/transport.ts';

const NOW_MS = Date.UTC(2026, 10, 22, 10, 0, 20);
const MINUTE_MS = 60_000;
const HTML =
  '<html>\n<head><title>ERROR: The request could not be satisfied</title></head><body>Request blocked.</body></html>';

function reply(status: number, body: string, headers: Record<string, string> = {}): Reply {
  return { status, headers: new Map(Object.entries(headers)), body: Buffer.from(body) };
}

function apiError(status: number, code: number, message = 'whatever'): Reply {
  return reply(status, JSON.stringify({ code, msg: message }), {
    'content-type': 'application/json',
  });
}

function codeOf(given: Reply): string | undefined {
  return refusalOf(given, 'GET /x', NOW_MS)?.code;
}

describe('the exchange’s table of errors', () => {
  it.each([
    [400, -1000, 'EXCHANGE_UNAVAILABLE', true],
    [400, -1001, 'EXCHANGE_UNAVAILABLE', true],
    [400, -1003, 'EXCHANGE_UNAVAILABLE', true],
    [429, -1003, 'EXCHANGE_RATE_LIMITED', true],
    [418, -1003, 'EXCHANGE_BANNED', true],
    [400, -1006, 'EXCHANGE_UNAVAILABLE', true],
    [408, -1007, 'EXCHANGE_UNAVAILABLE', true],
    [503, -1008, 'EXCHANGE_UNAVAILABLE', true],
    [503, -1016, 'EXCHANGE_REFUSED', false],
    [400, -1100, 'EXCHANGE_REFUSED', false],
    [400, -1101, 'EXCHANGE_REFUSED', false],
    [400, -1102, 'EXCHANGE_REFUSED', false],
    [400, -1104, 'EXCHANGE_REFUSED', false],
    [400, -1105, 'EXCHANGE_REFUSED', false],
    [400, -1108, 'EXCHANGE_REFUSED', false],
    [400, -1121, 'UNKNOWN_SYMBOL', false],
    [400, -1127, 'EXCHANGE_REFUSED', false],
    [400, -1128, 'EXCHANGE_REFUSED', false],
    [400, -1130, 'EXCHANGE_REFUSED', false],
    [400, -1152, 'EXCHANGE_REFUSED', false],
    [400, -9999, 'EXCHANGE_REFUSED', false],
    [500, -9999, 'EXCHANGE_UNAVAILABLE', true],
    [200, -1001, 'EXCHANGE_UNAVAILABLE', true],
    [451, 0, 'EXCHANGE_RESTRICTED', false],
    [403, -1003, 'EXCHANGE_BLOCKED', false],
  ])('HTTP %i with code %i is %s', (status, code, expected, retryable) => {
    const refusal = refusalOf(apiError(status, code), 'GET /x', NOW_MS);
    expect(refusal?.code).toBe(expected);
    expect(refusal?.retryable).toBe(retryable);
  });

  it.each([
    [403, HTML, 'EXCHANGE_BLOCKED'],
    [404, HTML, 'EXCHANGE_REFUSED'],
    [408, HTML, 'EXCHANGE_UNAVAILABLE'],
    [418, '', 'EXCHANGE_BANNED'],
    [429, '', 'EXCHANGE_RATE_LIMITED'],
    [500, '', 'EXCHANGE_UNAVAILABLE'],
    [502, HTML, 'EXCHANGE_UNAVAILABLE'],
    [503, HTML, 'EXCHANGE_UNAVAILABLE'],
    [302, '', 'EXCHANGE_BAD_BODY'],
    [204, '', 'EXCHANGE_BAD_BODY'],
  ])(
    'HTTP %i with a body that is not JSON is classified by its status',
    (status, body, expected) => {
      expect(codeOf(reply(status, body, { 'content-type': 'text/html' }))).toBe(expected);
    },
  );

  it('has no error for a 200 without a code', () => {
    expect(codeOf(reply(200, '[]'))).toBeUndefined();
    expect(codeOf(reply(200, '{"serverTime":1}'))).toBeUndefined();
    expect(codeOf(reply(200, '{"code":'))).toBeUndefined();
  });

  it('is read by code, whatever the text says', () => {
    expect(
      codeOf(
        apiError(400, -1121, 'Way too much request weight used; IP banned until 1700000000000.'),
      ),
    ).toBe('UNKNOWN_SYMBOL');
  });

  it('becomes a message with request, status, and all of a JSON body or the start of another', () => {
    const html = refusalOf(
      reply(502, HTML + 'x'.repeat(500)),
      'GET /api/v3/aggTrades?symbol=X',
      NOW_MS,
    );
    expect(html?.message).toContain('GET /api/v3/aggTrades?symbol=X: HTTP 502 "<html> <head>');
    expect(html?.message.length).toBeLessThan(200);
    expect(refusalOf(apiError(400, -1121, 'Invalid symbol.'), 'GET /x', NOW_MS)?.message).toBe(
      'GET /x: HTTP 400 {"code":-1121,"msg":"Invalid symbol."}',
    );
  });
});

describe('the pause of all requests', () => {
  const after = (given: Reply, random = 0): number =>
    (pauseOf(given, NOW_MS, random)?.untilMs ?? NaN) - NOW_MS;

  it('lasts after 429 as long as Retry-After, else until the next minute, spread over a second', () => {
    expect(after(reply(429, '', { 'retry-after': '7' }))).toBe(7_000);
    expect(after(reply(429, ''))).toBe(40_000);
    expect(after(reply(429, '', { 'retry-after': '0' }))).toBe(40_000);
    expect(after(reply(429, '', { 'retry-after': 'soon' }))).toBe(40_000);
    expect(after(reply(429, '', { 'retry-after': '7' }), 0.5)).toBe(7_500);
    expect(after(reply(429, '', { 'retry-after': new Date(NOW_MS + 9_000).toUTCString() }))).toBe(
      9_000,
    );
  });

  it('lasts for a ban as long as Retry-After, else until the instant in the body, else two minutes', () => {
    const body = `{"code":-1003,"msg":"Way too much request weight used; IP banned until ${NOW_MS + 300_000}."}`;
    expect(after(reply(418, body, { 'retry-after': '120' }))).toBe(120_000);
    expect(after(reply(418, body))).toBe(300_000);
    expect(after(reply(418, ''))).toBe(2 * MINUTE_MS);
    expect(after(reply(418, `{"msg":"banned until ${NOW_MS - 1}"}`))).toBe(2 * MINUTE_MS);
    expect(after(reply(418, '', { 'retry-after': '99999999' }))).toBe(3 * 24 * 60 * MINUTE_MS);
    expect(refusalOf(reply(418, body), 'GET /x', NOW_MS)?.untilMs).toBe(NOW_MS + 300_000);
  });

  it('lasts five minutes when the firewall blocks, an hour when the location is restricted', () => {
    expect(pauseOf(reply(403, HTML), NOW_MS, 0)).toEqual({
      reason: 'blocked',
      untilMs: NOW_MS + 5 * MINUTE_MS,
    });
    expect(pauseOf(apiError(451, 0), NOW_MS, 0)).toEqual({
      reason: 'restricted',
      untilMs: NOW_MS + 60 * MINUTE_MS,
    });
  });

  it('does not begin for other errors', () => {
    expect(pauseOf(apiError(400, -1121), NOW_MS, 0)).toBeUndefined();
    expect(pauseOf(reply(502, HTML), NOW_MS, 0)).toBeUndefined();
  });
});

it.each(['9'.repeat(30), '9'.repeat(400), '+275760-09-13T00:00:00Z'])(
  'a pause lasts three days at most, whatever Retry-After says: %s',
  (text) => {
    for (const status of [418, 429]) {
      const pause = pauseOf(reply(status, '{}', { 'retry-after': text }), NOW_MS, 0);
      expect(pause?.untilMs).toBe(NOW_MS + 3 * 24 * 60 * MINUTE_MS);
    }
  },
);
