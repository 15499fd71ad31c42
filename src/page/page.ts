/** The page: one view, the feed that loads it, and what draws it. */

import { chooseInterval, MIN_BAR_PX } from './auto-interval.ts';
import { type ChartInterval, CHART_INTERVAL_MS, fittingIntervals } from './intervals.ts';
import type { SeriesFacts } from './data/answers.ts';
import { Feed, isSame, linesOf } from './data/feed.ts';
import { type DataSource, isAborted, Refusal } from './data/source.ts';
import { parseView, type SeriesName, type View, viewQuery, type VisibleRange } from './view.ts';
import { ZoneClock } from './time/zone-clock.ts';
import { Listening } from './listening.ts';
import type { Parts } from './parts.ts';
import { Address } from './address.ts';
import { awaited } from './awaited.ts';
import { Delayed } from './delayed.ts';
import { drawable, lastDay, limitsOf } from './ranges.ts';
import { emptyRange, misfit, NO_SERIES, refused, unknownSeries } from './empty-states.ts';
import { instantOf } from './time/level-start.ts';
import { instantText } from './time/anchor-text.ts';

const RETRY_MS = 3_000;
const BAD_REQUEST = 400;
/** The picture may be narrower than this part of a bar past the last one and still follow new bars. */
const FOLLOW_BARS = 3;

export class Page {
  readonly #source: DataSource;
  readonly #parts: Parts;
  #view: View;
  /** undefined until the server has told. */
  #facts: readonly SeriesFacts[] | undefined;
  #feed: Feed | undefined;
  #interval: ChartInterval | undefined;
  readonly #listening: Listening;
  readonly #load = new Delayed(60);
  readonly #layers = new Delayed(200);
  readonly #address: Address;
  readonly #retry = new Delayed(RETRY_MS);
  readonly #reload = new Delayed(500);

