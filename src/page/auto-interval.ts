import {
  type ChartInterval,
  CHART_INTERVAL_MS,
  fittingIntervals,
  STORED_INTERVALS,
} from './intervals.ts';
import type { View, VisibleRange } from './view.ts';

/** A candle with its gap can be read well at this width. */
const GOOD_WIDTH_PX = 7;

/** The current interval stays while its bars are this wide, so that a small zoom changes nothing. */
const KEEP_PX = { least: 3, most: 22 };

/** The narrowest bar that is drawn. */
export const MIN_BAR_PX = 0.6;

/** The interval of a view whose anchor fits at least one of those that are held. */
export function chooseInterval(
  { interval, anchor }: Pick<View, 'interval' | 'anchor'>,
  visible: VisibleRange,
  picture: {
    readonly held: readonly ChartInterval[];
    readonly widthPx: number;
    readonly current: ChartInterval | undefined;
  },
): ChartInterval {
  if (interval !== 'auto') return interval;
  const stored = picture.held.filter((one) => STORED_INTERVALS.includes(one));
  const fitting = fittingIntervals(anchor, stored);
  return autoInterval(visible, picture.widthPx, fitting, picture.current);
}

/** The one of `intervals`, of which there is at least one, whose bars are about as wide as can be read well. */
export function autoInterval(
  { fromMs, toMs }: VisibleRange,
  widthPx: number,
  intervals: readonly ChartInterval[],
  current?: ChartInterval,
): ChartInterval {
  const barPx = (interval: ChartInterval) =>
    (widthPx * CHART_INTERVAL_MS[interval]) / (toMs - fromMs);
  if (current !== undefined && intervals.includes(current)) {
    const width = barPx(current);
    if (width >= KEEP_PX.least && width <= KEEP_PX.most) return current;
    // One that can be zoomed in to no further: a footprint needs wide bars.
    if (current === '1m' && width > KEEP_PX.most) return current;
  }
  const misfit = (interval: ChartInterval) => Math.abs(Math.log(barPx(interval) / GOOD_WIDTH_PX));
  return intervals.reduce((best, next) => (misfit(next) < misfit(best) ? next : best));
}
