import { Agent, request } from 'undici';
import type { AggTrade } from '../../domain/agg-trade.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { Series } from '../../domain/market.ts';
import type { StoredRun, TimeWindowUs, TradeKey, TradeStore } from '../../ports/trade-store.ts';
import { int, literal, ofSeries, optionalInt, type Sql, storeError } from './sql.ts';
import type { TradeWriter } from './trade-writer.ts';

/** In both id columns: a row of ours that must no longer count. The exchange's invalid rows have -1. */
const TOMBSTONE_ID = -2;
/** Rows that are not tombstones. */
export const LIVE_ROWS = `first_id <> ${TOMBSTONE_ID}`;
/** Rows that count in sums and bars: the same rule as domain/agg-trade.ts isInvalid. */
export const VALID_ROWS = 'first_id >= 0 AND qty > 0m AND price > 0m';

/** One trade stored once with ms and once with µs would stand twice within a millisecond; 1 s is ample. */
const DOUBLE_SEARCH_US = 1_000_000;

/** Between chunks of an export; a day of the busiest symbol streams at about a million rows a second. */
const EXPORT_IDLE_MS = 60_000;

export function createTradeStore(deps: {
  readonly sql: Sql;
  readonly writer: TradeWriter;
  readonly httpUrl: string;
}): TradeStore & { close(): Promise<void> } {
  const { sql, writer } = deps;
  const agent = new Agent({ headersTimeout: EXPORT_IDLE_MS, bodyTimeout: EXPORT_IDLE_MS });

  async function* read(series: Series, window: TimeWindowUs): AsyncGenerator<AggTrade> {
    await sql.waitApplied('agg_trades');
    const query =
      'SELECT agg_id, price, qty, first_id, last_id, ts::long AS time_us, is_buyer_maker FROM agg_trades ' +
      `WHERE ${within(series, window)} AND ${LIVE_ROWS} ORDER BY agg_id, ts`;
    let isHeader = true;
    for await (const line of exportLines(deps.httpUrl, agent, query)) {
      if (isHeader) isHeader = false;
      else yield parseLine(line);
    }
  }

  return {
    write: (series, trades, signal) => writer.write(series, trades, signal),
    read,
    async readBack(series, window) {
      await sql.waitApplied('agg_trades');
      const inside = `ts >= ${window.startUs}::timestamp AND ts < ${window.endUs}::timestamp`;
      const sumOf = (side: string) =>
        `sum(CASE WHEN ${inside} AND ${VALID_ROWS} AND ${side} THEN qty ELSE 0m END)`;
      const wider = {
        startUs: window.startUs - DOUBLE_SEARCH_US,
        endUs: window.endUs + DOUBLE_SEARCH_US,
      };
      const [row] = await sql.query(
        `SELECT sum(CASE WHEN ${inside} THEN 1 ELSE 0 END) AS rows, count() - count_distinct(agg_id) AS double_rows, ` +
          `min(CASE WHEN ${inside} THEN agg_id END) AS first_id, max(CASE WHEN ${inside} THEN agg_id END) AS last_id, ` +
          `${sumOf('NOT is_buyer_maker')} AS buy, ${sumOf('is_buyer_maker')} AS sell ` +
          `FROM agg_trades WHERE ${within(series, wider)} AND ${LIVE_ROWS}`,
      );
      if (row === undefined) throw new CdvaultError('INTERNAL', 'an aggregate gave no row');
      return {
        rows: optionalInt(row, 'rows') ?? 0,
        doubleRows: int(row, 'double_rows'),
        firstId: optionalInt(row, 'first_id'),
        lastId: optionalInt(row, 'last_id'),
        buyQty: row['buy'] ?? '0.00000000',
        sellQty: row['sell'] ?? '0.00000000',
      } satisfies StoredRun;
    },
    bury: (series, keys, signal) => writer.write(series, keys.map(tombstone), signal),
    async close() {
      await writer.close();
      await agent.close();
    },
  };
}

function within(series: Series, { startUs, endUs }: TimeWindowUs): string {
  return `${ofSeries(series)} AND ts >= ${startUs}::timestamp AND ts < ${endUs}::timestamp`;
}

function tombstone({ aggId, timeUs }: TradeKey): AggTrade {
  return {
    aggId,
    timeUs,
    price: '0',
    qty: '0',
    firstId: TOMBSTONE_ID,
    lastId: TOMBSTONE_ID,
    isBuyerMaker: false,
  };
}

/** `/exp` streams CSV; a failure in its middle ends the stream with an error, never with fewer lines. */
async function* exportLines(httpUrl: string, agent: Agent, query: string): AsyncGenerator<string> {
  const url = new URL('/exp', httpUrl);
  url.search = new URLSearchParams({ query }).toString();
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const credentials = Buffer.from(
    `${decodeURIComponent(username)}:${decodeURIComponent(password)}`,
  ).toString('base64');
  const headers = username === '' ? {} : { authorization: `Basic ${credentials}` };
  const response = await request(url, { dispatcher: agent, headers }).catch((error: unknown) => {
    throw storeError(error, query);
  });
  const { body, statusCode } = response;
  // A reader that has seen enough abandons the rest, which the stream calls an error.
  body.on('error', () => undefined);
  try {
    if (statusCode !== 200) {
      throw new CdvaultError(
        'STORE_REFUSED',
        `QuestDB answered an export with ${statusCode}: ${await body.text()}`,
      );
    }
    let rest = '';
    for await (const chunk of body.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\r\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
    if (rest !== '') yield rest;
  } catch (error) {
    throw storeError(error, query);
  }
}

/** `2808045203,"42649.69000000","0.00172000",3345133675,3345133675,1704103200001000,false` */
function parseLine(line: string): AggTrade {
  const fields = line.replaceAll('"', '').split(',');
  const [aggId, price, qty, firstId, lastId, timeUs, isBuyerMaker] = fields;
  if (fields.length !== 7 || price === undefined || qty === undefined) {
    throw new CdvaultError(
      'STORE_REFUSED',
      `an exported line is not a trade: ${literal(line.slice(0, 200))}`,
    );
  }
  return {
    aggId: Number(aggId),
    price,
    qty,
    firstId: Number(firstId),
    lastId: Number(lastId),
    timeUs: Number(timeUs),
    isBuyerMaker: isBuyerMaker === 'true',
  };
}
