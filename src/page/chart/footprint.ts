/** Cells of price bin × bar over the candles: what was sold and bought there. */

import type {
  ISeriesPrimitive,
  IPrimitivePaneView,
  ISeriesApi,
  SeriesAttachedParameter,
  SeriesType,
} from 'lightweight-charts';
import type { Point } from '../data/bar.ts';
import { type Cell, type FootprintCells, imbalance } from './cells.ts';
import { sizeText } from './number-text.ts';
import { type Palette, translucent } from './palette.ts';
import { xOf } from './shading.ts';

/** The candle stands at the left of its cells. */
const CANDLE_PX = 7;
const FONT_PX = 10;
const MARK_PX = 3;
const TEXT_ROW_PX = 11;
const TEXT_SLOT_PX = 66;

interface Slot {
  readonly left: number;
  readonly right: number;
  readonly series: ISeriesApi<SeriesType>;
}

export class Footprint implements ISeriesPrimitive {
  #cells: FootprintCells | undefined;
  #points: readonly Point[] = [];
  #palette: Palette;
  #attached: SeriesAttachedParameter | undefined;
  readonly #views: readonly IPrimitivePaneView[];

  constructor(palette: Palette) {
    this.#palette = palette;
    const renderer: ReturnType<IPrimitivePaneView['renderer']> = {
      draw: (target) => target.useMediaCoordinateSpace(({ context }) => this.#draw(context)),
    };
    this.#views = [{ zOrder: () => 'top', renderer: () => renderer }];
  }

  attached(parameter: SeriesAttachedParameter): void {
    this.#attached = parameter;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.#views;
  }

  /** @param cells undefined: none are drawn */
  set(cells: FootprintCells | undefined, points: readonly Point[], palette: Palette): void {
    this.#cells = cells;
    this.#points = points;
    this.#palette = palette;
    this.#attached?.requestUpdate();
  }

  #draw(context: CanvasRenderingContext2D): void {
    const attached = this.#attached;
    const cells = this.#cells;
    if (attached === undefined || cells === undefined) return;
    context.font = `${FONT_PX}px system-ui, sans-serif`;
    context.textBaseline = 'middle';
    const range = attached.chart.timeScale().getVisibleLogicalRange();
    if (range === null) return;
    const first = Math.max(Math.floor(range.from), 0);
    for (const [offset, point] of this.#points.slice(first, Math.ceil(range.to) + 1).entries()) {
      const ofBar = cells.byTime.get(point.timeMs);
      const left = xOf(attached.chart, first + offset - 0.5);
      const right = xOf(attached.chart, first + offset + 0.5);
      if (ofBar === undefined || left === null || right === null) continue;
      this.#drawBar(context, { left, right, series: attached.series }, point, ofBar);
    }
  }

  #drawBar(
    context: CanvasRenderingContext2D,
    slot: Slot,
    point: Point,
    cells: readonly Cell[],
  ): void {
    const bin = this.#cells?.bin ?? 1;
    const { left, right, series } = slot;
    context.fillStyle = this.#palette.ground;
    const y = (price: number) => series.priceToCoordinate(price) ?? 0;
    const [top, bottom] = [y((cells.at(-1)?.price ?? 0) + bin), y(cells[0]?.price ?? 0)];
    context.fillRect(left + 1, top - 8, right - left - 2, bottom - top + 16);
    this.#drawCandle(context, slot, point);
    const most = Math.max(...cells.map(({ buy, sell }) => buy + sell));
    const mostDelta = Math.max(...cells.map(({ buy, sell }) => Math.abs(buy - sell)));
    const byPrice = new Map(cells.map((cell) => [Math.round(cell.price / bin), cell]));
    for (const cell of cells) {
      const row = Math.round(cell.price / bin);
      const box = { x: left + CANDLE_PX + 3, y: y(cell.price + bin), w: 0, h: 0 };
      box.w = right - 2 - box.x;
      box.h = y(cell.price) - box.y;
      const delta = cell.buy - cell.sell;
      const share = mostDelta === 0 ? 0 : Math.abs(delta) / mostDelta;
      const colour = delta >= 0 ? this.#palette.up : this.#palette.down;
      context.fillStyle = translucent(colour, 0.07 + 0.4 * share);
      context.fillRect(box.x, box.y + 0.5, box.w, Math.max(box.h - 1, 1));
      if (cell.buy + cell.sell === most) {
        context.strokeStyle = this.#palette.text;
        context.lineWidth = 1;
        context.strokeRect(box.x + 0.5, box.y + 0.5, box.w - 1, Math.max(box.h - 1, 1));
      }
      if (box.h < TEXT_ROW_PX || right - left < TEXT_SLOT_PX) continue;
      const marks = imbalance(cell, byPrice.get(row - 1), byPrice.get(row + 1));
      this.#drawText(context, box, cell, marks);
    }
  }

  #drawText(
    context: CanvasRenderingContext2D,
    box: { readonly x: number; readonly y: number; readonly w: number; readonly h: number },
    cell: Cell,
    marks: { readonly buy: boolean; readonly sell: boolean },
  ): void {
    const [middle, line] = [box.x + box.w / 2, box.y + box.h / 2 + 0.5];
    const write = (text: string, isMarked: boolean, x: number) => {
      context.font = `${isMarked ? 'bold ' : ''}${FONT_PX}px system-ui, sans-serif`;
      context.fillStyle = this.#palette.text;
      context.fillText(text, x, line);
    };
    context.textAlign = 'right';
    write(sizeText(cell.sell), marks.sell, middle - 5);
    context.textAlign = 'left';
    write(sizeText(cell.buy), marks.buy, middle + 5);
    context.textAlign = 'center';
    write('×', false, middle);
    // A mark at the side of what is imbalanced: text in its colour can't be read on a cell of that colour.
    context.fillStyle = this.#palette.down;
    if (marks.sell) context.fillRect(box.x, box.y + 1, MARK_PX, box.h - 2);
    context.fillStyle = this.#palette.up;
    if (marks.buy) context.fillRect(box.x + box.w - MARK_PX, box.y + 1, MARK_PX, box.h - 2);
  }

  #drawCandle(context: CanvasRenderingContext2D, { left, series }: Slot, { bar }: Point): void {
    const price = bar?.price;
    if (price === undefined) return;
    const y = (text: string) => series.priceToCoordinate(Number(text)) ?? 0;
    const [open, high, low, close] = [y(price.open), y(price.high), y(price.low), y(price.close)];
    const isUp = close <= open;
    const [x, height] = [left + 3, Math.max(Math.abs(open - close), 1)];
    context.fillStyle = isUp ? this.#palette.up : this.#palette.down;
    context.fillRect(x + CANDLE_PX / 2 - 1, high, 1, low - high);
    context.fillRect(x, Math.min(open, close), CANDLE_PX - 1, height);
  }
}
