import { DAY_MS } from '../domain/time/hour.ts';
import type { SeriesFacts } from './data/answers.ts';
import type { VisibleRange } from './view.ts';

/** The share of the picture before an anchor. */
const BEFORE_ANCHOR = 0.1;

type Stored = Pick<SeriesFacts, 'from' | 'to'>;

/** Whole bars of what is stored, and of a past range that is asked for: the axis shows that nothing is there. */
export function limitsOf(
  { from, to }: Stored,
  { stepMs, asked, nowMs }: { stepMs: number; asked: VisibleRange; nowMs: number },
): VisibleRange {
  const fromMs = Math.min(from, asked.fromMs);
  const toMs = Math.max(to, Math.min(asked.toMs, nowMs));
  return { fromMs: Math.floor(fromMs / stepMs) * stepMs, toMs: Math.ceil(toMs / stepMs) * stepMs };
}

/** The last day that is stored. */
export function lastDay({ from, to }: Stored): VisibleRange {
  return { fromMs: Math.max(from, to - DAY_MS), toMs: to };
}

/**
 * The part of a range whose bars the chart can draw side by side: from shortly before the anchor, if that is
 * in the range, else the last part.
 * @param mostMs its longest length
 */
export function drawable(
  range: VisibleRange,
  mostMs: number,
  anchorMs: number | undefined,
): VisibleRange {
  const { fromMs, toMs } = range;
  if (toMs - fromMs <= mostMs) return range;
  if (anchorMs === undefined || anchorMs < fromMs || anchorMs > toMs - mostMs)
    return { fromMs: toMs - mostMs, toMs };
  const startMs = Math.max(fromMs, Math.floor(anchorMs - mostMs * BEFORE_ANCHOR));
  return { fromMs: startMs, toMs: startMs + mostMs };
}
