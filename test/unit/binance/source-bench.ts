import type { ServerResponse } from 'node:http';
import { afterEach } from 'vitest';
import { createRestSource } from '../../../src/adapters/binance/rest-source.ts';
import type {
  RequestInfo,
  RestSource,
  Timeouts,
} from '../../../src/adapters/binance/rest-source.ts';
import { CdvaultError } from '../../../src/domain/errors.ts';
import {
  RecordingGovernor,
  sameHost,
  silentLog,
  SleeplessClock,
  startTinyServer,
} from './fakes.ts';
import type { TinyServer } from './fakes.ts';

export const NEVER = new AbortController().signal;

export type Respond = (response: ServerResponse, index: number) => void;

export interface Bench {
  readonly server: TinyServer;
  readonly source: RestSource;
  readonly governor: RecordingGovernor;
  readonly clock: SleeplessClock;
  readonly sent: RequestInfo[];
}

const benches: Bench[] = [];

afterEach(async () => {
  for (const { server, source } of benches.splice(0)) {
    await source.close();
    await server.close();
  }
});

interface BenchOptions {
  readonly timeouts?: Partial<Timeouts>;
  readonly retries?: number;
}

export async function bench(
  respond: Respond,
  { timeouts = {}, retries = 2 }: BenchOptions = {},
): Promise<Bench> {
  const server = await startTinyServer((_, response, index) => respond(response, index));
  const governor = new RecordingGovernor();
  const clock = new SleeplessClock();
  const sent: RequestInfo[] = [];
  const source = createRestSource({
    baseUrls: sameHost(server.url),
    governor,
    clock,
    log: silentLog,
    timeouts,
    retry: { retries },
    onRequest: (info) => sent.push(info),
  });
  const made = { server, source, governor, clock, sent };
  benches.push(made);
  return made;
}

export function json(
  response: ServerResponse,
  body: string,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'x-mbx-used-weight-1m': '77',
      ...headers,
    })
    .end(body);
}

export async function errorOf(promise: Promise<unknown>): Promise<CdvaultError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CdvaultError) return error;
  throw new Error(`expected a CdvaultError, got ${String(error)}`);
}
