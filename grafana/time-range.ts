import { DAY_MS, HOUR_MS } from '../src/domain/time/hour.ts';

/**
 * The dashboard's range in SQL. `$__from` and `$__to` are milliseconds and equal in both data sources;
 * `$__timeFrom()` and `$__timeGroup` differ and are not used.
 */
export const FROM = 'cast($__from * 1000 AS timestamp)';
export const TO = 'cast($__to * 1000 AS timestamp)';

/** The range extended to whole UTC days. */
export const FROM_DAY = `timestamp_floor('1d', ${FROM})`;
export const TO_DAY_END = `timestamp_floor('1d', cast(($__to + ${DAY_MS}) * 1000 AS timestamp))`;

/**
 * The session that contains the range's start began at most 25 hours earlier, when clocks go back one
 * hour.
 */
export const READ_FROM = `cast(($__from - ${25 * HOUR_MS}) * 1000 AS timestamp)`;
/** A bar that begins in the range ends at most one session day, 25 hours, after it. */
export const READ_TO = `cast(($__to + ${25 * HOUR_MS}) * 1000 AS timestamp)`;
