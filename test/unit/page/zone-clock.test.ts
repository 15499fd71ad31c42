import { expect, test } from 'vitest';
import { ZoneClock } from '../../../src/page/time/zone-clock.ts';

test.each([
  ['UTC', '2024-03-10T06:59:00Z', '2024-03-10 06:59'],
  ['America/New_York', '2024-03-10T06:59:00Z', '2024-03-10 01:59'],
  ['America/New_York', '2024-03-10T07:00:00Z', '2024-03-10 03:00'],
  ['America/New_York', '2024-11-03T05:30:00Z', '2024-11-03 01:30'],
  ['America/New_York', '2024-11-03T06:30:00Z', '2024-11-03 01:30'],
  ['Asia/Kathmandu', '2024-01-01T00:00:30Z', '2024-01-01 05:45:30'],
  // Clocks change by half an hour, at 15:30 UTC and at 15:00 UTC.
  ['Australia/Lord_Howe', '2024-10-05T15:29:00Z', '2024-10-06 01:59'],
  ['Australia/Lord_Howe', '2024-10-05T15:30:00Z', '2024-10-06 02:30'],
])('a clock of %s at %s shows %s', (zone, time, text) => {
  expect(new ZoneClock(zone).text(Date.parse(time))).toBe(text);
});
