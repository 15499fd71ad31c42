import type { Contract } from '../../domain/bars/contract.ts';
import { createHourDistiller, type HourDistiller } from '../../domain/bars/distiller.ts';
import type { TierBounds } from '../../domain/bars/tier.ts';
import type { Series } from '../../domain/market.ts';
import type { BarStore } from '../../ports/bar-store.ts';
import type { DistilledHours } from '../../ports/distilled-hours.ts';
import type { SeriesCatalogue } from '../../ports/ledger.ts';
import { knownContract } from '../contract-size.ts';

export interface DistilDeps {
  readonly bars: Pick<BarStore, 'tiers'>;
  readonly catalogue: Pick<SeriesCatalogue, 'find'>;
  readonly distilled: DistilledHours;
}

/** Distils the hours of a series while they are read, and keeps them for the job that builds the bars. */
export class Distillery {
  readonly #series: Series;
  readonly #tiers: TierBounds;
  readonly #contract: Contract | undefined;
  readonly #hours: DistilledHours;

  /** A contract size that is not on record yet is not requested here: the job that builds the bars does it. */
  static async open({ bars, catalogue, distilled }: DistilDeps, series: Series) {
    const contract = await knownContract(catalogue, series);
    return new Distillery(series, bars.tiers, contract, distilled);
  }

  private constructor(
    series: Series,
    tiers: TierBounds,
    contract: Contract | undefined,
    hours: DistilledHours,
  ) {
    this.#series = series;
    this.#tiers = tiers;
    this.#contract = contract;
    this.#hours = hours;
  }

  start(hourMs: number): HourDistiller {
    return createHourDistiller({ hourMs, tiers: this.#tiers, contract: this.#contract });
  }

  /** @param contentHash of the same rows */
  keep(hourMs: number, contentHash: string, distiller: HourDistiller): void {
    const hour = distiller.finish();
    if (hour === undefined) return;
    const { market, symbol } = this.#series;
    this.#hours.keep(
      { market, symbol, hourMs, contentHash, tiers: this.#tiers, contract: this.#contract },
      hour,
    );
  }
}
