/** Hears from the server: of new bars, of what runs, and when it is away. */

import type { DataSource } from './data/source.ts';
import type { Parts } from './parts.ts';
import type { SeriesName, View } from './view.ts';

export class Listening {
  readonly #source: DataSource;
  readonly #parts: Pick<Parts, 'banner' | 'status'>;
  readonly #onNews: () => void;
  #unlisten: () => void = () => undefined;
  #listened = '';
  #isLost = false;

  /** @param onNews called when bars may have changed */
  constructor(source: DataSource, parts: Pick<Parts, 'banner' | 'status'>, onNews: () => void) {
    this.#source = source;
    this.#parts = parts;
    this.#onNews = onNews;
  }

  /** The server is away: what is in memory still moves, but is not all there is. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Later, the server tells by itself. */
  async askStatus(): Promise<void> {
    if (!this.#source.isLive) return;
    const { status } = this.#parts;
    const answer = await this.#source
      .ask('status', {}, AbortSignal.timeout(10_000))
      .catch(() => undefined);
    if (answer === undefined) status.unknown('no answer');
    else status.show(answer);
  }

  /** Listens to the series of a view, and to no others. */
  to({ series, overlays }: View): void {
    const names: SeriesName[] = [...(series === undefined ? [] : [series]), ...overlays];
    const key = JSON.stringify(names);
    if (key === this.#listened) return;
    this.#listened = key;
    this.#unlisten();
    const { banner, status } = this.#parts;
    this.#unlisten = this.#source.listen(names, {
      onBars: () => this.#onNews(),
      onStatus: (answer) => {
        status.show(answer);
        // A store that is back may answer what it could not answer before.
        if (answer.services.store && banner.isShown) this.#onNews();
      },
      onBack: () => {
        this.#isLost = false;
        this.#onNews();
      },
      onSilent: () => status.unknown('connection lost'),
      onLost: (error) => {
        this.#isLost = true;
        banner.fail(error, series);
        status.unknown(error.status === 401 ? 'session ended' : 'no answer');
      },
    });
  }
}
