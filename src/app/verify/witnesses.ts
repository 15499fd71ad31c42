import type { Bar } from '../../domain/bars/bar.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { Finding, KlineCheck, Unheard } from '../../domain/proof/finding.ts';
import type { SliceRecord } from '../../domain/proof/ledger.ts';
import { leavesOutFills, type Series } from '../../domain/market.ts';
import type { ArchiveFiles } from '../../ports/archive-files.ts';
import type { ArchiveSource } from '../../ports/archive-source.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TradeSource } from '../../ports/trade-source.ts';
import type { WeightGovernor } from '../../ports/weight-governor.ts';
import { Witness } from '../witness.ts';
import { verifyFile } from './verify-files.ts';
import { verifyKlines } from './verify-klines.ts';

export interface WitnessDeps {
  readonly source: TradeSource;
  readonly governor: Pick<WeightGovernor, 'state'>;
  readonly archive: ArchiveSource;
  readonly files: ArchiveFiles;
  readonly clock: Clock;
}

/** What the sources outside the store said about a day. */
interface Testimony {
  readonly klines: KlineCheck | undefined;
  readonly findings: readonly Finding[];
  readonly unheard: readonly Unheard[];
}

interface WitnessedDay {
  readonly dayMs: number;
  /** Bars of one minute, computed from the stored trades. */
  readonly minutes: readonly Bar[];
  /** Proven hours of the requested range, ascending. */
  readonly provenHours: readonly number[];
  /** Ledger rows of the day. */
  readonly records: Iterable<SliceRecord>;
}

/** The exchange's candles and its list of files, asked about the days of one series. */
export class Witnesses {
  readonly #deps: WitnessDeps;
  readonly #series: Series;
  readonly #candles: Witness;
  readonly #files: Witness;

  constructor(deps: WitnessDeps, series: Series) {
    this.#deps = deps;
    this.#series = series;
    this.#candles = new Witness(deps.clock);
    this.#files = new Witness(deps.clock);
  }

  async ask(
    day: WitnessedDay,
    { klines, archives }: { readonly klines: boolean; readonly archives: boolean },
    signal: AbortSignal,
  ): Promise<Testimony> {
    const candles = klines ? await this.#askCandles(day, signal) : undefined;
    const file = archives ? await this.#askFiles(day, signal) : { findings: [], reason: undefined };
    return {
      klines: candles && { minutes: candles.minutes, equal: candles.equal },
      findings: [...(candles?.findings ?? []), ...file.findings],
      unheard: [
        ...(candles?.reason === undefined
          ? []
          : [{ witness: 'klines' as const, reason: candles.reason }]),
        ...(file.reason === undefined ? [] : [{ witness: 'files' as const, reason: file.reason }]),
      ],
    };
  }

  async #askCandles({ minutes, provenHours }: WitnessedDay, signal: AbortSignal) {
    if (provenHours.length === 0 || leavesOutFills(this.#series.market)) return undefined;
    return verifyKlines(minutes, provenHours, (page) =>
      this.#candles.ask(async () => {
        await this.#assertNotBanned();
        return this.#deps.source.minuteKlines(this.#series, page, signal);
      }, signal),
    );
  }

  /** Without this check a request would wait for the end of a ban, which may be days away. */
  async #assertNotBanned(): Promise<void> {
    const { pause } = await this.#deps.governor.state(this.#series.market);
    if (pause?.reason !== 'banned') return;
    const { untilMs } = pause;
    const until = new Date(untilMs).toISOString();
    throw new CdvaultError('EXCHANGE_BANNED', `this address is banned until ${until}`, { untilMs });
  }

  async #askFiles({ dayMs, records }: WitnessedDay, signal: AbortSignal) {
    const said = await this.#files.ask(
      () => verifyFile(this.#deps, { ...this.#series, dayMs }, records, signal),
      signal,
    );
    return 'answer' in said
      ? { findings: said.answer, reason: undefined }
      : { findings: [], reason: said.reason };
  }
}
