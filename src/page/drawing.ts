/** Draws what a feed has loaded: panes, shades, lines, the strip, and the legend. */

import { MINUTE_MS } from '../domain/time/hour.ts';
import type { View, VisibleRange } from './view.ts';
import { type Feed, type LineName, linesOf } from './data/feed.ts';
import type { LevelBar, Point } from './data/bar.ts';
import { levelsFromStart, type LevelTexts } from './levels.ts';
import type { LineBar } from './chart/level-line.ts';
import { PANES } from './chart/options.ts';
import type { Palette } from './chart/palette.ts';
import type { Line, Panes } from './chart/panes.ts';
import { Restarts } from './chart/restarts.ts';
import { restartsOf } from './data/restart-times.ts';
import { Shading, xOf } from './chart/shading.ts';
import type { ZoneClock } from './time/zone-clock.ts';
import { anchorText, lateStartText, rollingBars } from './time/anchor-text.ts';
import { tierText } from './ui/overlays-panel.ts';
import { Legend, type LegendLine } from './ui/legend.ts';
import { MARKET_TEXTS } from './ui/series-box.ts';
import type { Strip } from './ui/strip.ts';

interface DrawnLine {
  readonly name: LineName;
  readonly title: string;
  readonly colour: string;
  readonly line: Line;
  readonly levels: ReadonlyMap<number, LevelBar>;
  /** As drawn: counted from the left edge with that anchor. */
  shown: ReadonlyMap<number, LineBar>;
}

/** Bars with their levels. */
export interface Seen {
  readonly points: readonly Point[];
  readonly levels: readonly (LevelTexts | undefined)[];
}

/** Beyond the edges of the picture, so that a small move shows no hole before levels are counted again. */
const MARGIN_BARS = 50;

export class Drawing {
  readonly panes: Panes;
  readonly legend = new Legend();
  readonly #strip: Strip;
  readonly #shades: readonly Shading[];
  readonly #restarts: Restarts;
  #palette: Palette;
  #clock: ZoneClock;
  #feed: Feed | undefined;
  #view: View | undefined;
  #unit = '';
  #levels: readonly (LevelTexts | undefined)[] = [];
  /** The index of the first point that has levels. */
  #first = 0;
  #cursor: number | undefined;
  #lines: DrawnLine[] = [];

