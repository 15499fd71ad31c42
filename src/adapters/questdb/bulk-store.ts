import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { TradeBlock } from '../../domain/trade/trade-block.ts';
import type { BulkLoad, BulkStore } from '../../ports/bulk-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { IlpConnection } from './ilp-connection.ts';
import { IlpRow } from './ilp-row.ts';
import type { FirstTrades, SeriesTables } from './series-tables.ts';

/** Lines are handed over in pieces of this size, about 1,500 rows. */
const PIECE_BYTES = 2 ** 18;

/** Pieces that wait for the server; while there are as many, reading the file pauses. */
const WAITING_BYTES = 4 * PIECE_BYTES;

/**
 * Writes the rows of a load in one request, copied as bytes from their source file. A request is one commit,
 * and commits are what the store works for: a busy day in one request takes half of its CPU time and of its
 * writes in comparison with requests of 50,000 rows (measured with QuestDB 9.3.4).
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
  return {
    open: (series, signal) =>
      new Load({
        tableName: () => tables.nameOf(series),
        makeTable: async (first) => void (await tables.forWriting(series, first, signal)),
        connection,
        signal,
      }),
    close: () => connection.close(),
  };
}

/** What was there when rows began to be held back. */
interface Held {
  /** Full pieces, the first of which may begin with rows from before. */
  readonly pieces: Buffer[];
  readonly length: number;
  readonly rows: number;
  readonly firstUs: number | undefined;
  readonly lastUs: number;
}

interface LoadDeps {
  readonly tableName: () => Promise<string>;
  /** Called with the first piece: it is long enough to tell how busy the series is. */
  readonly makeTable: (first: FirstTrades) => Promise<void>;
  readonly connection: IlpConnection;
  readonly signal: AbortSignal;
}

class Load implements BulkLoad {
  readonly #deps: LoadDeps;
  readonly #abandoned = new AbortController();
  readonly #pieces = new PassThrough({ highWaterMark: WAITING_BYTES });
  #line: IlpRow | undefined;
  /** Settles with the request, and never rejects: see #failure. */
  #request: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #piece: Buffer | undefined;
  #length = 0;
  #rows = 0;
  #firstUs: number | undefined;
  #lastUs = 0;
  #held: Held | undefined;

  constructor(deps: LoadDeps) {
    this.#deps = deps;
    this.#pieces.on('error', () => undefined);
  }

  async add(block: TradeBlock, from: number, to: number): Promise<void> {
    if (from >= to) return;
    this.#line ??= new IlpRow(await this.#deps.tableName());
    this.#firstUs ??= block.timesUs[from] ?? 0;
    const line = this.#line;
    for (let row = from; row < to; row += 1) {
      this.#piece ??= Buffer.allocUnsafeSlow(PIECE_BYTES);
      this.#length = line.copy(block, row, this.#piece, this.#length);
      this.#rows += 1;
      this.#lastUs = block.timesUs[row] ?? 0;
      if (this.#length > PIECE_BYTES - line.mostBytes) await this.#endPiece();
    }
  }

  hold(): void {
    const [length, rows, firstUs, lastUs] = [this.#length, this.#rows, this.#firstUs, this.#lastUs];
    this.#held = { pieces: [], length, rows, firstUs, lastUs };
  }

  async keep(): Promise<void> {
    const pieces = this.#held?.pieces ?? [];
    this.#held = undefined;
    for (const piece of pieces) await this.#handOver(piece);
  }

  drop(): void {
    if (this.#held === undefined) return;
    const { pieces, length, rows, firstUs, lastUs } = this.#held;
    // A full piece is a view of a buffer of PIECE_BYTES, which has room for more.
    if (pieces[0] !== undefined) this.#piece = Buffer.from(pieces[0].buffer);
    [this.#length, this.#rows, this.#firstUs, this.#lastUs] = [length, rows, firstUs, lastUs];
    this.#held = undefined;
  }

  async finish(): Promise<void> {
    await this.#endPiece();
    this.#pieces.end();
    await this.#request;
    this.#assertNoFailure();
  }

  async abandon(): Promise<void> {
    this.#abandoned.abort(new Error('the load was abandoned'));
    this.#pieces.destroy();
    await this.#request;
  }

  async #endPiece(): Promise<void> {
    const piece = this.#piece?.subarray(0, this.#length);
    this.#piece = undefined;
    this.#length = 0;
    if (piece === undefined || piece.length === 0) return;
    if (this.#held === undefined) await this.#handOver(piece);
    else this.#held.pieces.push(piece);
  }

  /** Adds a piece to the request; waits while too many are waiting there. */
  async #handOver(piece: Buffer): Promise<void> {
    this.#assertNoFailure();
    this.#deps.signal.throwIfAborted();
    if (this.#request === undefined) {
      const [rows, firstUs, lastUs] = [this.#rows, this.#firstUs ?? 0, this.#lastUs];
      await this.#deps.makeTable({ rows, firstUs, lastUs });
      this.#request = this.#send();
    }
    const hasRoom = this.#pieces.write(piece);
    if (!hasRoom) await Promise.race([this.#drained(), this.#request]);
    this.#assertNoFailure();
  }

  /** A request that ends early ends the pieces with an error; #failure has the reason. */
  async #drained(): Promise<void> {
    await once(this.#pieces, 'drain').catch(() => this.#request);
  }

  async #send(): Promise<void> {
    const { connection, signal } = this.#deps;
    const ended = AbortSignal.any([signal, this.#abandoned.signal]);
    try {
      await connection.stream(this.#pieces, () => this.#rows, ended);
    } catch (error) {
      this.#failure = { error };
    }
  }

  #assertNoFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
