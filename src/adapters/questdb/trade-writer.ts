import { Sender } from '@questdb/nodejs-client';
import pLimit from 'p-limit';
import type { AggTrade } from '../../domain/agg-trade.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { Series } from '../../domain/market.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { WRITE_DEADLINE_MS, writePatiently } from './patient-write.ts';

/**
 * Batches under way at a time. Writing rows is work of this process's one thread, so more would only
 * hold more buffers: a second one fills while the first is with the server.
 */
const WRITES_AT_ONCE = 2;

export interface TradeWriter {
  /** One batch, one request, one transaction. */
  write(series: Series, trades: readonly AggTrade[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/**
 * The official client, wrapped: its `flush()` never settles while the server refuses connections and
 * it drops the batch when a flush fails. So there is a deadline around it, the rows stay with the
 * caller until acknowledged, and a sender that failed is thrown away.
 * @param url http://user:password@host:port
 */
export function createTradeWriter(url: string, clock: Clock, log: Log): TradeWriter {
  const idle: Sender[] = [];
  const limit = pLimit(WRITES_AT_ONCE);

  async function writeOnce(
    series: Series,
    trades: readonly AggTrade[],
    signal: AbortSignal,
  ): Promise<void> {
    const sender =
      idle.pop() ?? (await Sender.fromConfig(senderConfig(url), { log: () => undefined }));
    try {
      for (const trade of trades) await addRow(sender, series, trade);
      await flushWithin(sender, WRITE_DEADLINE_MS, signal);
      idle.push(sender);
    } catch (error) {
      await discard(sender);
      throw error;
    }
  }

  return {
    write: (series, trades, signal) =>
      writePatiently(
        { clock, log },
        trades.length,
        signal,
        () => limit(() => writeOnce(series, trades, signal)),
        (error) => writeError(error, trades.length),
      ),
    async close() {
      for (const sender of idle.splice(0)) await discard(sender);
    },
  };
}

function senderConfig(url: string): string {
  const { hostname, port, protocol, username, password } = new URL(url);
  const scheme = protocol === 'https:' ? 'https' : 'http';
  const auth =
    username === ''
      ? ''
      : `username=${escape(decodeURIComponent(username))};password=${escape(decodeURIComponent(password))};`;
  const address = `${hostname}:${port === '' ? (scheme === 'https' ? '443' : '9000') : port}`;
  // Version 3 carries decimals and needs no request at construction; retry_timeout bounds the whole
  // call, first attempt included, so it must not be shorter than the deadline.
  return `${scheme}::addr=${address};${auth}protocol_version=3;auto_flush=off;init_buf_size=2097152;request_timeout=${WRITE_DEADLINE_MS};retry_timeout=${WRITE_DEADLINE_MS}`;
}

/** The client's configuration text separates keys by semicolons; a doubled one is a literal one. */
function escape(value: string): string {
  return value.replaceAll(';', ';;');
}

async function addRow(sender: Sender, series: Series, trade: AggTrade): Promise<void> {
  await sender
    .table('agg_trades')
    .symbol('market', series.market)
    .symbol('symbol', series.symbol)
    .intColumn('agg_id', trade.aggId)
    .decimalColumnText('price', trade.price)
    .decimalColumnText('qty', trade.qty)
    .intColumn('first_id', trade.firstId)
    .intColumn('last_id', trade.lastId)
    .booleanColumn('is_buyer_maker', trade.isBuyerMaker)
    .at(trade.timeUs, 'us');
}

async function flushWithin(sender: Sender, deadlineMs: number, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  limit.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => reject(limit.reason as Error);
    limit.addEventListener('abort', onAbort, { once: true });
    sender.flush().then(
      () => {
        limit.removeEventListener('abort', onAbort);
        resolve();
      },
      (error: unknown) => {
        limit.removeEventListener('abort', onAbort);
        reject(error);
      },
    );
  });
}

/** Closing frees the connection; rows still in the sender are with the caller too. */
async function discard(sender: Sender): Promise<void> {
  sender.reset();
  await sender.close();
}

/** The client throws plain errors and puts the server's status into their text; there is no field for it. */
function writeError(error: unknown, rows: number): CdvaultError {
  const message = error instanceof Error ? error.message : String(error);
  if (/suspended/i.test(message)) {
    return new CdvaultError('TABLE_SUSPENDED', `writing ${rows} trades: ${message}`, {
      cause: error,
    });
  }
  if (/statusCode=4\d\d/.test(message)) {
    return new CdvaultError('STORE_REFUSED', `QuestDB refused ${rows} trades: ${message}`, {
      cause: error,
    });
  }
  return new CdvaultError('STORE_UNREACHABLE', `writing ${rows} trades to QuestDB: ${message}`, {
    cause: error,
  });
}
