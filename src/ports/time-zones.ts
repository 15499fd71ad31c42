import type { ClockTime } from '../domain/bars/anchor.ts';

/** Civil time in the zones of the IANA data base, such as `America/New_York`. */
export interface TimeZones {
  readonly has: (zone: string) => boolean;
  /**
   * Of a zone that `has` knows. A time that its clocks skip comes as long after the skip as it was meant
   * after its start; of one that they show twice it is the first.
   */
  readonly clockTime: ClockTime;
}
