import type { Kept, PruneStep } from '../../app/keep/prune-trades.ts';
import { type Series, seriesKey } from '../../domain/market.ts';
import { counted, formatBytes, formatInteger } from './format.ts';

/** What a prune drops or has dropped, and what it keeps. */
export class PruneTotals {
  readonly #isDryRun: boolean;
  readonly #series = new Set<string>();
  #partitions = 0;
  #days = 0;
  #rows = 0;
  #bytes = 0;
  readonly #kept = new Map<Kept, number>();

  constructor(isDryRun: boolean) {
    this.#isDryRun = isDryRun;
  }

  get isEmpty(): boolean {
    return this.#partitions === 0;
  }

  add(series: Series, step: PruneStep): void {
    if (step.state === 'kept') {
      this.#kept.set(step.why, (this.#kept.get(step.why) ?? 0) + 1);
      return;
    }
    this.#series.add(seriesKey(series));
    this.#partitions += 1;
    this.#days += step.days.length;
    this.#rows += step.partition.rows;
    this.#bytes += step.partition.bytes;
  }

  facts() {
    const sums = { days: this.#days, rows: this.#rows, bytes: this.#bytes };
    return {
      pruned: this.#isDryRun ? 0 : this.#partitions,
      due: this.#isDryRun ? this.#partitions : 0,
      ...sums,
      kept: Object.fromEntries(this.#kept),
    };
  }

  lines(): string[] {
    const what =
      `${counted(this.#days, 'day')} of ${formatInteger(this.#series.size)} series, ` +
      `${counted(this.#rows, 'trade')}, ${formatBytes(this.#bytes)}`;
    return [
      `${this.#isDryRun ? 'would drop' : 'dropped   '}  ${this.isEmpty ? 'nothing' : what}`,
      ...[...this.#kept].map(([why, count]) => `kept        ${formatInteger(count)}: ${WHY[why]}`),
    ];
  }
}

export function stepLine(
  { symbol }: Series,
  { partition: { name, rows, bytes } }: Pick<PruneStep, 'partition'>,
): string {
  return `${symbol} ${name}: ${counted(rows, 'trade')}, ${formatBytes(bytes)}`;
}

const WHY: Readonly<Record<Kept, string>> = {
  newest: 'the newest partition of its table, until later trades begin the next',
  unproven: 'with hours that are not proven; run cdvault backfill',
  bars_due: 'bars are not up to date; run cdvault backfill',
  differs: 'trades differ from the ledger; run cdvault verify',
  edge: 'the hour after it is not proven, or has rows in it',
  busy: 'somebody works on its hours; run the same command again',
};
