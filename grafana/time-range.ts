import { DAY_MS, HOUR_MS } from '../src/domain/time/hour.ts';

/**
 * The dashboard's range in SQL. `$__from` and `$__to` are milliseconds and the same in both data
 * sources; `$__timeFrom()` and `$__timeGroup` are not, and stay out.
 */
export const FROM = 'cast($__from * 1000 AS timestamp)';
export const TO = 'cast($__to * 1000 AS timestamp)';

/** UTC days that the range touches, whole. */
export const FROM_DAY = `timestamp_floor('1d', ${FROM})`;
export const TO_DAY_END = `timestamp_floor('1d', cast(($__to + ${DAY_MS}) * 1000 AS timestamp))`;

/** A session that holds the range's start began at most 25 hours before: clocks go back one hour. */
export const READ_FROM = `cast(($__from - ${25 * HOUR_MS}) * 1000 AS timestamp)`;
/** A bar that begins inside the range ends at most a session's day behind it. */
export const READ_TO = `cast(($__to + ${25 * HOUR_MS}) * 1000 AS timestamp)`;
