import type { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { z } from 'zod';
import { marketName, type Series, seriesKey } from '../../../domain/market.ts';
import type { BuiltSpan, ServiceStatus } from '../../../ports/chart-data.ts';
import { type ApiDeps, type Endpoint, endpoint } from './endpoint.ts';
import { MARKET, seriesOf, usage } from './parameters.ts';

const STATUS = z.strictObject({
  version: z.string(),
  services: z.strictObject({ redis: z.boolean(), store: z.boolean() }),
  jobs: z
    .strictObject({ waiting: z.int(), active: z.int(), failed: z.int() })
    .nullable()
    .describe('null when Redis does not answer.'),
  lag: z
    .strictObject({ market: MARKET.unwrap(), symbol: z.string(), ms: z.int() })
    .nullable()
    .describe('The scheduled series that is farthest behind, in whole minutes.'),
  lastError: z
    .strictObject({ at: z.int(), message: z.string(), job: z.string() })
    .nullable()
    .describe('The job that failed last, of those that are kept.'),
});

export const STATUS_ENDPOINT: Endpoint<ApiDeps> = endpoint({
  path: '/status',
  summary: 'What runs',
  parameters: z.object({}),
  answer: STATUS,
  ask: (_given, { events, version }: ApiDeps) => ({
    tag: undefined,
    body: async () => statusJson(version, await events.status()),
  }),
});

function statusJson(version: string, { services, jobs, lag, lastError }: ServiceStatus): string {
  return JSON.stringify({
    version,
    services,
    jobs: jobs ?? null,
    lag:
      lag === undefined
        ? null
        : { market: marketName(lag.market), symbol: lag.symbol, ms: lag.lagMs },
    lastError:
      lastError === undefined
        ? null
        : { at: lastError.atMs, message: lastError.reason, job: lastError.kind },
  });
}

/** Proxies end a connection that is silent for longer, often after half a minute. */
const ALIVE_MS = 15_000;
const RETRY_MS = 2_000;
const STREAM_TYPE = { 'Content-Type': 'text/event-stream' };
/** More than a page shows. */
export const MAX_SERIES = 50;

/** Adds /events, a stream that ends when the client goes. */
export function addEvents(
  api: Hono,
  { events, version }: Pick<ApiDeps, 'events' | 'version'>,
): void {
  api.get('/events', (context) => {
    // Hono sends HEAD here, too: nobody would read the stream, or end it.
    if (context.req.method === 'HEAD') return context.body(null, 200, STREAM_TYPE);
    const wanted = new Set(wantedSeries(new URL(context.req.url).searchParams).map(seriesKey));
    const ending = new AbortController();
    const waiting: string[] = [];
    let wake = () => {};
    const write = (text: string) => {
      waiting.push(text);
      wake();
    };
    events.listen(
      {
        onBuilt(spans) {
          for (const span of spans.filter((one) => wanted.has(seriesKey(one))))
            write(eventText('bars', builtJson(span)));
        },
        onStatus: (status) => write(eventText('status', statusJson(version, status))),
      },
      ending.signal,
    );
    return streamSSE(context, async (stream) => {
      stream.onAbort(() => {
        ending.abort();
        wake();
      });
      await stream.write(`retry: ${RETRY_MS}\n\n`);
      while (!ending.signal.aborted) {
        const text = waiting.shift();
        if (text !== undefined) await stream.write(text);
        else if (!(await woken(ALIVE_MS, (resolve) => (wake = resolve))))
          await stream.write(':\n\n');
      }
    });
  });
}

/** Whether it is woken in time. */
async function woken(ms: number, onWait: (wake: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    onWait(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

function eventText(event: string, json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`;
}

function builtJson({ market, symbol, startMs, endMs }: BuiltSpan): string {
  return JSON.stringify({ market: marketName(market), symbol, from: startMs, to: endMs });
}

/** @throws CdvaultError USAGE */
function wantedSeries(given: URLSearchParams): Series[] {
  const unknown = [...given.keys()].find((name) => name !== 'series');
  if (unknown !== undefined)
    throw usage(`there is no parameter ${JSON.stringify(unknown.slice(0, 60))} here`);
  const texts = given.getAll('series');
  if (texts.length > MAX_SERIES) throw usage(`more than ${MAX_SERIES} series`);
  return texts.map((text) => {
    const [market = '', ...rest] = text.split(':');
    const known = MARKET.unwrap().safeParse(market);
    if (!known.success)
      throw usage(
        `series ${JSON.stringify(text.slice(0, 60))} is not possible`,
        'Write it as spot:BTCUSDT.',
      );
    return seriesOf({ market: known.data, symbol: rest.join(':') });
  });
}