  constructor(panes: Panes, strip: Strip, palette: Palette, clock: ZoneClock) {
    this.panes = panes;
    this.#strip = strip;
    this.#palette = palette;
    this.#clock = clock;
    this.#shades = Object.values(PANES).map((index) => {
      const shading = new Shading(palette);
      panes.pane(index)?.attachPrimitive(shading);
      return shading;
    });
    this.#restarts = new Restarts(palette);
    panes.pane(PANES.cdv)?.attachPrimitive(this.#restarts);
    panes.onCursor((index) => this.point(index));
    panes.chart.timeScale().subscribeSizeChange(() => this.drawStrip());
  }

  /** The bars that are visible, with their levels. */
  get seen(): Seen {
    const [from, to] = this.#visibleIndices();
    return {
      points: this.panes.places.points.slice(from, to),
      levels: this.#levels.slice(from - this.#first, to - this.#first),
    };
  }

  /** Of the shown time zone. */
  get clock(): ZoneClock {
    return this.#clock;
  }

  get cursor(): number | undefined {
    return this.#cursor;
  }

  /** Another choice of theme or zone. */
  restyle(palette: Palette, clock: ZoneClock): void {
    this.#palette = palette;
    this.#clock = clock;
    this.panes.redraw(palette, clock);
    this.#removeLines();
    if (this.#feed !== undefined && this.#view !== undefined) this.draw(this.#feed, this.#view);
  }

  /** Nothing of an earlier series stays. */
  clear(): void {
    this.#feed = undefined;
    this.#levels = [];
    this.#removeLines();
    this.panes.setPoints([], 1);
    this.panes.setLevels([], 0);
    for (const shade of this.#shades) shade.set([], this.#palette);
    this.#restarts.set([], this.#palette);
    this.drawStrip();
    this.legend.clear();
  }

  setUnit(unit: string): void {
    this.#unit = unit;
  }

  draw(feed: Feed, view: View, range?: VisibleRange): void {
    this.#feed = feed;
    this.#view = view;
    this.panes.setPoints(feed.points, feed.intervalMs, range);
    const { places } = this.panes;
    const runs = feed.coverage.flatMap(({ fromMs, toMs, verdict }) =>
      verdict === 'proven'
        ? []
        : [{ verdict, from: places.placeOf(fromMs), to: places.placeOf(toMs) }],
    );
    for (const shade of this.#shades) shade.set(runs, this.#palette);
    const restarts = hasRestarts(view) ? restartsOf(feed.counted) : [];
    this.#restarts.set(
      restarts.map((timeMs) => ({
        place: places.placeOf(timeMs),
        // Without the year.
        text: feed.isAnchor(timeMs) ? '0 here' : this.#clock.text(timeMs).slice(5),
      })),
      this.#palette,
    );
    this.#drawLines(feed, view);
    this.#countLevels(true);
    this.point(undefined);
  }

  /** Lines have got more data. */
  redrawLines(feed: Feed, view: View): void {
    if (this.#feed !== feed) return;
    this.#drawLines(feed, view);
    this.#countLevels(true);
    this.point(this.#cursor);
  }

  /** The picture has moved. */
  moved(): void {
    if (this.#view?.anchor === 'visible') this.#countLevels(false);
    this.drawStrip();
    if (this.#cursor === undefined) this.point(undefined);
  }

  drawStrip(): void {
    this.legend.range.textContent = this.#rangeText();
    const { chart, places } = this.panes;
    const widthPx = chart.timeScale().width();
    const runs = (this.#feed?.coverage ?? []).flatMap((run) => {
      const [fromPx, toPx] = [run.fromMs, run.toMs].map((ms) => xOf(chart, places.placeOf(ms)));
      if (typeof fromPx !== 'number' || typeof toPx !== 'number') return [];
      return toPx < 0 || fromPx > widthPx ? [] : [{ run, fromPx, toPx }];
    });
    this.#strip.draw(runs, { widthPx, palette: this.#palette, visible: this.panes.visible });
  }

  /** Shows the values of a point; undefined: of the last visible bar. */
  point(index: number | undefined): void {
    this.#cursor = index;
    const [feed, view] = [this.#feed, this.#view];
    if (feed === undefined || view === undefined) return;
    const { points } = this.panes.places;
    const [from, to] = this.#visibleIndices();
    const last = points.findLastIndex(
      ({ bar }, at) => bar !== undefined && at < to && at >= Math.max(from, 0),
    );
    const shown = index ?? (last < 0 ? to - 1 : last);
    const point = points[shown];
    const { symbol, market } = feed.choice.series;
    this.legend.show({
      title: `${symbol} ${MARKET_TEXTS[market]} · ${feed.choice.interval}`,
      time: point === undefined ? '' : `${this.#clock.text(point.timeMs)} ${this.#clock.zone}`,
      anchor: this.#anchorText(view, point),
      unit: this.#unit,
      point,
      levels: this.#levels[shown - this.#first],
      absence: this.#absence(point),
      lines: this.#lines.map((line) => legendLine(line, point)),
    });
  }

  /** What 0 means; of a bar whose levels count from later than the anchor: from when. */
  #anchorText({ anchor }: View, point: Point | undefined): string {
    const fromMs = point?.bar?.levelFromMs;
    const isCounted = point !== undefined && this.#feed?.hasLevels(point) === true;
    const late =
      isCounted && fromMs !== undefined ? lateStartText(anchor, fromMs, this.#clock) : undefined;
    return late ?? anchorText(anchor, this.#clock);
  }

  /** To the minute. */
  #rangeText(): string {
    const { visible } = this.panes;
    if (visible === undefined) return '';
    const [from, to] = [visible.fromMs, visible.toMs].map((timeMs) =>
      this.#clock.text(Math.round(timeMs / MINUTE_MS) * MINUTE_MS),
    );
    return `${from} to ${to} ${this.#clock.zone}`;
  }

  #absence(point: Point | undefined): string {
    const run = this.#feed?.coverage.find(
      ({ fromMs, toMs }) => point !== undefined && fromMs <= point.timeMs && point.timeMs < toMs,
    );
    return run === undefined || run.verdict === 'unknown'
      ? 'not fetched'
      : `no bar: ${run.verdict}`;
  }

  /** The first visible index, and the one after the last. */
  #visibleIndices(): readonly [from: number, to: number] {
    const { visible, places } = this.panes;
    if (visible === undefined) return [0, 0];
    // A bar of which a part is visible at the left edge is the first one.
    const from = Math.round(places.placeOf(visible.fromMs) + 0.001);
    const to = Math.round(places.placeOf(visible.toMs) - 0.001) + 1;
    return [Math.max(from, 0), Math.min(Math.max(to, 0), places.points.length)];
  }

  #countLevels(isNew: boolean): void {
    const { points } = this.panes.places;
    const feed = this.#feed;
    if (this.#view?.anchor !== 'visible') {
      this.#first = 0;
      this.#levels = points.map((point) => (feed?.hasLevels(point) ? point.bar : undefined));
    } else {
      const [from, to] = this.#visibleIndices();
      if (!isNew && from === this.#first && to <= this.#first + this.#levels.length) return;
      const counted = points.slice(from, to + MARGIN_BARS);
      this.#first = from;
      this.#levels = levelsFromStart(counted.map(({ bar }) => bar));
      for (const drawn of this.#lines) drawn.shown = recounted(drawn.levels, counted);
    }
    this.panes.setLevels(this.#levels, this.#first);
    const isRolling = rollingBars(this.#view?.anchor ?? '') !== undefined;
    for (const { line, shown } of this.#lines) this.panes.setLine(line, shown, isRolling);
  }

  #drawLines(feed: Feed, view: View): void {
    this.#removeLines();
    const scale = view.ownScale ? 'own' : 'same';
    this.#lines = linesOf(view).map((name, index) => {
      const colour = this.#palette.overlays[index % this.#palette.overlays.length] ?? '';
      const levels = feed.levelsOf(name);
      const line = this.panes.addLine(colour, scale, `line-${index}`);
      return { name, title: lineTitle(name, feed.tiers), colour, line, levels, shown: levels };
    });
  }

  #removeLines(): void {
    for (const { line } of this.#lines) this.panes.chart.removeSeries(line);
    this.#lines = [];
  }
}

/** Levels of a line from the left edge on. */
function recounted(
  levels: ReadonlyMap<number, LevelBar>,
  points: readonly Point[],
): ReadonlyMap<number, LineBar> {
  const counted = levelsFromStart(points.map(({ timeMs }) => levels.get(timeMs)));
  return new Map(
    points.flatMap(({ timeMs }, index) => {
      const [bar, level] = [levels.get(timeMs), counted[index]];
      if (bar === undefined || level === undefined) return [];
      return [[timeMs, { close: level.close, delta: bar.delta }] as const];
    }),
  );
}

/** Rolling levels begin at each bar, those from the left edge at the first one. */
function hasRestarts({ anchor }: View): boolean {
  return anchor !== 'visible' && rollingBars(anchor) === undefined;
}

function lineTitle(name: LineName, tiers: readonly string[]): string {
  if (name.kind === 'tier') return `trades ${tierText(name.tier, tiers)}`;
  return `${name.series.symbol} ${MARKET_TEXTS[name.series.market]}`;
}

function legendLine({ title, colour, shown }: DrawnLine, point: Point | undefined): LegendLine {
  const close = point === undefined ? undefined : shown.get(point.timeMs)?.close;
  return { name: title, colour, close };
}
