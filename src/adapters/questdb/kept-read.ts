import { type Sql, text } from './sql.ts';

/**
 * Keeps the last answer that was read from a whole table, until the table changes or something else is asked.
 * @param table of whose rows the answer is made
 */
export class KeptRead<T> {
  readonly #sql: Sql;
  readonly #table: string;
  #last: { readonly key: string; readonly answer: T } | undefined;

  constructor(sql: Sql, table: string) {
    this.#sql = sql;
    this.#table = table;
  }

  /** @param question names what `read` reads, as its answer depends on it */
  async of(question: string, read: () => Promise<T>): Promise<T> {
    await this.#sql.waitApplied(this.#table);
    // Before the rows are read: rows of a later transaction may be among them, and are then read again.
    const key = `${await this.#transaction()} ${question}`;
    if (this.#last?.key !== key) this.#last = { key, answer: await read() };
    return this.#last.answer;
  }

  /** The number of the last transaction that queries of the table see. */
  async #transaction(): Promise<string> {
    const statement = 'SELECT "writerTxn" AS number FROM wal_tables() WHERE name = $1';
    const [row] = await this.#sql.query(statement, [this.#table]);
    return text(row ?? {}, 'number');
  }
}
