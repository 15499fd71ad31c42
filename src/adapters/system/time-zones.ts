import { createRequire } from 'node:module';
import type * as Polyfill from 'temporal-polyfill';
import type { TimeZones } from '../../ports/time-zones.ts';

const require = createRequire(import.meta.url);

/** Loaded at the first use, since few commands need it. */
function temporal() {
  const { Temporal } = require('temporal-polyfill') as typeof Polyfill;
  return Temporal;
}

export const timeZones: TimeZones = {
  has(zone) {
    try {
      temporal().Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  },
  clockTime(zone, dateMs, minuteOfDay) {
    const date = new Date(dateMs);
    const clock = {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: Math.floor(minuteOfDay / 60),
      minute: minuteOfDay % 60,
    };
    return temporal()
      .PlainDateTime.from(clock)
      .toZonedDateTime(zone, { disambiguation: 'compatible' }).epochMilliseconds;
  },
};
