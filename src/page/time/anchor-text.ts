/** Anchors in words. */

import { instantOf, isAtAnchor } from './level-start.ts';
import type { ZoneClock } from './zone-clock.ts';

export function zoneName(zone: string): string {
  return (zone.split('/').at(-1) ?? zone).replaceAll('_', ' ');
}

/** What 0 means, in words. */
export function anchorText(anchor: string, clock: ZoneClock): string {
  switch (anchor) {
    case 'visible':
      return '0 at the left edge';
    case 'day':
      return '0 at UTC midnight';
    case 'week':
      return '0 on Monday, UTC midnight';
    case 'month':
      return '0 on the 1st, UTC midnight';
    case 'total':
      return "continuous from the series' start";
  }
  const bars = rollingBars(anchor);
  if (bars !== undefined) return `rolling ${bars} bars`;
  const [, time, zone] = /^session:(.*)@(.*)$/.exec(anchor) ?? [];
  return zone === undefined
    ? `0 at ${instantText(anchor, clock)}`
    : `0 at ${time} ${zoneName(zone)}`;
}

/** The levels of such an anchor are sums of so many bars, and begin at no time. */
export function rollingBars(anchor: string): number | undefined {
  const [, bars] = /^rolling:(\d+)$/.exec(anchor) ?? [];
  return bars === undefined ? undefined : Number(bars);
}

/** An anchor that is an instant, on the clocks of the page; any other as it is. */
export function instantText(anchor: string, clock: ZoneClock): string {
  const timeMs = instantOf(anchor);
  return timeMs === undefined ? anchor : timeText(timeMs, clock);
}

/** `2025-06-03 08:17 New York`. */
function timeText(timeMs: number, clock: ZoneClock): string {
  return `${clock.text(timeMs)} ${zoneName(clock.zone)}`;
}

/** From where the level of a bar counts when the hours after its anchor are not stored. */
export function lateStartText(
  anchor: string,
  levelFromMs: number,
  clock: ZoneClock,
): string | undefined {
  if (isAtAnchor(anchor, levelFromMs)) return undefined;
  return `counts from ${timeText(levelFromMs, clock)}, the first stored hour`;
}

/** How an anchor is called in the list of choices. */
export function anchorName(anchor: string, clock: ZoneClock): string {
  const bars = rollingBars(anchor);
  if (bars !== undefined) return `Rolling ${bars} bars`;
  const [, time, zone] = /^session:(.*)@(.*)$/.exec(anchor) ?? [];
  return zone === undefined ? `From ${instantText(anchor, clock)}` : `${zoneName(zone)} ${time}`;
}
