/** The panes of the chart: price, CDV, and delta with both volumes, on one time axis. */

import {
  CandlestickSeries,
  createChartEx,
  CrosshairMode,
  HistogramSeries,
  type IChartApiBase,
  type IPaneApi,
  type IRange,
  type ISeriesApi,
  LineSeries,
  type MouseEventParams,
  type Time,
  type TimeScaleOptions,
} from 'lightweight-charts';
import type { Point } from '../data/bar.ts';
import type { VisibleRange } from '../view.ts';
import { MIN_BAR_PX } from '../auto-interval.ts';
import type { LevelTexts } from '../levels.ts';
import type { ZoneClock } from '../time/zone-clock.ts';
import { zonedAxis, zonedLabel } from '../time/zoned-axis.ts';
import { candle, type VolumeColumns, volumeColumns } from './candles.ts';
import { chartTime, levelLine, type LineBar } from './level-line.ts';
import type { Palette } from './palette.ts';
import { TimePlaces } from './time-places.ts';
import { axisText } from './number-text.ts';
import { chartOptions, PANES, seriesOptions } from './options.ts';

/** Room for the legend above the bars. */
const SCALE_MARGINS = { top: 0.24, bottom: 0.06 };
/** Its pane is the lowest. */
const DELTA_MARGINS = { top: 0.32, bottom: 0.06 };

export type Line = ISeriesApi<'Line'>;

export class Panes {
  readonly chart: IChartApiBase;
  readonly price: ISeriesApi<'Candlestick'>;
  readonly cdv: ISeriesApi<'Candlestick'>;
  readonly #buy: ISeriesApi<'Histogram'>;
  readonly #sell: ISeriesApi<'Histogram'>;
  readonly #delta: ISeriesApi<'Histogram'>;
  #palette: Palette;
  #clock: ZoneClock;
  #places = new TimePlaces([], 1);
  /** What the next frame shows: until then, the library tells the range of the points before. */
  #aim: IRange<number> | undefined;

  constructor(container: HTMLElement, palette: Palette, clock: ZoneClock) {
    this.#palette = palette;
    this.#clock = clock;
    const clockOf = () => this.#clock;
    this.chart = createChartEx<Time, ReturnType<typeof zonedAxis>>(container, zonedAxis(clockOf), {
      ...chartOptions(palette),
      autoSize: true,
      crosshair: { mode: CrosshairMode.Normal },
      localization: {
        timeFormatter: (time: Time) => this.#clock.text(Number(time) * 1000),
        priceFormatter: axisText,
      },
      // The type of options for any axis leaves out what the axis of times adds.
      timeScale: this.#timeScale(),
    });
    const { candles, columns } = seriesOptions(palette);
    this.price = this.chart.addSeries(CandlestickSeries, { ...candles, title: '' }, PANES.price);
    this.cdv = this.chart.addSeries(CandlestickSeries, candles, PANES.cdv);
    this.#buy = this.chart.addSeries(HistogramSeries, columns, PANES.delta);
    this.#sell = this.chart.addSeries(HistogramSeries, columns, PANES.delta);
    this.#delta = this.chart.addSeries(HistogramSeries, columns, PANES.delta);
    for (const [index, share] of [5, 3, 2].entries()) {
      this.pane(index)?.setStretchFactor(share);
      const scaleMargins = index === PANES.delta ? DELTA_MARGINS : SCALE_MARGINS;
      this.chart.priceScale('right', index).applyOptions({ scaleMargins });
    }
  }

  get places(): TimePlaces {
    return this.#places;
  }

  /** Resolves when the chart has its place: before, no range can be shown. */
  async laidOut(): Promise<void> {
    const scale = this.chart.timeScale();
    if (scale.width() > 0) return;
    await new Promise<void>((resolve) => {
      const onSize = (width: number) => {
        if (width === 0) return;
        scale.unsubscribeSizeChange(onSize);
        resolve();
      };
      scale.subscribeSizeChange(onSize);
    });
  }

  pane(index: number): IPaneApi<Time> | undefined {
    return this.chart.panes()[index];
  }

  /** Of the price pane; undefined while it has no bars. */
  pricesPerPx(): number | undefined {
    const heightPx = this.pane(PANES.price)?.getHeight() ?? 0;
    // The range that the library tells of the scale leaves the margins out.
    const [top, bottom] = [0, heightPx].map((y) => this.price.coordinateToPrice(y));
    if (typeof top !== 'number' || typeof bottom !== 'number' || top === bottom) return undefined;
    return (top - bottom) / heightPx;
  }

  #timeScale(): Partial<TimeScaleOptions> {
    return {
      tickMarkFormatter: zonedLabel(() => this.#clock),
      timeVisible: true,
      minBarSpacing: MIN_BAR_PX,
      borderColor: this.#palette.line,
    };
  }

