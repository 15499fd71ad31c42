/** The time axis of the chart in a time zone: which times get a label, and which one. */

import {
  defaultHorzScaleBehavior,
  type IHorzScaleBehavior,
  type TickMarkFormatter,
  TickMarkType,
  type TickMarkWeightValue,
  type Time,
} from 'lightweight-charts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../domain/time/hour.ts';
import type { ZoneClock } from './zone-clock.ts';

/** The weights of the library's own axis, longest first: a time that begins a longer span is labelled first. */
const WEIGHTS: readonly (readonly [spanMs: number, weight: number])[] = [
  [DAY_MS, 50],
  [12 * HOUR_MS, 33],
  [6 * HOUR_MS, 32],
  [3 * HOUR_MS, 31],
  [HOUR_MS, 30],
  [30 * MINUTE_MS, 22],
  [5 * MINUTE_MS, 21],
  [MINUTE_MS, 20],
];
const YEAR_WEIGHT = 70;
const MONTH_WEIGHT = 60;

/** Weighs the points of the axis by the clock of a zone; the library itself knows UTC only. */
export function zonedAxis(clockOf: () => ZoneClock): IHorzScaleBehavior<Time> {
  const Base = defaultHorzScaleBehavior();
  class ZonedAxis extends Base {
    override fillWeightsForPoints(
      ...[points, startIndex]: Parameters<IHorzScaleBehavior<Time>['fillWeightsForPoints']>
    ): void {
      const clock = clockOf();
      const wallMs = (index: number) => clock.wallMs(Number(points[index]?.originalTime) * 1000);
      for (let index = startIndex; index < points.length; index += 1) {
        const point = points[index];
        if (point === undefined) continue;
        // The first point is weighed as if one were before it.
        const before =
          index > 0 ? wallMs(index - 1) : points.length > 1 ? 2 * wallMs(0) - wallMs(1) : NaN;
        point.timeWeight = weightOf(before, wallMs(index)) as TickMarkWeightValue;
      }
    }
  }
  return new ZonedAxis();
}

/** The longest span that begins between two wall times. */
function weightOf(beforeMs: number, wallMs: number): number {
  const [before, wall] = [new Date(beforeMs), new Date(wallMs)];
  if (Number.isNaN(beforeMs)) return MONTH_WEIGHT;
  if (before.getUTCFullYear() !== wall.getUTCFullYear()) return YEAR_WEIGHT;
  if (before.getUTCMonth() !== wall.getUTCMonth()) return MONTH_WEIGHT;
  const begun = WEIGHTS.find(
    ([spanMs]) => Math.floor(beforeMs / spanMs) !== Math.floor(wallMs / spanMs),
  );
  return begun?.[1] ?? 10;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function zonedLabel(clockOf: () => ZoneClock): TickMarkFormatter {
  return (time, type) => {
    const wall = new Date(clockOf().wallMs(Number(time) * 1000));
    switch (type) {
      case TickMarkType.Year:
        return String(wall.getUTCFullYear());
      case TickMarkType.Month:
        return MONTHS[wall.getUTCMonth()] ?? '';
      case TickMarkType.DayOfMonth:
        return `${wall.getUTCDate()} ${MONTHS[wall.getUTCMonth()] ?? ''}`;
      case TickMarkType.Time:
      case TickMarkType.TimeWithSeconds:
        return wall.toISOString().slice(11, 16);
      default:
        return type satisfies never;
    }
  };
}
