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

test.each([
  ['UTC', '2024-01-03T07:00', '2024-01-03T07:00Z'],
  ['America/New_York', '2024-01-03T07:00', '2024-01-03T12:00Z'],
  ['Asia/Kathmandu', '2024-01-01T05:45', '2024-01-01T00:00Z'],
  // Clocks show 01:30 twice, and skip 02:30.
  ['America/New_York', '2024-11-03T01:30', '2024-11-03T05:30Z'],
  ['America/New_York', '2024-03-10T02:30', '2024-03-10T07:30Z'],
  ['America/New_York', '2024-03-10T03:00', '2024-03-10T07:00Z'],
  ['America/New_York', '2024-11-03T02:00', '2024-11-03T07:00Z'],
])('clocks of %s show %s at %s', (zone, wall, instant) => {
  const timeMs = new ZoneClock(zone).instantMs(Date.parse(`${wall}Z`));
  expect(new Date(timeMs).toISOString()).toBe(new Date(instant).toISOString());
});