  /** The visible part of the axis, to the edges of the picture. */
  get visible(): VisibleRange | undefined {
    const range = this.logical;
    if (range === undefined || this.#places.points.length === 0) return undefined;
    // The library gives the middles of the outermost slots.
    return {
      fromMs: this.#places.timeAt(range.from - 0.5),
      toMs: this.#places.timeAt(range.to + 0.5),
    };
  }

  /** The visible part of the axis, in points. */
  get logical(): IRange<number> | undefined {
    return this.#aim ?? this.chart.timeScale().getVisibleLogicalRange() ?? undefined;
  }

  showLogical(range: IRange<number>): void {
    this.#aim = range;
    this.chart.timeScale().setVisibleLogicalRange(range);
    // The library has asked for the frame before.
    requestAnimationFrame(() => {
      if (this.#aim === range) this.#aim = undefined;
    });
  }

  /** Draws other points; the picture stays where it is in time, or shows `range`. */
  setPoints(points: readonly Point[], intervalMs: number, range = this.visible): void {
    this.#places = new TimePlaces(points, intervalMs);
    const aim = range && this.#logicalOf(range);
    // Setting data already tells of a range.
    this.#aim = aim;
    this.price.setData(points.map((point) => candle(point, point.bar?.price, this.#palette)));
    const columns = points.map((point) => volumeColumns(point, this.#palette));
    this.#buy.setData(columns.map(({ buy }) => buy));
    this.#sell.setData(columns.map(({ sell }) => sell));
    this.#delta.setData([...columns.slice(0, -1).map(({ delta }) => delta), ...lastDelta(columns)]);
    if (aim !== undefined) this.showLogical(aim);
  }

  #logicalOf({ fromMs, toMs }: VisibleRange): IRange<number> | undefined {
    if (this.#places.points.length === 0) return undefined;
    const from = this.#places.placeOf(fromMs) + 0.5;
    const to = this.#places.placeOf(toMs) - 0.5;
    // A picture is at least one bar wide: the library refuses a range that ends before it begins.
    return to > from ? { from, to } : { from: (from + to) / 2, to: (from + to) / 2 };
  }

  /** @param levels of the points from `first` on; the others have none */
  setLevels(levels: readonly (LevelTexts | undefined)[], first: number): void {
    const points = this.#places.points.slice(first, first + levels.length);
    this.cdv.setData(points.map((point, index) => candle(point, levels[index], this.#palette)));
  }

  addLine(colour: string, scale: 'own' | 'same', scaleId: string): Line {
    const line = this.chart.addSeries(
      LineSeries,
      {
        color: colour,
        lineWidth: 2,
        priceScaleId: scale === 'own' ? scaleId : 'right',
        priceLineVisible: false,
        lastValueVisible: scale === 'same',
        crosshairMarkerRadius: 3,
      },
      PANES.cdv,
    );
    line.priceScale().applyOptions({ scaleMargins: SCALE_MARGINS });
    return line;
  }

  /** Draws a line on the points of the axis; times that are not on it are left out. */
  setLine(line: Line, bars: ReadonlyMap<number, LineBar>, isRolling: boolean): void {
    line.setData(levelLine(this.#places.points, bars, isRolling));
  }

  onVisible(handler: () => void): void {
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(handler);
  }

  /** @param handler gets the index of the point under the cursor; undefined when there is none */
  onCursor(handler: (index: number | undefined, price: number | undefined) => void): void {
    this.chart.subscribeCrosshairMove(({ logical, point, paneIndex }: MouseEventParams) => {
      const isOnPoint = logical !== undefined && this.#places.points[logical] !== undefined;
      const isOnPrices = point !== undefined && paneIndex === PANES.price;
      const price = isOnPrices ? this.price.coordinateToPrice(point.y) : null;
      handler(point === undefined || !isOnPoint ? undefined : logical, price ?? undefined);
    });
  }

  setCursor(index: number): void {
    const point = this.#places.points[index];
    if (point === undefined) return;
    const price = Number(point.bar?.price?.close ?? 0);
    this.chart.setCrosshairPosition(price, chartTime(point.timeMs), this.price);
  }

  /** Draws again in another zone or palette. */
  redraw(palette: Palette, clock: ZoneClock): void {
    this.#palette = palette;
    this.#clock = clock;
    const { candles } = seriesOptions(palette);
    this.chart.applyOptions({ ...chartOptions(palette), timeScale: this.#timeScale() });
    this.price.applyOptions(candles);
    this.cdv.applyOptions(candles);
  }
}

/** The library can't be scrolled past the last point that has a value: the last one has one that is not seen. */
function lastDelta(columns: readonly VolumeColumns[]): VolumeColumns['delta'][] {
  const last = columns.at(-1)?.delta;
  if (last === undefined) return [];
  return ['value' in last ? last : { ...last, value: 0, color: 'transparent' }];
}
