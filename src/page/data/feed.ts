/** The bars of one choice of series, interval, anchor and open rule, loaded as the picture moves. */

import { type ChartInterval, CHART_INTERVAL_MS } from '../intervals.ts';
import type { SeriesName, View, VisibleRange } from '../view.ts';
import type { CoverageAnswer, Verdict } from './answers.ts';
import { type LevelBar, levelsByTime, type Point, pointsOf } from './bar.ts';
import { instantOf } from '../time/level-start.ts';
import { Chunks } from './chunks.ts';
import type { DataSource, Query } from './source.ts';

export interface FeedChoice extends Pick<View, 'anchor' | 'open'> {
  readonly series: SeriesName;
  readonly interval: ChartInterval;
}

/** A line beside the CDV of the shown series: another series, or a tier of the shown one. */
export type LineName =
  | { readonly kind: 'series'; readonly series: SeriesName }
  | { readonly kind: 'tier'; readonly tier: string };

/** The lines that a view has. */
export function linesOf({ overlays, tiers }: View): LineName[] {
  return [
    ...overlays.map((series) => ({ kind: 'series', series }) as const),
    ...tiers.map((tier) => ({ kind: 'tier', tier }) as const),
  ];
}

export interface CoverageRun {
  readonly fromMs: number;
  readonly toMs: number;
  readonly verdict: Verdict;
  readonly missing: number | null;
}

interface Piece {
  readonly points: readonly Point[];
  readonly coverage: readonly CoverageRun[];
}

export class Feed {
  readonly choice: FeedChoice;
  readonly intervalMs: number;
  /** There are no bars outside of it. */
  #limits: VisibleRange;
  readonly #source: DataSource;
  readonly #bars: Chunks<Piece>;
  #tiers: readonly string[] = [];
  readonly #lines = new Map<string, Chunks<readonly [number, LevelBar][]>>();

  constructor(source: DataSource, choice: FeedChoice) {
    this.#source = source;
    this.choice = choice;
    this.intervalMs = CHART_INTERVAL_MS[choice.interval];
    this.#limits = { fromMs: instantOf(choice.anchor) ?? -Infinity, toMs: Infinity };
    this.#bars = new Chunks(this.intervalMs, async (range, signal) => {
      const [bars, coverage] = await Promise.all([
        source.ask('bars', barsQuery(choice.series, choice, range), signal),
        source.ask('coverage', { ...choice.series, ...asked(range) }, signal),
      ]);
      return { points: pointsOf(bars, this.intervalMs, range), coverage: runsOf(coverage) };
    });
  }

  get limits(): VisibleRange {
    return this.#limits;
  }

  /** @param stored what may be stored; it need not be known when the first bars are asked for */
  set limits(stored: VisibleRange) {
    const anchorMs = instantOf(this.choice.anchor) ?? -Infinity;
    this.#limits = { ...stored, fromMs: Math.max(stored.fromMs, anchorMs) };
  }

  get points(): readonly Point[] {
    const { fromMs, toMs } = this.limits;
    return this.#bars.pieces
      .flatMap(({ points }) => points)
      .filter((point) => point.endMs > fromMs && point.timeMs < toMs);
  }

  /** Lower bounds of all tiers of the series; empty until a line of a tier is loaded. */
  get tiers(): readonly string[] {
    return this.#tiers;
  }

  get coverage(): readonly CoverageRun[] {
    const { fromMs, toMs } = this.limits;
    return this.#bars.pieces
      .flatMap(({ coverage }) => coverage)
      .filter((run) => run.toMs > fromMs && run.fromMs < toMs);
  }

  /** Levels of a line by the start of their bar. */
  levelsOf(line: LineName): ReadonlyMap<number, LevelBar> {
    return new Map(this.#lines.get(lineKey(line))?.pieces.flat());
  }

  /** @returns true when there is something new to draw */
  async cover(visible: VisibleRange): Promise<boolean> {
    return this.#bars.cover(visible, this.limits);
  }

  /** The same for one line. */
  async coverLine(line: LineName, visible: VisibleRange): Promise<boolean> {
    const key = lineKey(line);
    const chunks =
      this.#lines.get(key) ??
      new Chunks(this.intervalMs, async (range, signal) => this.#loadLine(line, range, signal));
    this.#lines.set(key, chunks);
    return chunks.cover(visible, this.limits);
  }

  close(): void {
    for (const chunks of [this.#bars, ...this.#lines.values()]) chunks.close();
  }

  async #loadLine(line: LineName, range: VisibleRange, signal: AbortSignal) {
    const series = line.kind === 'series' ? line.series : this.choice.series;
    const query = barsQuery(series, this.choice, range);
    if (line.kind === 'series')
      return levelsByTime((await this.#source.ask('bars', query, signal)).columns);
    const { tiers, columns } = await this.#source.ask(
      'tiers',
      { ...query, tier: line.tier },
      signal,
    );
    this.#tiers = tiers.map(String);
    return levelsByTime(columns);
  }
}

/** The question for the bars of a range. */
export function barsQuery(
  series: SeriesName,
  { interval, anchor, open }: Pick<FeedChoice, 'interval' | 'anchor' | 'open'>,
  range: VisibleRange,
): Query {
  const fromMs = Math.max(range.fromMs, instantOf(anchor) ?? -Infinity);
  return {
    ...series,
    interval,
    // Levels from the left edge are counted here, from whatever levels there are.
    anchor: anchor === 'visible' ? 'day' : anchor,
    open,
    exact: 'true',
    ...asked({ ...range, fromMs }),
  };
}

export function lineKey(line: LineName): string {
  return line.kind === 'tier' ? line.tier : `${line.series.market}:${line.series.symbol}`;
}

export function isSame(a: SeriesName, b: SeriesName): boolean {
  return a.market === b.market && a.symbol === b.symbol;
}

function asked({ fromMs, toMs }: VisibleRange): Query {
  return { from: fromMs, to: toMs };
}

function runsOf({ columns }: CoverageAnswer): CoverageRun[] {
  return columns.from.flatMap((fromMs, index) => {
    const [toMs, verdict] = [columns.to[index], columns.verdict[index]];
    if (toMs === undefined || verdict === undefined) return [];
    return [{ fromMs, toMs, verdict, missing: columns.missing[index] ?? null }];
  });
}
