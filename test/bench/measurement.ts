import type { Uses } from './process-meter.ts';

/** One run of one line. */
export interface Sample {
  readonly value: number;
  readonly uses?: Uses;
  /** Trades or rows that were processed in this time. */
  readonly rows?: number;
}

/** Lines that ratios are made of. */
export type LineId = 'day' | 'warm day' | 'each day' | 'pandas' | 'pandas code' | 'client';

/** One line of the table: the same thing measured in every run. */
export interface Line {
  readonly id?: LineId;
  readonly what: string;
  readonly unit: 's' | 'ms' | 'bytes' | '%' | 'times';
  readonly samples: readonly Sample[];
  readonly note?: string;
}

export interface BenchOptions {
  readonly runs: number;
  readonly say: (line: string) => void;
}

export interface Measurement {
  /** The name that `--only` accepts. */
  readonly name: string;
  /** What its lines mean, in sentences for the report. */
  readonly about: string;
  run(options: BenchOptions): Promise<readonly Line[]>;
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Runs one after the other: runs in parallel would share the cores. */
export async function repeat<T>(times: number, run: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let index = 0; index < times; index += 1) results.push(await run(index));
  return results;
}
