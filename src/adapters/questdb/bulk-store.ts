import pLimit from 'p-limit';
import type { TradeBlock } from '../../domain/trade/trade-block.ts';
import type { BulkLoad, BulkStore } from '../../ports/bulk-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { IlpConnection } from './ilp-connection.ts';
import { IlpRow } from './ilp-row.ts';
import type { FirstTrades, SeriesTables } from './series-tables.ts';

/** About 50,000 rows: the fewer commits, the less the store has to merge. */
const REQUEST_BYTES = 8 * 2 ** 20;

/** Room for keeping rows with the same time in one request; more of them than this are split. */
const SPARE_BYTES = 2 ** 18;

/** Requests in flight in one process: 200 k rows/s with one, 275 k with two, 295 k with three. */
const REQUESTS_AT_ONCE = 2;

/** Requests of one load that are in flight or wait for their turn, while one more is being filled. */
const LOAD_REQUESTS = 2;

/**
 * Writes bulk rows with several requests at a time, copied as bytes from their source file: a day of trades
 * then takes seconds. Small batches use the trade writer.
 * @param url http://user:password@host:port
 */
export function createBulkStore(
  url: string,
  {
    tables,
    clock,
    log,
  }: { readonly tables: SeriesTables; readonly clock: Clock; readonly log: Log },
): BulkStore & { close(): Promise<void> } {
  const connection = new IlpConnection(url, clock, log);
  const limit = pLimit(REQUESTS_AT_ONCE);
  const free: Buffer[] = [];
  const send: Send = async (request, signal) => {
    const { bytes, length, rows } = request;
    await limit(() => connection.write(bytes.subarray(0, length), rows, signal));
    free.push(bytes);
  };
  const take = () => free.pop() ?? Buffer.allocUnsafeSlow(REQUEST_BYTES + SPARE_BYTES);
  return {
    open: (series, signal) =>
      new Load({
        tableFor: (first) => tables.forWriting(series, first, signal),
        take,
        send,
        signal,
      }),
    close: () => connection.close(),
  };
}

interface Request {
  readonly bytes: Buffer;
  readonly length: number;
  readonly rows: number;
}

type Send = (request: Request, signal: AbortSignal) => Promise<void>;

interface LoadDeps {
  readonly tableFor: (first: FirstTrades) => Promise<string>;
  readonly take: () => Buffer;
  readonly send: Send;
  readonly signal: AbortSignal;
}

class Load implements BulkLoad {
  readonly #deps: LoadDeps;
  readonly #underWay = new Set<Promise<void>>();
  #line: IlpRow | undefined;
  #failure: { readonly error: unknown } | undefined;
  #bytes: Buffer | undefined;
  #length = 0;
  #rows = 0;
  #timeUs = -1;

  constructor(deps: LoadDeps) {
    this.#deps = deps;
  }

  async add(block: TradeBlock, from: number, to: number): Promise<void> {
    if (from >= to) return;
    this.#line ??= new IlpRow(await this.#deps.tableFor(timesOf(block, from, to)));
    const line = this.#line;
    for (let row = from; row < to; row += 1) {
      const timeUs = block.timesUs[row] ?? 0;
      // Rows with the same time in two requests would be stored in the order in which the requests arrive.
      const isFull =
        this.#length > REQUEST_BYTES + SPARE_BYTES - line.mostBytes ||
        (this.#length > REQUEST_BYTES && timeUs !== this.#timeUs);
      if (isFull) await this.#dispatch();
      this.#bytes ??= this.#deps.take();
      this.#length = line.copy(block, row, this.#bytes, this.#length);
      this.#rows += 1;
      this.#timeUs = timeUs;
    }
  }

  async finish(): Promise<void> {
    await this.#dispatch();
    await Promise.all(this.#underWay);
    this.#assertNoFailure();
  }

  async abandon(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Waits until fewer than LOAD_REQUESTS are in flight, then sends the collected rows. */
  async #dispatch(): Promise<void> {
    while (this.#underWay.size >= LOAD_REQUESTS) await Promise.race(this.#underWay);
    this.#assertNoFailure();
    this.#deps.signal.throwIfAborted();
    if (this.#bytes === undefined) return;
    const request = { bytes: this.#bytes, length: this.#length, rows: this.#rows };
    this.#bytes = undefined;
    this.#length = 0;
    this.#rows = 0;
    const sent = this.#deps
      .send(request, this.#deps.signal)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#underWay.delete(sent));
    this.#underWay.add(sent);
  }

  #assertNoFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

function timesOf(block: TradeBlock, from: number, to: number): FirstTrades {
  return { rows: to - from, firstUs: block.timesUs[from] ?? 0, lastUs: block.timesUs[to - 1] ?? 0 };
}
