import pg from 'pg';

/** The texts of a row, in the order of the statement's columns. */
export type TakeRow = (row: readonly (string | null)[]) => void;

/** The same taker, whose first error is kept, to be thrown when the answer has been read; it takes no row after it. */
export function catching(take: TakeRow): {
  readonly take: TakeRow;
  readonly rethrow: () => void;
} {
  let failure: { readonly error: unknown } | undefined;
  return {
    take(row) {
      if (failure !== undefined) return;
      try {
        take(row);
      } catch (error) {
        failure = { error };
      }
    },
    rethrow() {
      if (failure !== undefined) throw failure.error;
    },
  };
}

/**
 * Runs a statement and gives each row away when it arrives. pg itself keeps all rows until the last one where a
 * query has a time limit, and makes an object of each.
 * @param take must not throw: pg reads the answer to its end in any case, and nobody would catch it
 */
export async function giveRows(
  client: pg.ClientBase,
  { text, values }: { readonly text: string; readonly values: readonly unknown[] },
  take: TakeRow,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null | undefined) => (error ? reject(error) : resolve());
    client.query(new RowQuery({ text, values: [...values] }, take, done));
  });
}

class RowQuery extends pg.Query {
  readonly #take: TakeRow;

  constructor(
    config: pg.QueryConfig,
    take: TakeRow,
    done: (error: Error | null | undefined) => void,
  ) {
    super(config, done);
    this.#take = take;
  }

  /** Called by pg's client for each row of the wire. */
  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    this.#take(fields);
  }
}
