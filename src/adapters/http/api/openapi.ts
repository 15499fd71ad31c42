import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { MAX_SERIES } from './events.ts';

const FAILURE = z.strictObject({
  error: z.strictObject({
    code: z.string().describe('One of docs/errors.md.'),
    message: z.string(),
    advice: z.string(),
    retryable: z.boolean(),
  }),
});

const FAILURES = {
  '400': 'A parameter is unknown, missing, repeated or not possible.',
  '401': 'The password is missing or wrong.',
  '404': 'No data of the symbol are stored.',
  '410': 'The trades of the range were pruned.',
  '503': 'QuestDB does not answer, or too many queries run: see Retry-After.',
  '504': 'A query took too long and was stopped.',
};

/** The OpenAPI document of the endpoints. */
export function openApi(endpoints: readonly Omit<Endpoint, 'ask'>[], version: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'cdvault',
      version,
      description: 'Exact bars of cumulative delta volume, and what they are made of.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ password: [] }],
    paths: {
      ...(Object.fromEntries(
        endpoints.map((one) => [one.path, { get: operationOf(one) }]),
      ) as object),
      '/events': { get: EVENTS },
    },
    components: {
      schemas: { Failure: schemaOf(FAILURE) },
      securitySchemes: { password: { type: 'http', scheme: 'basic' } },
    },
  };
}

function failuresOf(statuses: readonly (keyof typeof FAILURES)[]): object {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Failure' } } };
  return Object.fromEntries(
    statuses.map((status) => {
      const description = FAILURES[status];
      return [status, status === '401' ? { description } : { description, content }];
    }),
  );
}

/** OpenAPI 3.1 has no form for what a stream consists of, other than text. */
const EVENTS = {
  operationId: 'events',
  summary: 'A stream of new bars and of what runs',
  description:
    'Events `bars` (JSON `{"market", "symbol", "from", "to"}`, whole days in epoch ms whose bars were built) ' +
    'and `status` (the answer of `/status`, when it changes).',
  parameters: [
    {
      name: 'series',
      in: 'query',
      required: false,
      description:
        'Series whose bars are wanted, as `spot:BTCUSDT`; may be repeated, up to 50 times.',
      style: 'form',
      explode: true,
      schema: { type: 'array', maxItems: MAX_SERIES, items: { type: 'string' } },
    },
  ],
  responses: {
    '200': {
      description: 'Server-sent events, until the client goes.',
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    },
    ...failuresOf(['400', '401', '503']),
  },
};

function operationOf({ path, summary, parameters, answer }: Omit<Endpoint, 'ask'>): object {
  return {
    operationId: path.slice(1),
    summary,
    parameters: parametersOf(parameters),
    responses: {
      '200': {
        description: summary,
        content: { 'application/json': { schema: schemaOf(answer) } },
      },
      '304': { description: 'The tag of If-None-Match still holds.' },
      ...failuresOf(['400', '401', '404', '410', '503', '504']),
    },
  };
}

export interface Parameter {
  readonly name: string;
  readonly required: boolean;
  readonly description: string;
  readonly schema: { readonly default?: unknown };
}

export function parametersOf(parameters: z.ZodObject): Parameter[] {
  return Object.entries(parameters.shape).map(([name, rule]) => {
    const { description = '', ...schema } = schemaOf(rule as z.ZodType);
    const required = !(rule as z.ZodType).safeParse(undefined).success;
    return { name, in: 'query', required, description, schema };
  });
}

function schemaOf(type: z.ZodType): Record<string, unknown> & { description?: string } {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io: 'input' });
  return schema;
}
