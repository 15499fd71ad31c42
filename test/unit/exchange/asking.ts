import { afterEach } from 'vitest';
import { startExchange, type Exchange, type ExchangeOptions } from '../../exchange/exchange.ts';
import { tradesFromArray, type TradeLike, type TradeSeries } from '../../exchange/trade-series.ts';

const running: Exchange[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((exchange) => exchange.close()));
});

/** Starts an exchange that is closed after the test. */
export async function runExchange(options: ExchangeOptions): Promise<Exchange> {
  const exchange = await startExchange(options);
  running.push(exchange);
  return exchange;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export async function ask(
  exchange: Exchange,
  pathAndQuery: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${exchange.url}/api/v3/${pathAndQuery}`, { headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

export interface WireTrade {
  readonly a: number;
  readonly p: string;
  readonly q: string;
  readonly f: number;
  readonly l: number;
  readonly T: number;
  readonly m: boolean;
  readonly M: boolean;
}

export async function askTrades(
  exchange: Exchange,
  query: string,
  headers: Record<string, string> = {},
): Promise<WireTrade[]> {
  const answer = await ask(exchange, `aggTrades?symbol=BTCUSDT&${query}`, headers);
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as WireTrade[];
}

export const START_MS = Date.UTC(2024, 0, 1);

/** `count` trades with ids from 101, one every 10 ms and 500 µs into its millisecond. */
export function plainTrades(count: number): TradeSeries {
  const list: TradeLike[] = [];
  for (let index = 0; index < count; index++) {
    list.push({
      a: 101 + index,
      p: '42000.5',
      q: '0.001',
      timeUs: (START_MS + index * 10) * 1000 + 500,
      m: index % 2 === 0,
    });
  }
  return tradesFromArray(list);
}
