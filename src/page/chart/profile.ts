/** Volume by price over the visible range, at the right edge of the price pane. */

import type {
  ISeriesPrimitive,
  IPrimitivePaneView,
  SeriesAttachedParameter,
} from 'lightweight-charts';
import { type Cell, cellAt, type CellTexts } from './cells.ts';
import { type Palette, translucent } from './palette.ts';

export interface ProfileRows {
  readonly bin: number;
  readonly rows: readonly Cell[];
}

/** The part of the pane's width that the longest row takes. */
const SHARE = 0.22;
const OPACITY = 0.42;

export class Profile implements ISeriesPrimitive {
  #profile: ProfileRows | undefined;
  #palette: Palette;
  #attached: SeriesAttachedParameter | undefined;
  readonly #views: readonly IPrimitivePaneView[];

  constructor(palette: Palette) {
    this.#palette = palette;
    const renderer: ReturnType<IPrimitivePaneView['renderer']> = {
      draw: (target) =>
        target.useMediaCoordinateSpace(({ context, mediaSize }) =>
          this.#draw(context, mediaSize.width),
        ),
    };
    this.#views = [{ zOrder: () => 'bottom', renderer: () => renderer }];
  }

  attached(parameter: SeriesAttachedParameter): void {
    this.#attached = parameter;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.#views;
  }

  set(profile: ProfileRows | undefined, palette: Palette): void {
    this.#profile = profile;
    this.#palette = palette;
    this.#attached?.requestUpdate();
  }

  /** What is drawn at a price. */
  textsAt(price: number): CellTexts | undefined {
    const { rows, bin } = this.#profile ?? { rows: [], bin: 1 };
    return cellAt(rows, bin, price)?.texts;
  }

  #draw(context: CanvasRenderingContext2D, widthPx: number): void {
    const [series, profile] = [this.#attached?.series, this.#profile];
    if (series === undefined || profile === undefined) return;
    const most = Math.max(...profile.rows.map(({ buy, sell }) => buy + sell));
    const y = (price: number) => series.priceToCoordinate(price) ?? 0;
    for (const { price, buy, sell } of profile.rows) {
      const [top, bottom] = [y(price + profile.bin), y(price)];
      const height = Math.max(bottom - top - 1, 1);
      const [buyPx, sellPx] = [buy, sell].map((size) => (size / most) * widthPx * SHARE);
      if (buyPx === undefined || sellPx === undefined) continue;
      context.fillStyle = translucent(this.#palette.up, OPACITY);
      context.fillRect(widthPx - buyPx, top, buyPx, height);
      context.fillStyle = translucent(this.#palette.down, OPACITY);
      context.fillRect(widthPx - buyPx - sellPx, top, sellPx, height);
      if (buy + sell !== most) continue;
      // The point of control.
      context.fillStyle = translucent(this.#palette.text, 0.5);
      context.fillRect(0, (top + bottom) / 2, widthPx, 1);
    }
  }
}
