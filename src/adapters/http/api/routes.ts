import { Hono } from 'hono';
import { CdvaultError } from '../../../domain/errors.ts';
import type { Log } from '../../../ports/log.ts';
import { type ApiDeps, barsEndpoint } from './bars.ts';
import { createAnswerer } from './answerer.ts';
import type { Endpoint } from './endpoint.ts';
import { addEvents, type EventDeps, statusEndpoint } from './events.ts';
import { failureBody, failureOf } from './failures.ts';
import { ledgerEndpoints } from './ledger.ts';
import { tiersEndpoint } from './tiers.ts';
import { tradeEndpoints } from './trades.ts';

export const API_PATH = '/api/v1';

/** The API below API_PATH. */
export function createApi(deps: ApiDeps & EventDeps & { readonly log: Log }): Hono {
  const api = new Hono({ strict: false });
  const answer = createAnswerer();
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
  addEvents(api, deps);
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

export function endpointsOf(deps: ApiDeps & EventDeps): readonly Endpoint[] {
  return [...dataEndpoints(deps), statusEndpoint(deps)];
}

/** Those that only read the store. */
export function dataEndpoints(deps: ApiDeps): readonly Endpoint[] {
  return [
    barsEndpoint(deps),
    tiersEndpoint(deps),
    ...tradeEndpoints(deps),
    ...ledgerEndpoints(deps),
  ];
}
