import { onTestFinished } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import type { TimeRange } from '../../src/domain/time/hour.ts';
import type { TradeSeries } from '../exchange/trade-series.ts';
import { type CliProcess, type CliResult, unique } from '../support/command-line.ts';
import { Rig, type RigOptions } from '../e2e/rig.ts';
import { type Backfilled, expectNothingLost } from './fault.ts';

type Environment = Readonly<Record<string, string>>;

/** A refusal is remembered for the whole address, so each fault has an installation of its own: one symbol, one range. */
export class OneSymbol {
  readonly rig: Rig;
  readonly app: App;
  readonly symbol: string;
  readonly trades: TradeSeries;
  readonly range: TimeRange;

  /** Ends with the test. */
  static async start(
    trades: TradeSeries,
    range: TimeRange,
    options: RigOptions = {},
  ): Promise<OneSymbol> {
    const symbol = unique('FLT');
    const rig = await Rig.start({ symbols: [{ symbol, trades }], ...options });
    onTestFinished(async () => rig.dispose());
    return new OneSymbol({ rig, app: await rig.app(), symbol, trades, range });
  }

  private constructor({ rig, app, symbol, trades, range }: Backfilled) {
    this.rig = rig;
    this.app = app;
    this.symbol = symbol;
    this.trades = trades;
    this.range = range;
  }

  /** The command of an operator who wants to see everything. */
  startBackfill(
    more: Environment = {},
    onLine?: (line: string) => void,
    range = this.range,
  ): CliProcess {
    return this.rig.startCli(this.#args(range), onLine, { CDVAULT_LOG: 'debug', ...more });
  }

  async backfill(more: Environment = {}): Promise<CliResult> {
    return this.startBackfill(more).done;
  }

  async detach(): Promise<CliResult> {
    return this.rig.cli([...this.#args(this.range), '--detach']);
  }

  #args({ startMs, endMs }: TimeRange): string[] {
    const at = (timeMs: number) => new Date(timeMs).toISOString();
    const args = ['--from', at(startMs), '--to', at(endMs), '--source', 'rest'];
    return ['backfill', this.symbol, ...args];
  }

  /**
   * @param trades what was offered, where a fault shows it otherwise
   * @param range what was asked for, where it was more than one command's
   */
  async expectNothingLost(trades = this.trades, range = this.range): Promise<void> {
    const { rig, app, symbol } = this;
    await expectNothingLost({ rig, app, symbol, trades, range });
  }
}
