/** The time that clocks of a zone show. */

import { DAY_MS, floorTo, MINUTE_MS } from '../../domain/time/hour.ts';

/** All changes of clocks since 1970 are at a multiple of this. */
const STEP_MS = 15 * MINUTE_MS;

export class ZoneClock {
  readonly zone: string;
  readonly #format: Intl.DateTimeFormat;
  /** Offsets from UTC by the start of a day, or of a step of a day on which clocks change. */
  readonly #offsets = new Map<number, number>();

  /** @param zone `local`, or a name of the IANA database */
  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      ...(zone !== 'local' && { timeZone: zone }),
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    this.zone = this.#format.resolvedOptions().timeZone;
  }

  /** What a clock of the zone shows, as the instant at which a clock of UTC shows it. */
  wallMs(timeMs: number): number {
    return timeMs + this.#offsetMs(timeMs);
  }

  /** The instant at which clocks show this: of two the earlier; where they skip it, as much later. */
  instantMs(wallMs: number): number {
    const before = wallMs - this.#offsetMs(wallMs - DAY_MS);
    const after = wallMs - this.#offsetMs(wallMs + DAY_MS);
    return this.wallMs(before) !== wallMs && this.wallMs(after) === wallMs ? after : before;
  }

  /** `2024-01-01 10:00`, with seconds if there are any. */
  text(timeMs: number): string {
    const iso = new Date(this.wallMs(timeMs)).toISOString();
    return `${iso.slice(0, 10)} ${iso.slice(11, iso.slice(17, 19) === '00' ? 16 : 19)}`;
  }

  #offsetMs(timeMs: number): number {
    const dayMs = floorTo(timeMs, DAY_MS);
    const ofDay = this.#cached(dayMs);
    if (ofDay === this.#cached(dayMs + DAY_MS)) return ofDay;
    return this.#cached(floorTo(timeMs, STEP_MS));
  }

  #cached(timeMs: number): number {
    const known = this.#offsets.get(timeMs);
    if (known !== undefined) return known;
    const offsetMs = this.#computed(timeMs);
    this.#offsets.set(timeMs, offsetMs);
    return offsetMs;
  }

  #computed(timeMs: number): number {
    const parts = new Map(
      this.#format.formatToParts(timeMs).map(({ type, value }) => [type, Number(value)]),
    );
    const [year = 0, month = 1, ...rest] = (
      ['year', 'month', 'day', 'hour', 'minute', 'second'] as const
    ).map((type) => parts.get(type) ?? 0);
    const [day, hour, minute, second] = rest;
    return Date.UTC(year, month - 1, day, hour, minute, second) - timeMs;
  }
}
