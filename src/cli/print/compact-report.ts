import type { CompactStep, Reason } from '../../app/compact/convert-partitions.ts';
import { counted, formatBytes, formatInteger } from './format.ts';

/** What is counted: rows of trades, or of bars. */
export type Noun = 'trade' | 'bar';

type Sums = { partitions: number; rows: number; bytesBefore: number; bytesAfter: number };

const NOTHING: Sums = { partitions: 0, rows: 0, bytesBefore: 0, bytesAfter: 0 };

type Changed = Extract<CompactStep, { state: 'converted' | 'due' }>;

/** Whether a partition was converted, or would be. */
export function isChanged(step: CompactStep): step is Changed {
  return step.state === 'converted' || step.state === 'due';
}

/** Sums and skipped partitions of a command. */
export class CompactTotals {
  readonly #noun: Noun;
  readonly #isDryRun: boolean;
  #sums = NOTHING;
  #done = 0;
  readonly #skipped = new Map<Reason, number>();

  constructor(noun: Noun, isDryRun: boolean) {
    this.#noun = noun;
    this.#isDryRun = isDryRun;
  }

  add(step: CompactStep): void {
    if (isChanged(step)) this.#sums = plus(this.#sums, step);
    else if (step.state === 'done') this.#done += 1;
    else this.#skipped.set(step.why, (this.#skipped.get(step.why) ?? 0) + 1);
  }

  facts() {
    const { partitions, rows, bytesBefore, bytesAfter } = this.#sums;
    return {
      converted: this.#isDryRun ? 0 : partitions,
      due: this.#isDryRun ? partitions : 0,
      done: this.#done,
      skipped: Object.fromEntries(this.#skipped),
      rows,
      bytesBefore,
      ...(this.#isDryRun ? { bytesAbout: bytesAfter } : { bytesAfter }),
    };
  }

  lines(): string[] {
    const { partitions } = this.#sums;
    const sums = sumsText(this.#sums, this.#noun, this.#isDryRun);
    const changed = partitions === 0 ? 'nothing' : `${counted(partitions, 'partition')}, ${sums}`;
    return [
      this.#isDryRun ? `would convert  ${changed}` : `converted  ${changed}`,
      `unchanged  ${counted(this.#done, 'partition')} in that format already`,
      ...[...this.#skipped].map(
        ([why, count]) => `skipped    ${formatInteger(count)}: ${WHY[why]}`,
      ),
    ];
  }
}

/** A line for a partition of a series' trades. */
export function partitionLine(symbol: string, step: Changed): string {
  const sums = sumsText(plus(NOTHING, step), 'trade', step.state === 'due');
  return `${symbol} ${step.partition.name}: ${sums}`;
}

/** A line for the partitions of a month of a table of bars: years of days in a dozen tables are thousands. */
export class MonthLines {
  #key = '';
  #sums = NOTHING;
  #isDryRun = false;

  /** @returns the line of the month before, when this step begins another one */
  add(table: string, step: Changed): string[] {
    const key = `${table} ${new Date(step.partition.startMs).toISOString().slice(0, 7)}`;
    const lines = key === this.#key ? [] : this.end();
    this.#key = key;
    this.#sums = plus(this.#sums, step);
    this.#isDryRun = step.state === 'due';
    return lines;
  }

  end(): string[] {
    const { partitions } = this.#sums;
    const sums = sumsText(this.#sums, 'bar', this.#isDryRun);
    this.#sums = NOTHING;
    return partitions === 0 ? [] : [`${this.#key}: ${counted(partitions, 'partition')}, ${sums}`];
  }
}

function plus(sums: Sums, step: Changed): Sums {
  const { rows, bytes } = step.partition;
  const bytesAfter = step.state === 'due' ? step.bytesAbout : step.bytesAfter;
  return {
    partitions: sums.partitions + 1,
    rows: sums.rows + rows,
    bytesBefore: sums.bytesBefore + bytes,
    bytesAfter: sums.bytesAfter + bytesAfter,
  };
}

function sumsText({ rows, bytesBefore, bytesAfter }: Sums, noun: Noun, isDryRun: boolean): string {
  const before = `${counted(rows, noun)}, ${formatBytes(bytesBefore)}`;
  if (isDryRun) return `${before}, would be about ${formatBytes(bytesAfter)}`;
  return `${before} -> ${formatBytes(bytesAfter)}, ${(bytesAfter / rows).toFixed(1)} bytes a ${noun}`;
}

const WHY: Readonly<Record<Reason, string>> = {
  newest: 'the newest partition of its table, until later trades begin the next',
  recent: 'fetched or built more recently than --older-than',
  unproven: 'with hours that are open, awaited or not in the ledger; run cdvault backfill',
  bars_due: 'bars are not up to date; run cdvault backfill',
  differs: 'trades differ from the ledger; run cdvault verify',
};
