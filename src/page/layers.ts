/** What is drawn over the prices by trades: footprint and volume profile of what is visible. */

import type { ChartInterval } from './intervals.ts';
import type { VisibleRange, View } from './view.ts';
import type { Feed } from './data/feed.ts';
import { type DataSource, isAborted, Refusal } from './data/source.ts';
import { cellsOf, rowsOf } from './chart/cells.ts';
import { Footprint } from './chart/footprint.ts';
import type { Palette } from './chart/palette.ts';
import type { Panes } from './chart/panes.ts';
import { binFor } from './chart/price-bins.ts';
import { Profile } from './chart/profile.ts';
import type { CellLegend } from './ui/cell-legend.ts';

/** Narrower cells can't be read. */
const FOOTPRINT_SLOT_PX = 46;
/** A number and little space around it. The next bin is up to 2.5 times as high. */
const FOOTPRINT_ROW_PX = 13;
const PROFILE_ROW_PX = 5;

/** What the page says of the layers. */
export interface LayerTexts {
  readonly legend: CellLegend;
  readonly note: (what: 'profile' | 'footprint', text: string) => void;
  /** The bin of the cells; undefined when there are none. */
  readonly bin: (bin: string | undefined) => void;
}

interface Loaded {
  readonly symbol: string;
  readonly market: string;
  readonly interval: ChartInterval | undefined;
  readonly bin: string;
  readonly range: VisibleRange;
}

export class Layers {
  readonly #source: DataSource;
  readonly #panes: Panes;
  readonly #footprint: Footprint;
  readonly #profile: Profile;
  readonly #texts: LayerTexts;
  #request = new AbortController();
  #cells: Loaded | undefined;
  #rows: Loaded | undefined;

  constructor(source: DataSource, panes: Panes, palette: Palette, texts: LayerTexts) {
    this.#source = source;
    this.#panes = panes;
    this.#texts = texts;
    this.#footprint = new Footprint(palette);
    this.#profile = new Profile(palette);
    panes.price.attachPrimitive(this.#footprint);
    panes.price.attachPrimitive(this.#profile);
    panes.onCursor((index, price) => this.#point(index, price));
  }

  clear(palette: Palette): void {
    this.#request.abort();
    this.#cells = undefined;
    this.#rows = undefined;
    this.#footprint.set(undefined, [], palette);
    this.#profile.set(undefined, palette);
  }

  /** Loads and draws what the view wants of the visible range. */
  async show(feed: Feed, view: View, palette: Palette): Promise<void> {
    const { visible } = this.#panes;
    if (visible === undefined) return;
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    await Promise.all([
      this.#guard('footprint', signal, async () =>
        this.#showCells({ feed, visible, palette, signal }, view),
      ),
      this.#guard('profile', signal, async () =>
        this.#showProfile({ feed, visible, palette, signal }, view.profile),
      ),
    ]);
  }

  #point(index: number | undefined, price: number | undefined): void {
    const point = index === undefined ? undefined : this.#panes.places.points[index];
    if (point === undefined || price === undefined)
      return this.#texts.legend.show(undefined, undefined);
    const cell = this.#footprint.textsAt(point.timeMs, price);
    this.#texts.legend.show(cell, this.#profile.textsAt(price));
  }

