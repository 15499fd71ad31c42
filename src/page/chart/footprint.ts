/** Cells of price bin × bar over the candles: what was sold and bought there. */

import type {
  ISeriesPrimitive,
  IPrimitivePaneView,
  ISeriesApi,
  SeriesAttachedParameter,
  SeriesType,
} from 'lightweight-charts';
import type { Point } from '../data/bar.ts';
import { type Cell, cellAt, type CellTexts, type FootprintCells, imbalance } from './cells.ts';
import { sizeText } from './number-text.ts';
import { type Palette, translucent } from './palette.ts';
import { xOf } from './shading.ts';

/** The candle stands at the left of its cells. */
const CANDLE_PX = 7;
const FONT_PX = 11;
const MARK_PX = 4;
/** Lower rows have no room for a number. */
const TEXT_ROW_PX = 12;
/** Two numbers of at most five characters, their marks and the candle. */
const PAIR_SLOT_PX = 88;
/** The delta alone. */
const DELTA_SLOT_PX = 58;

interface Slot {
  readonly left: number;
  readonly right: number;
  readonly series: ISeriesApi<SeriesType>;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

type Marks = ReturnType<typeof imbalance>;

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

  /** What is drawn at a price of a bar. */
  textsAt(timeMs: number, price: number): CellTexts | undefined {
    const cells = this.#cells?.byTime.get(timeMs) ?? [];
    return cellAt(cells, this.#cells?.bin ?? 1, price)?.texts;
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
      const [x, top] = [left + CANDLE_PX + 3, y(cell.price + bin)];
      const box = { x, y: top, w: right - 2 - x, h: y(cell.price) - top };
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
      const marks = imbalance(cell, byPrice.get(row - 1), byPrice.get(row + 1));
      this.#drawMarks(context, box, marks);
      if (box.h < TEXT_ROW_PX || right - left < DELTA_SLOT_PX) continue;
      if (right - left >= PAIR_SLOT_PX) this.#drawPair(context, box, cell, marks);
      else this.#drawDelta(context, box, delta);
    }
  }

  /** At the side of what is imbalanced: text in its colour can't be read on a cell of that colour. */
  #drawMarks(context: CanvasRenderingContext2D, { x, y, w, h }: Box, marks: Marks): void {
    const height = Math.max(h - 3, 1);
    context.fillStyle = this.#palette.down;
    if (marks.sell) context.fillRect(x + 1, y + 1.5, MARK_PX, height);
    context.fillStyle = this.#palette.up;
    if (marks.buy) context.fillRect(x + w - MARK_PX - 1, y + 1.5, MARK_PX, height);
  }

  #drawDelta(context: CanvasRenderingContext2D, { x, y, w, h }: Box, delta: number): void {
    context.font = `${FONT_PX}px system-ui, sans-serif`;
    context.fillStyle = this.#palette.text;
    context.textAlign = 'center';
    const sign = delta > 0 ? '+' : delta < 0 ? '−' : '';
    context.fillText(sign + sizeText(Math.abs(delta)), x + w / 2, y + h / 2 + 0.5);
  }

  /** What was sold × what was bought. */
  #drawPair(context: CanvasRenderingContext2D, box: Box, cell: Cell, marks: Marks): void {
    const [middle, line] = [box.x + box.w / 2, box.y + box.h / 2 + 0.5];
    const write = (text: string, isMarked: boolean, x: number) => {
      context.font = `${isMarked ? 'bold ' : ''}${FONT_PX}px system-ui, sans-serif`;
      context.fillStyle = this.#palette.text;
      context.fillText(text, x, line);
    };
    context.textAlign = 'right';
    write(sizeText(cell.sell), marks.sell, middle - 6);
    context.textAlign = 'left';
    write(sizeText(cell.buy), marks.buy, middle + 6);
    context.textAlign = 'center';
    write('×', false, middle);
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
