import { onTestFinished } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import type { TimeRange } from '../../src/domain/time/hour.ts';
import type { TradeSeries } from '../exchange/trade-series.ts';
import { type CliProcess, type CliResult, unique } from '../support/command-line.ts';
import { Rig, type RigOptions } from '../e2e/rig.ts';
import { type Backfilled, expectNothingLost } from './fault.ts';

type Environment = Readonly<Record<string, string>>;

/** One symbol and one range in their own installation, since a refusal is remembered for the whole address. */
export class OneSymbol {
  readonly rig: Rig;
  readonly app: App;
  readonly symbol: string;
  readonly trades: TradeSeries;
  readonly range: TimeRange;

  /** Starts an installation that ends with the test. */
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

  /** Starts the operator's command with the most detailed log. */
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
   * @param trades the true trades, where a fault shows others
   * @param range the whole range, where it was requested by more than one command
   */
  async expectNothingLost(trades = this.trades, range = this.range): Promise<void> {
    const { rig, app, symbol } = this;
    await expectNothingLost({ rig, app, symbol, trades, range });
  }
}
