/** Shades the hours that are not proven, behind the bars of a pane. */

import type {
  IChartApiBase,
  IPanePrimitive,
  IPanePrimitivePaneView,
  Logical,
  PaneAttachedParameter,
} from 'lightweight-charts';
import type { Verdict } from '../data/answers.ts';
import type { Palette } from './palette.ts';
import { verdictPattern } from './patterns.ts';

export interface ShadedRun {
  readonly verdict: Exclude<Verdict, 'proven'>;
  /** Places on the axis. */
  readonly from: number;
  readonly to: number;
}

/** Bars must stay readable through the shade. */
const OPACITY: Readonly<Record<ShadedRun['verdict'], number>> = {
  gap: 0.3,
  open: 0.16,
  unknown: 0.14,
};

export class Shading implements IPanePrimitive {
  #runs: readonly ShadedRun[] = [];
  #palette: Palette;
  #attached: PaneAttachedParameter | undefined;
  readonly #views: readonly IPanePrimitivePaneView[];

  constructor(palette: Palette) {
    this.#palette = palette;
    const draw = this.#draw.bind(this);
    const renderer: ReturnType<IPanePrimitivePaneView['renderer']> = {
      draw: (target) =>
        target.useMediaCoordinateSpace(({ context, mediaSize }) => draw(context, mediaSize)),
    };
    this.#views = [{ zOrder: () => 'bottom', renderer: () => renderer }];
  }

  attached(parameter: PaneAttachedParameter): void {
    this.#attached = parameter;
  }

  paneViews(): readonly IPanePrimitivePaneView[] {
    return this.#views;
  }

  set(runs: readonly ShadedRun[], palette: Palette): void {
    this.#runs = runs;
    this.#palette = palette;
    this.#attached?.requestUpdate();
  }

  #draw(
    context: CanvasRenderingContext2D,
    { width, height }: { readonly width: number; readonly height: number },
  ): void {
    const chart = this.#attached?.chart;
    if (chart === undefined) return;
    for (const run of this.#runs) {
      const [from, to] = [xOf(chart, run.from), xOf(chart, run.to)];
      if (from === null || to === null || to < 0 || from > width) continue;
      const pattern = verdictPattern(context, run.verdict, this.#palette);
      if (pattern === null) continue;
      context.globalAlpha = OPACITY[run.verdict];
      context.fillStyle = pattern;
      context.fillRect(from, 0, to - from, height);
    }
    context.globalAlpha = 1;
  }
}

/** The x coordinate of a place. The library tells it for whole numbers only. */
export function xOf(chart: IChartApiBase, place: number): number | null {
  const whole = Math.floor(place);
  const x = chart.timeScale().logicalToCoordinate(whole as Logical);
  return x === null ? null : x + (place - whole) * chart.timeScale().options().barSpacing;
}
