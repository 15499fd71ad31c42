import { afterEach, describe, expect, it } from 'vitest';
import {
  compactHour,
  DAY_MS,
  daysOf,
  HOUR_MS,
  MINUTE_MS,
  hoursOf,
  isoDay,
  isoHour,
  lastClosedHourEnd,
  widenToHours,
} from '../../../src/domain/time/hour.ts';
import { INTERVAL_MS, INTERVALS } from '../../../src/domain/time/interval.ts';

const at = (iso: string): number => Date.parse(iso);

describe('hours', () => {
  it('widen a range to whole hours, and leave a range of whole hours unchanged', () => {
    const range = { startMs: at('2024-01-01T10:15:00Z'), endMs: at('2024-01-01T11:00:00.001Z') };
    const wide = { startMs: at('2024-01-01T10:00:00Z'), endMs: at('2024-01-01T12:00:00Z') };
    expect(widenToHours(range)).toEqual(wide);
    expect(widenToHours(wide)).toEqual(wide);
  });

  it('close two minutes after their end', () => {
    expect(lastClosedHourEnd(at('2024-01-01T11:01:59.999Z'))).toBe(at('2024-01-01T10:00:00Z'));
    expect(lastClosedHourEnd(at('2024-01-01T11:02:00Z'))).toBe(at('2024-01-01T11:00:00Z'));
  });

  it('count 24 on the leap day and list its days', () => {
    const range = { startMs: at('2024-02-28T23:00Z'), endMs: at('2024-03-01T01:00Z') };
    expect([...hoursOf(range)]).toHaveLength(26);
    expect([...daysOf(range)].map(isoDay)).toEqual(['2024-02-28', '2024-02-29', '2024-03-01']);
  });

  it('leave out a day that the end of the range only touches', () => {
    expect([...daysOf({ startMs: at('2024-01-01'), endMs: at('2024-01-02') })]).toEqual([
      at('2024-01-01'),
    ]);
  });

  it('have names without minutes, and without colons for job ids', () => {
    expect(isoHour(at('2024-01-01T10:00Z'))).toBe('2024-01-01T10Z');
    expect(compactHour(at('2024-01-01T10:00Z'))).toBe('2024010110');
  });
});

describe('the machine’s own time zone', () => {
  const original = process.env['TZ'];
  afterEach(() => {
    if (original === undefined) delete process.env['TZ'];
    else process.env['TZ'] = original;
  });

  it('changes nothing on a day on which it has 23 hours', () => {
    process.env['TZ'] = 'America/New_York';
    const day = { startMs: at('2024-03-10T00:00Z'), endMs: at('2024-03-11T00:00Z') };
    expect(new Date(day.startMs).getTimezoneOffset()).toBe(300);
    expect([...hoursOf(day)]).toHaveLength(24);
    expect([...daysOf(day)]).toEqual([day.startMs]);
    expect(isoHour(day.startMs)).toBe('2024-03-10T00Z');
  });
});

describe('intervals', () => {
  it('all divide the day, or an hour and the day: each rolls up from minutes', () => {
    const lengths = INTERVALS.map((interval) => INTERVAL_MS[interval]);
    for (const length of lengths) {
      expect(DAY_MS % length).toBe(0);
      expect(length < HOUR_MS ? HOUR_MS % length : length % HOUR_MS).toBe(0);
      expect(length % MINUTE_MS).toBe(0);
    }
    expect(lengths).toEqual(lengths.toSorted((left, right) => left - right));
    expect(INTERVAL_MS['1h']).toBe(HOUR_MS);
  });
});
