import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { type Context, Hono } from 'hono';
import { accepts } from 'hono/accepts';
import { CdvaultError } from '../../../domain/errors.ts';
import type { Log } from '../../../ports/log.ts';
import { type ApiDeps, barsEndpoint } from './bars.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { failureBody, failureOf } from './failures.ts';
import { ledgerEndpoints } from './ledger.ts';

export const API_PATH = '/api/v1';

/** The API below API_PATH. */
export function createApi(deps: ApiDeps & { readonly log: Log }): Hono {
  const api = new Hono({ strict: false });
  for (const { path, ask } of endpointsOf(deps)) {
    api.get(path, async (context) => {
      const { searchParams } = new URL(context.req.url);
      return answer(context, await ask(searchParams));
    });
    api.all(path, (context) => {
      const error = new CdvaultError('USAGE', `${context.req.method} is not possible here`, {
        advice: 'The API only reads: use GET.',
      });
      return context.json(failureBody(error), 405, { Allow: 'GET, HEAD' });
    });
  }
  api.all('*', (context) => {
    const error = new CdvaultError('USAGE', `there is no ${context.req.path}`, {
      advice: 'docs/api.md lists all paths.',
    });
    return context.json(failureBody(error), 404);
  });
  api.onError((thrown, context) => {
    const { status, error, body } = failureOf(thrown);
    if (status === 500)
      deps.log.error({ path: context.req.path, code: error.code, error }, 'A request failed');
    return context.json(body, status, status === 503 ? { 'Retry-After': RETRY_AFTER_S } : {});
  });
  return api;
}

const RETRY_AFTER_S = '2';

export function endpointsOf(deps: ApiDeps): readonly Endpoint[] {
  return [barsEndpoint(deps), ...ledgerEndpoints(deps)];
}

/** Nothing is immutable: a level may be restated, so a client asks each time whether its copy still holds. */
const HEADERS = { 'Cache-Control': 'private, no-cache', Vary: 'Accept-Encoding' };

async function answer(context: Context, { tag: given, body }: Answer): Promise<Response> {
  const known = context.req.header('If-None-Match') ?? '';
  if (typeof given === 'string' && holds(known, given))
    return context.body(null, 304, { ...HEADERS, ETag: quoted(given) });
  const text = await body();
  const tag = given === undefined ? hash('sha256', text, 'base64url') : given;
  const headers = { ...HEADERS, ...(tag !== null && { ETag: quoted(tag) }) };
  if (given === undefined && tag !== null && holds(known, tag))
    return context.body(null, 304, headers);
  return packed(context, text, headers);
}

/** Weak: the same answer may be packed in several ways. */
function quoted(tag: string): string {
  return `W/"${tag}"`;
}

function holds(known: string, tag: string): boolean {
  return known.split(',').some((one) => one.trim().replace(/^W\//, '') === `"${tag}"`);
}

/** Less than a packet: packing would not make it arrive earlier. */
const SMALL_CHARS = 1_000;

const packers: Readonly<Record<string, (text: string) => Promise<Buffer>>> = {
  // The lowest levels: on a month of minutes the next ones take twice the time for a tenth of the bytes.
  br: async (text) =>
    promisify(brotliCompress)(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  gzip: async (text) => promisify(gzip)(text, { level: 1 }),
};

async function packed(
  context: Context,
  text: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const type = { ...headers, 'Content-Type': 'application/json' };
  const encoding = accepts(context, {
    header: 'Accept-Encoding',
    supports: Object.keys(packers),
    default: 'identity',
  });
  const pack = packers[encoding];
  if (pack === undefined || text.length < SMALL_CHARS) return context.body(text, 200, type);
  const bytes = new Uint8Array(await pack(text));
  return context.body(bytes, 200, { ...type, 'Content-Encoding': encoding });
}
