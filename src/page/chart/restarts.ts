/** Lines in the CDV pane where levels start again at 0. */

import type {
  IPanePrimitive,
  IPanePrimitivePaneView,
  PaneAttachedParameter,
} from 'lightweight-charts';
import type { Palette } from './palette.ts';
import { xOf } from './shading.ts';

export interface Restart {
  /** On the axis. */
  readonly place: number;
  readonly text: string;
}

/** Denser lines would hide the bars. */
const MIN_DISTANCE_PX = 60;
const TEXT_DISTANCE_PX = 84;

export class Restarts implements IPanePrimitive {
  #restarts: readonly Restart[] = [];
  #palette: Palette;
  #attached: PaneAttachedParameter | undefined;
  readonly #views: readonly IPanePrimitivePaneView[];

  constructor(palette: Palette) {
    this.#palette = palette;
    const renderer: ReturnType<IPanePrimitivePaneView['renderer']> = {
      draw: (target) =>
        target.useMediaCoordinateSpace(({ context, mediaSize }) =>
          this.#draw(context, mediaSize.height),
        ),
    };
    this.#views = [{ zOrder: () => 'bottom', renderer: () => renderer }];
  }

  attached(parameter: PaneAttachedParameter): void {
    this.#attached = parameter;
  }

  paneViews(): readonly IPanePrimitivePaneView[] {
    return this.#views;
  }

  set(restarts: readonly Restart[], palette: Palette): void {
    this.#restarts = restarts;
    this.#palette = palette;
    this.#attached?.requestUpdate();
  }

  #draw(context: CanvasRenderingContext2D, heightPx: number): void {
    const chart = this.#attached?.chart;
    if (chart === undefined) return;
    const marks = this.#restarts.flatMap(({ place, text }) => {
      const x = xOf(chart, place);
      return x === null ? [] : [{ x: Math.round(x), text }];
    });
    const distances = marks.slice(1).map(({ x }, index) => x - (marks[index]?.x ?? 0));
    const least = Math.min(...distances);
    if (least < MIN_DISTANCE_PX) return;
    context.font = '10px system-ui, sans-serif';
    context.textAlign = 'left';
    context.textBaseline = 'bottom';
    context.fillStyle = this.#palette.muted;
    for (const { x, text } of marks) {
      context.globalAlpha = 0.6;
      context.fillRect(x, 0, 1, heightPx);
      context.globalAlpha = 1;
      if (least >= TEXT_DISTANCE_PX) context.fillText(text, x + 4, heightPx - 3);
    }
  }
}
