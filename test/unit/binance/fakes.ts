import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Market } from '../../../src/domain/market.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { Log } from '../../../src/ports/log.ts';
import type {
  GovernorState,
  PauseReason,
  WeightGovernor,
} from '../../../src/ports/weight-governor.ts';

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Grants every request at once and records all calls. */
export class RecordingGovernor implements WeightGovernor {
  readonly acquired: number[] = [];
  readonly observed: { readonly usedWeight: number; readonly atMs: number }[] = [];
  readonly pauses: { readonly reason: PauseReason; readonly untilMs: number }[] = [];

  async acquire(_market: Market, weight: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.acquired.push(weight);
  }

  async observe(_market: Market, usedWeight: number, atMs: number): Promise<void> {
    this.observed.push({ usedWeight, atMs });
  }

  async pause(_market: Market, reason: PauseReason, untilMs: number): Promise<void> {
    this.pauses.push({ reason, untilMs });
  }

  async state(): Promise<GovernorState> {
    return { usedWeight: 0, weightLimit: 6000, windowMs: 60_000, pause: undefined };
  }
}

/** Real time, but sleeps return at once and are recorded. */
export class SleeplessClock implements Clock {
  readonly sleptMs: number[] = [];

  nowMs(): number {
    return Date.now();
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.sleptMs.push(ms);
  }
}

type Handler = (request: IncomingMessage, response: ServerResponse, index: number) => void;

export interface TinyServer {
  readonly url: string;
  readonly requests: { readonly url: string; readonly headers: IncomingMessage['headers'] }[];
  close(): Promise<void>;
}

/** @param handler gets the number of the request, from 0 */
export async function startTinyServer(handler: Handler): Promise<TinyServer> {
  const requests: TinyServer['requests'] = [];
  const server = createServer((request, response) => {
    requests.push({ url: request.url ?? '', headers: request.headers });
    handler(request, response, requests.length - 1);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Rows as the exchange writes them, with consecutive ids from `firstId`. */
export function pageJson(firstId: number, rows: number, timeOf: (index: number) => number): string {
  const texts = Array.from(
    { length: rows },
    (_, index) =>
      `{"a":${firstId + index},"p":"42283.58000000","q":"0.00171000","f":${9 * firstId + index},"l":${9 * firstId + index},"T":${timeOf(index)},"m":${index % 2 === 0},"M":true}`,
  );
  return `[${texts.join(',')}]`;
}

/** Consecutive one-minute klines as the exchange writes them. */
export function klinesJson(startMs: number, rows: number): string {
  const texts = Array.from({ length: rows }, (_, index) => {
    const openMs = startMs + index * 60_000;
    return `[${openMs},"42283.58000000","42290.00000000","42280.10000000","42285.00000000","12.50000000",${openMs + 59_999},"528562.12345678",97,"7.25000000","306562.00000001","0"]`;
  });
  return `[${texts.join(',')}]`;
}

/** One server for all markets; their paths differ. */
export function sameHost(url: string): Record<Market, string> {
  return { binance_spot: url, binance_um: url, binance_cm: url };
}
