import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createBulkStore } from '../../../src/adapters/questdb/bulk-store.ts';
import { createTradeWriter } from '../../../src/adapters/questdb/trade-writer.ts';
import { systemClock } from '../../../src/adapters/system/clock.ts';
import type { AggTrade } from '../../../src/domain/trade/agg-trade.ts';
import type { Series } from '../../../src/domain/market.ts';
import { NEVER, ONE_TABLE, silentLog } from '../../support/store.ts';
import { blockOf, invalidTradeOf, tradeOf } from '../../support/trades.ts';

const HOUR = Date.UTC(2024, 0, 1);
const SERIES: Series = { market: 'binance_spot', symbol: 'SUSPENDEDUSDT' };
const TRADES = [
  tradeOf(7, HOUR, { price: '0.10', qty: '42.00000000', isBuyerMaker: true }),
  tradeOf(8, HOUR + 1),
  invalidTradeOf(9, HOUR + 2),
];

let server: Server;
let url: string;
let arrived: string[] = [];
/** The next replies; after them, 204. */
let answers: { readonly status: number; readonly body: string }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    void text(request).then((body) => {
      arrived.push(body);
      const { status, body: answer } = answers.shift() ?? { status: 204, body: '' };
      response.writeHead(status).end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

beforeEach(() => {
  arrived = [];
  answers = [];
});

afterAll(() => server.close());

type Write = (series: Series, trades: readonly AggTrade[]) => Promise<void>;

async function byWriter(series: Series, trades: readonly AggTrade[]): Promise<void> {
  const writer = createTradeWriter(url, { tables: ONE_TABLE, clock: systemClock, log: silentLog });
  try {
    await writer.write(series, trades, NEVER);
  } finally {
    await writer.close();
  }
}

async function inBulk(series: Series, trades: readonly AggTrade[]): Promise<void> {
  const bulk = createBulkStore(url, { tables: ONE_TABLE, clock: systemClock, log: silentLog });
  const load = bulk.open(series, NEVER);
  try {
    await load.add(blockOf(trades), 0, trades.length);
    await load.finish();
  } finally {
    await load.abandon();
    await bulk.close();
  }
}

describe.each([
  ['trade writer', byWriter],
  ['bulk store', inBulk],
] as const)('%s', (_, write: Write) => {
  test('a refusal is recognized by its status, whatever its text says', async () => {
    answers = [{ status: 400, body: 'statusCode=500: SUSPENDEDUSDT is suspended' }];
    await expect(write(SERIES, TRADES)).rejects.toMatchObject({ code: 'STORE_REFUSED' });
    expect(arrived).toHaveLength(1);
  });
});

test('a batch that the server failed on is sent again, whatever the answer says; a load is not', async () => {
  const failed = { status: 500, body: 'statusCode=400: SUSPENDEDUSDT is suspended' };
  answers = [failed];
  await byWriter(SERIES, TRADES);
  expect(arrived).toHaveLength(2);
  expect(arrived[1]).toBe(arrived[0]);
  answers = [failed];
  await expect(inBulk(SERIES, TRADES)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
  expect(arrived).toHaveLength(3);
});

test('both write the same lines', async () => {
  await byWriter(SERIES, TRADES);
  await inBulk(SERIES, TRADES);
  expect(arrived[1]).toBe(arrived[0]);
  expect(arrived[0]?.split('\n')[0]).toBe(
    'agg_trades_spot_x_1 agg_id=7i,price=0.10d,qty=42.00000000d,' +
      `first_id=14i,last_id=15i,is_buyer_maker=t ${HOUR * 1000}t`,
  );
});
