import { DAY_MS } from '../domain/time/hour.ts';
import type { SeriesFacts } from './data/answers.ts';
import { instantOf } from './time/level-start.ts';
import type { VisibleRange } from './view.ts';

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

/** There are no bars before an anchor that is an instant: the range, or the one that begins there. */
export function notBefore(anchor: string, range: VisibleRange): VisibleRange {
  const anchorMs = instantOf(anchor);
  if (anchorMs === undefined || anchorMs < range.toMs) return range;
  return { fromMs: anchorMs, toMs: anchorMs + range.toMs - range.fromMs };
}
