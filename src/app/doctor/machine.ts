import { DAY_MS } from '../../domain/time/hour.ts';
import type { DiskFacts, Growth, LimitFacts } from '../../ports/doctor.ts';
import { BAR_BYTES_PER_DAY, STORED_BYTES_PER_ROW } from '../plan/estimate.ts';
import { fail, ok, skipped, type Verdict, warn } from './check.ts';
import { bytesText, countText, numberText } from './wording.ts';

/** QuestDB lays files out in advance and suspends tables, or ends, when the disk is full. */
export const ROOM_BYTES = 1024 ** 3;
const FREE_PART = 0.1;
const WARN_DAYS = 30;
const FAIL_DAYS = 3;
/** Days of the growth that are averaged. */
export const GROWTH_DAYS = 7;

/** As `plan` estimates them: the trades, and the bars of each day of a series. */
export function bytesADay({ days, trades, hours }: Growth): number {
  return (trades * STORED_BYTES_PER_ROW + (hours / 24) * BAR_BYTES_PER_DAY) / days;
}

const SEEN = 'the disk of QuestDB cannot be seen: it is no process of this CDVAULT_HOME';
const ROOM = 'Make room: cdvault compact stores settled trades in a tenth of the space.';

export function disk(facts: DiskFacts | undefined, growth: Growth | undefined): Verdict {
  const daily = growth === undefined ? 0 : bytesADay(growth);
  if (facts === undefined) return skipped(SEEN, { bytesADay: Math.round(daily) });
  const { freeBytes, totalBytes } = facts;
  const days = daily > 0 ? freeBytes / daily : Infinity;
  const figures = {
    freeBytes,
    totalBytes,
    bytesADay: Math.round(daily),
    ...(days < Infinity && { daysUntilFull: Math.floor(days) }),
    ...(growth !== undefined && { tradesADay: Math.round(growth.trades / growth.days) }),
  };
  const fact = `${bytesText(freeBytes)} of ${bytesText(totalBytes)} free${growthText(daily, days)}`;
  if (freeBytes < ROOM_BYTES || days < FAIL_DAYS)
    return fail(fact, ROOM, figures, 'DISK_TOO_SMALL');
  if (freeBytes < FREE_PART * totalBytes || days < WARN_DAYS) return warn(fact, ROOM, figures);
  return ok(fact, figures);
}

function growthText(daily: number, days: number): string {
  if (daily === 0) return '';
  const full =
    days > 3650 ? 'full in over 10 years' : `full in ${countText(Math.floor(days), 'day')}`;
  return `; ${bytesText(daily)} a day in the last week: ${full}`;
}

/**
 * A month of a series with few trades takes this many memory maps, each with a file, while it is read; three
 * years of all series at once are the most that is expected (docs/operations.md).
 */
const MAPS_A_MONTH = 7;
const MONTHS = 36;
const NEARLY_USED = 0.8;

function needOf(series: number): number {
  return series * MAPS_A_MONTH * MONTHS;
}

export function memoryMaps(facts: LimitFacts | undefined, series: number): Verdict {
  return judged(facts === undefined ? undefined : [facts.maps, facts.mostMaps], series, {
    what: 'memory maps',
    cure: 'sysctl -w vm.max_map_count=1048576, and the same in /etc/sysctl.d',
  });
}

export function openFiles(facts: LimitFacts | undefined, series: number): Verdict {
  return judged(facts === undefined ? undefined : [facts.openFiles, facts.mostOpenFiles], series, {
    what: 'open files',
    cure: 'ulimit -n 1048576 before QuestDB starts (systemd: LimitNOFILE=1048576)',
  });
}

function judged(
  limit: readonly [used: number | undefined, most: number | undefined] | undefined,
  series: number,
  { what, cure }: { readonly what: string; readonly cure: string },
): Verdict {
  if (limit === undefined) return skipped('its limits cannot be seen from here');
  const [used, most] = limit;
  if (most === undefined) return skipped('the system does not say the limit');
  const needed = needOf(series);
  const figures = { most, needed, series, ...(used !== undefined && { used }) };
  const fact =
    `${used === undefined ? '' : `${numberText(used)} used of `}${numberText(most)} ${what}` +
    `; ${numberText(series)} series may need ${numberText(needed)}`;
  if (used !== undefined && used > NEARLY_USED * most) return fail(fact, cure, figures);
  return needed > most ? warn(fact, cure, figures) : ok(fact, figures);
}

export const GROWTH_MS = GROWTH_DAYS * DAY_MS;
