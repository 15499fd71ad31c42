import type { Use, Uses } from './process-meter.ts';

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

/** How much `many`, `one-more` and `hour` work on. */
export interface Size {
  readonly busy: number;
  readonly thin: number;
  readonly days: number;
}

export interface BenchOptions {
  readonly runs: number;
  readonly size: Size;
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

/** One of `parts` equal parts of what a sample measured. Peaks are not divided. */
export function shareOf({ value, rows, uses = {} }: Sample, parts: number): Sample {
  return {
    value: value / parts,
    ...(rows === undefined ? {} : { rows: rows / parts }),
    uses: mapUses(uses, (use) => ({
      ...use,
      cpuS: use.cpuS / parts,
      writtenBytes: use.writtenBytes / parts,
    })),
  };
}

/** Several samples, taken one after the other, as one. */
export function sumOf(samples: readonly Sample[]): Sample {
  const uses: Record<string, Use> = {};
  for (const sample of samples)
    for (const [name, use] of Object.entries(sample.uses ?? {})) {
      const sum = uses[name] ?? { cpuS: 0, peakBytes: 0, writtenBytes: 0 };
      uses[name] = {
        cpuS: sum.cpuS + use.cpuS,
        peakBytes: Math.max(sum.peakBytes, use.peakBytes),
        writtenBytes: sum.writtenBytes + use.writtenBytes,
      };
    }
  return { value: samples.reduce((sum, { value }) => sum + value, 0), uses };
}

/** CPU seconds of all processes except the simulated exchange. */
export function cpuOf({ uses = {} }: Sample): number {
  return Object.entries(uses).reduce(
    (sum, [name, { cpuS }]) => (name === 'simulator' ? sum : sum + cpuS),
    0,
  );
}

function mapUses(uses: Uses, change: (use: Use) => Use): Uses {
  return Object.fromEntries(Object.entries(uses).map(([name, use]) => [name, change(use)]));
}
