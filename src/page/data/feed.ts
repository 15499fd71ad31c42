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
  limits: VisibleRange = { fromMs: -Infinity, toMs: Infinity };
  /** Bars before it have prices and volumes, and no levels. */
  readonly #levelsFromMs: number;
  readonly #source: DataSource;
  readonly #bars: Chunks<Piece>;
  #tiers: readonly string[] = [];
  readonly #lines = new Map<string, Chunks<readonly [number, LevelBar][]>>();

  constructor(source: DataSource, choice: FeedChoice) {
    this.#source = source;
    this.choice = choice;
    this.intervalMs = CHART_INTERVAL_MS[choice.interval];
    this.#levelsFromMs = instantOf(choice.anchor) ?? -Infinity;
    this.#bars = new Chunks(this.intervalMs, async (range, signal) => {
      const [coverage, ...points] = await Promise.all([
        source.ask('coverage', { ...choice.series, ...asked(range) }, signal),
        ...partsOf(choice, range).map(async (part) => {
          const query = barsQuery(choice.series, part.choice, part.range);
          return pointsOf(await source.ask('bars', query, signal), this.intervalMs, part.range);
        }),
      ]);
      return { points: points.flat(), coverage: runsOf(coverage) };
    });
  }

  /** Whether levels are counted there. */
  hasLevels({ timeMs }: Pick<Point, 'timeMs'>): boolean {
    return timeMs >= this.#levelsFromMs;
  }

  /** Whether levels are 0 at a time because the anchor is that instant. */
  isAnchor(timeMs: number): boolean {
    return timeMs === this.#levelsFromMs;
  }

  get points(): readonly Point[] {
    const { fromMs, toMs } = this.limits;
    return this.#bars.pieces
      .flatMap(({ points }) => points)
      .filter((point) => point.endMs > fromMs && point.timeMs < toMs);
  }

  /** The points that have levels. */
  get counted(): readonly Point[] {
    return this.points.filter((point) => this.hasLevels(point));
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
    const counted = { ...range, fromMs: Math.max(range.fromMs, this.#levelsFromMs) };
    if (counted.fromMs >= counted.toMs) return [];
    const query = barsQuery(series, this.choice, counted);
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

/** What bars are. */
export type BarsChoice = Pick<FeedChoice, 'interval' | 'anchor' | 'open'>;

/**
 * The API has no bars before an anchor that is an instant. Their prices and volumes are the same with any
 * anchor, so that those before it are asked for with another one.
 */
export function partsOf(
  choice: BarsChoice,
  range: VisibleRange,
): { choice: BarsChoice; range: VisibleRange }[] {
  const anchorMs = Math.min(instantOf(choice.anchor) ?? -Infinity, range.toMs);
  if (anchorMs <= range.fromMs) return [{ choice, range }];
  return [
    { choice: { ...choice, anchor: 'day' }, range: { ...range, toMs: anchorMs } },
    { choice, range: { ...range, fromMs: anchorMs } },
  ].filter((part) => part.range.fromMs < part.range.toMs);
}

/** The question for the bars of a range. */
export function barsQuery(
  series: SeriesName,
  { interval, anchor, open }: BarsChoice,
  range: VisibleRange,
): Query {
  return {
    ...series,
    interval,
    // Levels from the left edge are counted here, from whatever levels there are.
    anchor: anchor === 'visible' ? 'day' : anchor,
    open,
    exact: 'true',
    ...asked(range),
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
