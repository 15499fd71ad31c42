import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Context } from 'hono';
import { accepts } from 'hono/accepts';
import { LRUCache } from 'lru-cache';
import type { Answer } from './endpoint.ts';

/** Nothing is immutable: a level may be restated, so a client asks each time whether its copy still holds. */
const HEADERS = { 'Cache-Control': 'private, no-cache', Vary: 'Accept-Encoding' };

/** Some seven months of minutes: reading them takes QuestDB and this process half a second a month. */
const KEPT_BYTES = 64 * 1024 * 1024;

/** Longer than any sensible request; keys take memory, too. */
const MAX_KEY_CHARS = 1_000;

/** The bytes of an answer, as they were sent under a tag. */
interface Kept {
  readonly tag: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Sends answers: with their tag, packed as the client likes, and not at all when it has them already. */
export function createAnswerer(): (context: Context, answer: Answer) => Promise<Response> {
  const kept = new LRUCache<string, Kept>({
    maxSize: KEPT_BYTES,
    sizeCalculation: ({ bytes }) => Math.max(1, bytes.byteLength),
  });

  /** For answers whose tag is known before they are: what was sent under the same tag is sent again. */
  async function tagged(context: Context, tag: string, body: Answer['body']): Promise<Response> {
    const headers = { ...HEADERS, ETag: quoted(tag) };
    if (holds(context, tag)) return context.body(null, 304, headers);
    const encoding = encodingFor(context);
    const key = `${encoding} ${context.req.url}`;
    const known = kept.get(key);
    const bytes = known?.tag === tag ? known.bytes : await pack(encoding, await body());
    if (key.length <= MAX_KEY_CHARS) kept.set(key, { tag, bytes });
    return send(context, { bytes, encoding }, headers);
  }

  return async (context, { tag: given, body }) => {
    if (typeof given === 'string') return tagged(context, given, body);
    const text = await body();
    const tag = given === undefined ? hash('sha256', text, 'base64url') : given;
    const headers = { ...HEADERS, ...(tag !== null && { ETag: quoted(tag) }) };
    if (tag !== null && holds(context, tag)) return context.body(null, 304, headers);
    const encoding = encodingFor(context);
    return send(context, { bytes: await pack(encoding, text), encoding }, headers);
  };
}

/** Weak: the same answer may be packed in several ways. */
function quoted(tag: string): string {
  return `W/"${tag}"`;
}

function holds(context: Context, tag: string): boolean {
  const known = context.req.header('If-None-Match') ?? '';
  return known.split(',').some((one) => one.trim().replace(/^W\//, '') === `"${tag}"`);
}

type Encoding = 'br' | 'gzip' | 'identity';

function encodingFor(context: Context): Encoding {
  const supports = ['br', 'gzip'];
  const header = accepts(context, { header: 'Accept-Encoding', supports, default: 'identity' });
  return header === 'br' || header === 'gzip' ? header : 'identity';
}

/** At the lowest levels: on a month of minutes the next ones take twice the time for a tenth of the bytes. */
async function pack(encoding: Encoding, text: string): Promise<Uint8Array<ArrayBuffer>> {
  if (encoding === 'identity') return new TextEncoder().encode(text);
  const level = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
  const packed =
    encoding === 'br'
      ? await promisify(brotliCompress)(text, level)
      : await promisify(gzip)(text, { level: 1 });
  return new Uint8Array(packed);
}

function send(
  context: Context,
  { bytes, encoding }: { bytes: Uint8Array<ArrayBuffer>; encoding: Encoding },
  headers: Readonly<Record<string, string>>,
): Response {
  return context.body(bytes, 200, {
    ...headers,
    'Content-Type': 'application/json',
    ...(encoding !== 'identity' && { 'Content-Encoding': encoding }),
  });
}
