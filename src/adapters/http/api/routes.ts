import { Hono } from 'hono';
import { CdvaultError } from '../../../domain/errors.ts';
import type { ChartData } from '../../../ports/chart-data.ts';
import type { Log } from '../../../ports/log.ts';
import { BARS } from './bars.ts';
import { createAnswerer } from './answerer.ts';
import type { ApiDeps, Endpoint } from './endpoint.ts';
import { addEvents, STATUS_ENDPOINT } from './events.ts';
import { failureBody, failureOf } from './failures.ts';
import { LEDGER_ENDPOINTS } from './ledger.ts';
import { openApi } from './openapi.ts';
import { shortened } from './parameters.ts';
import { TIERS } from './tiers.ts';
import { TRADE_ENDPOINTS } from './trades.ts';

export const API_PATH = '/api/v1';

/** Those that only read the store. */
export const DATA_ENDPOINTS: readonly Endpoint[] = [
  BARS,
  TIERS,
  ...TRADE_ENDPOINTS,
  ...LEDGER_ENDPOINTS,
];

export const ENDPOINTS: readonly Endpoint<ApiDeps>[] = [...DATA_ENDPOINTS, STATUS_ENDPOINT];

export interface ApiParts extends Omit<ApiDeps, 'data'> {
  /** Data for one request, whose queries end when the signal is aborted. */
  readonly dataFor: (signal: AbortSignal) => ChartData;
  readonly log: Log;
}

/** The API below API_PATH. */
export function createApi({ dataFor, ...deps }: ApiParts): Hono {
  const api = new Hono({ strict: false });
  const answer = createAnswerer();
  for (const { path, ask } of ENDPOINTS) {
    api.get(path, async (context) => {
      const { searchParams } = new URL(context.req.url);
      // The client's own: nobody else waits for what it asks.
      const data = dataFor(context.req.raw.signal);
      return answer(context, await ask(searchParams, { ...deps, data }));
    });
    api.all(path, (context) => {
      const error = new CdvaultError('USAGE', `${context.req.method} is not possible here`, {
        advice: 'The API only reads: use GET.',
      });
      return context.json(failureBody(error), 405, { Allow: 'GET, HEAD' });
    });
  }
  addEvents(api, deps);
  const document = openApi(ENDPOINTS, deps.version);
  api.get('/openapi.json', (context) => context.json(document));
  api.all('*', (context) => {
    const error = new CdvaultError('USAGE', `there is no ${shortened(context.req.path)}`, {
      advice: 'docs/api.md lists all paths.',
    });
    return context.json(failureBody(error), 404);
  });
  api.onError((thrown, context) => {
    // Nobody reads the answer to a client that has gone.
    if (context.req.raw.signal.aborted) return context.body(null, 503);
    const { status, error, body } = failureOf(thrown);
    if (status === 500)
      deps.log.error({ path: context.req.path, code: error.code, error }, 'A request failed');
    return context.json(body, status, status === 503 ? { 'Retry-After': RETRY_AFTER_S } : {});
  });
  return api;
}

const RETRY_AFTER_S = '2';
