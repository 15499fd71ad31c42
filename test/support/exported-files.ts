import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { formatDecimal, parseDecimal, QTY_SCALE } from '../../src/domain/trade/decimal.ts';
import { runPython } from './python-environment.ts';

/** What tests look at in the manifest of an export. */
export interface Manifest {
  readonly files: readonly {
    readonly day: string;
    readonly path: string;
    readonly rows: number;
    readonly bytes: number;
    readonly sha256: string;
    readonly firstId: number;
    readonly lastId: number;
    readonly buyVolume: string;
    readonly sellVolume: string;
  }[];
  readonly hours: readonly { readonly hour: string; readonly contentHash: string }[];
  readonly fingerprint: { readonly root: string };
  readonly createdAt: string;
}

export const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');

/** SHA-256 of every file in a folder, by its path. */
export async function contentOf(place: string): Promise<Record<string, string>> {
  const names = await readdir(place, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    names
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [path.relative(place, file), sha256(readFileSync(file))]),
  );
}

/** Σ quantity of valid trades of one taker side, decimal text. */
export function volume(of: readonly AggTrade[], isBuyerMaker: boolean): string {
  const valid = of.filter((row) => row.firstId >= 0 && row.isBuyerMaker === isBuyerMaker);
  const e8 = valid.reduce((sum, { qty }) => sum + parseDecimal(qty, QTY_SCALE), 0n);
  return formatDecimal(e8, QTY_SCALE);
}

/** The rows of a DuckDB query, with commas between the values. */
export async function duckdbLines(query: string): Promise<string[]> {
  const program = `
import duckdb
from decimal import Decimal
duckdb.sql("set timezone = 'America/New_York'")
for row in duckdb.sql("""${query}""").fetchall():
    print(*[f"{value:f}" if isinstance(value, Decimal) else value for value in row], sep=",")`;
  return (await runPython(program)).split('\n');
}
