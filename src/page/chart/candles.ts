/** Bars as the library draws them. Doubles are for drawing only: texts come from the bars. */

import type { CandlestickData, HistogramData, WhitespaceData } from 'lightweight-charts';
import type { Point, PriceTexts } from '../data/bar.ts';
import type { BarStatus } from '../data/answers.ts';
import { chartTime } from './level-line.ts';
import { type Palette, translucent } from './palette.ts';

type Levels = Pick<PriceTexts, 'open' | 'high' | 'low' | 'close'>;

/** A bar that may still change is drawn fainter, and hollow. */
const UNPROVEN_OPACITY: Readonly<Record<Exclude<BarStatus, 'final'>, number>> = {
  partial: 0.75,
  forming: 0.5,
};
/** Volumes stand behind the delta. */
const VOLUME_OPACITY = 0.28;

export function candle(
  { timeMs, bar }: Point,
  levels: Levels | undefined,
  palette: Palette,
): CandlestickData | WhitespaceData {
  const time = chartTime(timeMs);
  if (bar === undefined || levels === undefined) return { time };
  const [open, high, low, close] = [levels.open, levels.high, levels.low, levels.close].map(Number);
  if (open === undefined || high === undefined || low === undefined || close === undefined)
    return { time };
  const values = { time, open, high, low, close };
  if (bar.status === 'final') return values;
  const colour = close >= open ? palette.up : palette.down;
  const faint = translucent(colour, UNPROVEN_OPACITY[bar.status]);
  return { ...values, color: palette.ground, borderColor: faint, wickColor: faint };
}

export interface VolumeColumns {
  readonly buy: HistogramData | WhitespaceData;
  /** Below zero. */
  readonly sell: HistogramData | WhitespaceData;
  readonly delta: HistogramData | WhitespaceData;
}

export function volumeColumns({ timeMs, bar }: Point, palette: Palette): VolumeColumns {
  const time = chartTime(timeMs);
  if (bar === undefined) return { buy: { time }, sell: { time }, delta: { time } };
  const delta = Number(bar.delta);
  const opacity = bar.status === 'final' ? 1 : UNPROVEN_OPACITY[bar.status] * 0.7;
  return {
    buy: {
      time,
      value: Number(bar.buyVolume),
      color: translucent(palette.up, VOLUME_OPACITY * opacity),
    },
    sell: {
      time,
      value: -Number(bar.sellVolume),
      color: translucent(palette.down, VOLUME_OPACITY * opacity),
    },
    delta: {
      time,
      value: delta,
      color: translucent(delta >= 0 ? palette.up : palette.down, opacity),
    },
  };
}