  constructor(source: DataSource, parts: Parts, view: View) {
    this.#source = source;
    this.#parts = parts;
    this.#view = view;
    this.#address = new Address(source.isLive);
    this.#listening = new Listening(source, parts, () => this.#renewSoon());
    parts.drawing.panes.onVisible(() => this.#onMoved());
    globalThis.addEventListener('popstate', () => this.#onBack());
  }

  get view(): View {
    return this.#view;
  }

  get feed(): Feed | undefined {
    return this.#feed;
  }

  /** The shown series; undefined while none is known. */
  get facts(): SeriesFacts | undefined {
    const { series } = this.#view;
    return this.#facts?.find((one) => series !== undefined && isSame(one, series));
  }

  async start(): Promise<void> {
    await this.attempt(async () => {
      const { series, range } = this.#view;
      // The picture need not wait for the list of series. What fails is asked for again below.
      if (series !== undefined && range !== undefined)
        void this.#show(range).catch(() => undefined);
      await this.#loadFacts();
      await this.#show(this.#view.range);
    });
    await this.#listening.askStatus();
  }

  /** The user has chosen something else; the back button returns from it. */
  change(change: Partial<View>): void {
    const before = { ...this.#view, range: this.#parts.drawing.panes.visible ?? this.#view.range };
    this.#view = { ...before, ...change };
    this.#address.push(before, this.#view);
    this.#parts.banner.tell(undefined);
    if (change.series !== undefined) this.#clear();
    if (change.zone !== undefined) this.restyle();
    void this.attempt(async () => this.#show(this.#view.range));
  }

  /** Shows another range of the same series; the back button returns from it. */
  goTo(range: VisibleRange): void {
    this.change({ range });
  }

  restyle(): void {
    const { drawing, layers, readPalette } = this.#parts;
    const palette = readPalette();
    drawing.restyle(palette, new ZoneClock(this.#view.zone));
    layers.clear(palette);
    this.#layers.whenQuiet(() => this.#showLayers());
    drawing.drawStrip();
  }

  #onMoved(): void {
    const { visible } = this.#parts.drawing.panes;
    if (visible === undefined || this.#feed === undefined) return;
    this.#view = { ...this.#view, range: visible };
    this.#parts.drawing.moved();
    this.#load.soon(() => void this.attempt(async () => this.#show(undefined)));
    this.#layers.whenQuiet(() => this.#showLayers());
    this.#address.replaceSoon(() => this.#view);
  }

  #onBack(): void {
    const view = parseView(location.search);
    const series = view.series ?? this.#view.series;
    const isOther =
      series !== undefined && this.#view.series !== undefined && !isSame(series, this.#view.series);
    this.#view = { ...view, series };
    if (isOther) this.#clear();
    this.restyle();
    void this.attempt(async () => this.#show(view.range));
  }

  #clear(): void {
    this.#feed?.close();
    this.#feed = undefined;
    this.#interval = undefined;
    for (const delayed of [this.#load, this.#layers, this.#address, this.#retry]) delayed.cancel();
    this.#parts.drawing.clear();
    this.#parts.layers.clear(this.#parts.readPalette());
    this.#parts.banner.hush();
    delete document.body.dataset['shown'];
  }

  async #loadFacts(): Promise<void> {
    const { series } = await this.#source.ask('series', {}, AbortSignal.timeout(30_000));
    this.#facts = series;
    this.#parts.toolbar.setSeries(series);
    this.#parts.overlays.setSeries(series);
    // What is traded most is what most people look for.
    const [most] = series.toSorted((a, b) => b.rows - a.rows);
    if (this.#view.series === undefined && most !== undefined)
      this.#view = { ...this.#view, series: { market: most.market, symbol: most.symbol } };
  }

  /** @param asked to show; undefined: what is visible now */
  async #show(asked: VisibleRange | undefined): Promise<void> {
    const { drawing, toolbar, overlays, banner } = this.#parts;
    const { facts } = this;
    const { series } = this.#view;
    toolbar.show(this.#view, this.#interval ?? '');
    if (this.#facts !== undefined && facts === undefined) {
      banner.say(...(series === undefined ? NO_SERIES : unknownSeries(series)));
      return;
    }
    const whole = asked ?? drawing.panes.visible ?? (facts && lastDay(facts));
    if (series === undefined || whole === undefined || !this.#hasFit()) return;
    const { feed, isNew } = this.#feedFor(series, whole);
    const mostMs = (this.#widthPx() / MIN_BAR_PX) * feed.intervalMs;
    const wanted = drawable(whole, mostMs, instantOf(this.#view.anchor));
    const range = asked === undefined && wanted === whole ? undefined : wanted;
    if (facts !== undefined) {
      if (range !== undefined || isNew)
        feed.limits = limitsOf(facts, {
          stepMs: feed.intervalMs,
          asked: wanted,
          nowMs: Date.now(),
        });
      drawing.setUnit(facts.unit === 'contracts' ? 'contracts' : 'base coin');
    }
    toolbar.show(this.#view, feed.choice.interval);
    overlays.show(this.#view);
    this.#listening.to(this.#view);
    const isChanged = await this.#cover(feed, wanted);
    await drawing.panes.laidOut();
    if (this.#feed !== feed) return;
    if (!this.#listening.isLost) banner.clear();
    if (isChanged || isNew || range !== undefined) {
      // Meanwhile the picture may have been moved on.
      const shown = range ?? (isNew ? (drawing.panes.visible ?? wanted) : undefined);
      drawing.draw(feed, this.#view, shown);
      drawing.moved();
      document.title = `${series.symbol} ${feed.choice.interval} · cdvault`;
      document.body.dataset['shown'] =
        `${viewQuery({ ...this.#view, range: undefined })}&shown=${feed.choice.interval}`;
      this.#layers.whenQuiet(() => this.#showLayers());
    }
    if (facts !== undefined) this.#tellEmptiness(facts);
    await this.#coverLines(feed, wanted);
  }

  /** Whether bars of the view can begin at its anchor. If not, says so in the place of the chart. */
  #hasFit(): boolean {
    const { interval, anchor, zone } = this.#view;
    const fitting = fittingIntervals(anchor, this.#source.intervals);
    if (interval === 'auto' ? fitting.length > 0 : fitting.includes(interval)) return true;
    const range = this.#parts.drawing.panes.visible ?? this.#view.range;
    this.#clear();
    this.#view = { ...this.#view, range };
    const text = instantText(anchor, new ZoneClock(zone));
    this.#parts.banner.say(...misfit(text, fitting, () => this.change({ interval: 'auto' })));
    return false;
  }

  /**
   * What the source refuses for good is said in the place of the chart.
   * @returns whether there is something new to draw
   */
  async #cover(feed: Feed, wanted: VisibleRange): Promise<boolean> {
    try {
      return await awaited(feed.cover(wanted));
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== BAD_REQUEST) throw error;
      // Nothing of an earlier choice stays under the new ones.
      if (this.#feed === feed) {
        this.#clear();
        this.#parts.banner.say(...refused(error));
      }
      return false;
    }
  }

  #widthPx(): number {
    return this.#parts.drawing.panes.chart.timeScale().width() || innerWidth - 80;
  }

  /** The feed of the view; a new one when it shows something else. */
  #feedFor(series: SeriesName, visible: VisibleRange): { feed: Feed; isNew: boolean } {
    const { anchor, open } = this.#view;
    const interval = chooseInterval(this.#view, visible, {
      held: this.#source.intervals,
      widthPx: this.#widthPx(),
      current: this.#interval,
    });
    this.#interval = interval;
    const choice = { series, interval, anchor, open };
    const current = this.#feed;
    if (current !== undefined && JSON.stringify(current.choice) === JSON.stringify(choice))
      return { feed: current, isNew: false };
    current?.close();
    const feed = new Feed(this.#source, choice);
    this.#feed = feed;
    return { feed, isNew: true };
  }

  async #coverLines(feed: Feed, visible: VisibleRange): Promise<void> {
    const names = linesOf(this.#view);
    const changed = await Promise.all(names.map(async (name) => feed.coverLine(name, visible)));
    if (this.#feed === feed && changed.some(Boolean))
      this.#parts.drawing.redrawLines(feed, this.#view);
  }

  #tellEmptiness(facts: SeriesFacts): void {
    const { banner, drawing } = this.#parts;
    if (drawing.seen.points.some(({ bar }) => bar !== undefined)) return banner.hush();
    banner.say(...emptyRange(facts, () => this.goTo(lastDay(facts))));
  }

  #showLayers(): void {
    if (this.#feed === undefined) return;
    const { layers, readPalette } = this.#parts;
    void awaited(layers.show(this.#feed, this.#view, readPalette()));
  }

  #renewSoon(): void {
    this.#reload.soon(() => void this.attempt(async () => this.#renew()));
  }

  /** Bars have changed: loads them again. A picture that ends with the last bar moves on with it. */
  async #renew(): Promise<void> {
    const before = this.facts;
    await this.#loadFacts();
    const { visible } = this.#parts.drawing.panes;
    const after = this.facts;
    if (before === undefined || after === undefined || visible === undefined)
      return this.#show(this.#view.range);
    const stepMs = CHART_INTERVAL_MS[this.#interval ?? '1m'];
    const isAtEnd = Math.abs(visible.toMs - before.to) <= FOLLOW_BARS * stepMs;
    const moveMs = isAtEnd ? after.to - before.to : 0;
    this.#feed?.close();
    this.#feed = undefined;
    await this.#show({ fromMs: visible.fromMs + moveMs, toMs: visible.toMs + moveMs });
  }

  /** Does what may fail: says what fails, and asks again when that may help. */
  async attempt(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      if (isAborted(error)) return;
      this.#parts.banner.fail(error, this.#view.series);
      if (error instanceof Refusal && error.isRetryable)
        this.#retry.soon(() => void this.attempt(async () => this.#again()));
    }
  }

  async #again(): Promise<void> {
    if (this.#facts === undefined) await this.#loadFacts();
    await this.#show(this.#feed === undefined ? this.#view.range : undefined);
  }
}
