import type { ClockTime } from '../domain/bars/anchor.ts';

/** Civil time in the zones of the IANA database, such as `America/New_York`. */
export interface TimeZones {
  readonly has: (zone: string) => boolean;
  /**
   * The instant of a clock time, in a zone that `has` knows. A time that the clocks skip is moved forward
   * by the length of the skip; of a time that they show twice the first is used.
   */
  readonly clockTime: ClockTime;
}
