import { describe, expect, it } from 'vitest';
import { timeZones } from '../../../src/adapters/system/time-zones.ts';
import { anchorWords } from '../../../src/cli/input/anchor-option.ts';
import { parseAnchor } from '../../../src/domain/bars/parse-anchor.ts';

const parse = (text: string) => parseAnchor(text, timeZones.has);

describe('--anchor', () => {
  it.each([
    ['from', { kind: 'from' }],
    ['week', { kind: 'week' }],
    ['rolling:24', { kind: 'rolling', bars: 24 }],
    ['2024-01-01T10:00Z', { kind: 'instant', atMs: Date.UTC(2024, 0, 1, 10) }],
    ['2024-01-01', { kind: 'instant', atMs: Date.UTC(2024, 0, 1) }],
    [
      'session:09:30@America/New_York',
      { kind: 'session', minuteOfDay: 570, zone: 'America/New_York' },
    ],
    ['session:00:00@UTC', { kind: 'session', minuteOfDay: 0, zone: 'UTC' }],
  ])('%s', (text, anchor) => {
    expect(parse(text)).toEqual(anchor);
  });

  it.each([
    ['session:9:30@America/New_York', 'USAGE', 'Write it as session:09:30@America/New_York.'],
    ['session:24:00@America/New_York', 'USAGE', 'Write it as session:'],
    ['session', 'USAGE', 'Write it as session:'],
    ['session:09:30@New_York', 'USAGE', 'IANA'],
    ['rolling:0', 'USAGE', 'Write it as rolling:24.'],
    ['rolling', 'USAGE', 'Write it as rolling:24.'],
    ['rolling:1.5', 'USAGE', 'Write it as rolling:24.'],
    ['fortnight', 'BAD_TIME', '2024-01-01'],
    ['', 'BAD_TIME', '2024-01-01'],
  ])('refuses %j', (text, code, advice) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code, advice: expect.stringContaining(advice) }),
    );
  });

  it('is described in words', () => {
    expect(anchorWords(parse('session:09:05@Asia/Tokyo'))).toBe(
      'from 0 each day at 09:05 Asia/Tokyo',
    );
    expect(anchorWords(parse('rolling:3'))).toBe('sum of the deltas of the last 3 bars');
    expect(anchorWords(parse('2024-01-01T10:00Z'))).toBe('from 0 at 2024-01-01T10:00Z');
    expect(anchorWords(parse('day'))).toBe('from 0 at each UTC midnight');
  });
});