  /** What can't be shown is no failure of the page: a note says why. */
  async #guard(
    what: 'profile' | 'footprint',
    signal: AbortSignal,
    task: () => Promise<string>,
  ): Promise<void> {
    try {
      this.#texts.note(what, await task());
    } catch (error) {
      if (isAborted(error) || signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      this.#texts.note(what, `${error.message} ${error.advice}`);
    }
  }

  async #showCells(
    { feed, visible, palette, signal }: Task,
    { footprint: isWanted, bin }: View,
  ): Promise<string> {
    const spacing = this.#panes.chart.timeScale().options().barSpacing;
    const { points } = this.#panes.places;
    const clear = () => {
      this.#cells = undefined;
      this.#footprint.set(undefined, points, palette);
      this.#texts.bin(undefined);
    };
    if (!isWanted || spacing < FOOTPRINT_SLOT_PX) {
      clear();
      return isWanted ? 'Zoom in until bars are about 50 pixels wide.' : '';
    }
    const { interval } = feed.choice;
    if (this.#startsOffGrid(feed, visible)) {
      clear();
      return `None here: cells begin at whole steps of ${interval} in UTC, and these bars do not. Choose a shorter interval.`;
    }
    const suited = this.#wanted(feed, visible, { rowPx: FOOTPRINT_ROW_PX, interval });
    if (suited === undefined) return '';
    const wanted = { ...suited, bin: bin === 'auto' ? suited.bin : bin };
    if (holds(this.#cells, wanted)) return '';
    // Cells of another bin are not those that the panel names.
    if (this.#cells?.bin !== wanted.bin) clear();
    this.#texts.bin(wanted.bin);
    const query = { ...feed.choice.series, interval, bin: wanted.bin, ...asked(wanted.range) };
    const answer = await this.#source.ask('footprint', query, signal);
    signal.throwIfAborted();
    this.#cells = wanted;
    this.#footprint.set(cellsOf(answer), this.#panes.places.points, palette);
    return answer.next === null
      ? ''
      : 'Too many cells: the later bars have none. Choose coarser ones.';
  }

  /** Bars of a session that begins at 09:30 do when they are longer than 30 minutes. */
  #startsOffGrid({ intervalMs }: Feed, { fromMs, toMs }: VisibleRange): boolean {
    return this.#panes.places.points.some(
      ({ timeMs, endMs }) => endMs > fromMs && timeMs < toMs && timeMs % intervalMs !== 0,
    );
  }

  async #showProfile({ feed, visible, palette, signal }: Task, isWanted: boolean): Promise<string> {
    if (!isWanted) {
      this.#rows = undefined;
      this.#profile.set(undefined, palette);
      return '';
    }
    const wanted = this.#wanted(feed, visible, { rowPx: PROFILE_ROW_PX, interval: undefined });
    if (wanted === undefined || isEqual(this.#rows, wanted)) return '';
    // A profile of another range would be wrong, so that it goes before the next one comes.
    this.#profile.set(undefined, palette);
    this.#rows = undefined;
    const { columns, bin } = await this.#source.ask(
      'profile',
      { ...feed.choice.series, bin: wanted.bin, ...asked(wanted.range) },
      signal,
    );
    signal.throwIfAborted();
    this.#rows = wanted;
    this.#profile.set({ bin: Number(bin), rows: rowsOf(columns, bin) }, palette);
    return '';
  }

  /** Whole visible bars, and a bin whose rows can be read; undefined when there is nothing to draw. */
  #wanted(
    feed: Feed,
    visible: VisibleRange,
    { rowPx, interval }: { readonly rowPx: number; readonly interval: ChartInterval | undefined },
  ): Loaded | undefined {
    const { points } = this.#panes.places;
    const pricesPerPx = this.#panes.pricesPerPx();
    const { series } = feed.choice;
    const { limits } = feed;
    const first = points[this.#panes.places.indexAt(visible.fromMs)];
    const last = points[this.#panes.places.indexAt(visible.toMs)];
    if (pricesPerPx === undefined || first === undefined || last === undefined) return undefined;
    const fromMs = Math.max(first.timeMs, limits.fromMs);
    const toMs = Math.min(last.endMs, limits.toMs);
    if (fromMs >= toMs) return undefined;
    const bin = binFor(pricesPerPx, rowPx);
    return { ...series, interval, bin, range: { fromMs, toMs } };
  }
}

interface Task {
  readonly feed: Feed;
  readonly visible: VisibleRange;
  readonly palette: Palette;
  readonly signal: AbortSignal;
}

/** Whether what is loaded has all that is wanted, so that a small move needs no request. */
function holds(loaded: Loaded | undefined, wanted: Loaded): boolean {
  if (loaded === undefined || !isEqual({ ...loaded, range: wanted.range }, wanted)) return false;
  return loaded.range.fromMs <= wanted.range.fromMs && loaded.range.toMs >= wanted.range.toMs;
}

function isEqual(a: Loaded | undefined, b: Loaded): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function asked({ fromMs, toMs }: VisibleRange) {
  return { exact: 'true', from: fromMs, to: toMs };
}
