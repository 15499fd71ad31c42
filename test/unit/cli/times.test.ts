import { describe, expect, it } from 'vitest';
import {
  describeRange,
  parseLength,
  resolveRange,
  type TimeOptions,
} from '../../../src/cli/input/times.ts';
import { CdvaultError } from '../../../src/domain/errors.ts';
import { isoMinute } from '../../../src/cli/print/format.ts';

const NOW = Date.parse('2024-03-15T12:34:56.789Z');
const hours = (options: TimeOptions, nowMs = NOW): string => {
  const { startMs, endMs } = resolveRange(options, nowMs).hours;
  return `${isoMinute(startMs)} ${isoMinute(endMs)}`;
};
const asked = (options: TimeOptions): string => {
  const { startMs, endMs } = resolveRange(options, NOW).asked;
  return `${isoMinute(startMs)} ${isoMinute(endMs)}`;
};

function failure(options: TimeOptions, nowMs = NOW): CdvaultError {
  try {
    resolveRange(options, nowMs);
  } catch (error) {
    if (error instanceof CdvaultError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('times', () => {
  it.each([
    ['2024-01-01T10:00Z', '2024-01-01T10:00Z'],
    ['2024-01-01T10:00:00Z', '2024-01-01T10:00Z'],
    ['2024-01-01T10:00:00.000Z', '2024-01-01T10:00Z'],
    ['2024-01-01T10:00:00.000000Z', '2024-01-01T10:00Z'],
    ['2024-01-01T10Z', '2024-01-01T10:00Z'],
    ['2024-01-01 10:00', '2024-01-01T10:00Z'],
    ['2024-01-01t10:00z', '2024-01-01T10:00Z'],
    ['2024-01-01 10:00 UTC', '2024-01-01T10:00Z'],
    ['2024-01-01T10:00+02:00', '2024-01-01T08:00Z'],
    ['2024-01-01T10:00-0530', '2024-01-01T15:30Z'],
    ['2024-01-01', '2024-01-01T00:00Z'],
    ['2024-01', '2024-01-01T00:00Z'],
    [' 2024-02-29 ', '2024-02-29T00:00Z'],
    ['2024-01-01T10:00:00.123Z', '2024-01-01T10:00:00.123Z'],
    ['2024-01-01T10:00:05Z', '2024-01-01T10:00:05Z'],
  ])('%s is %s', (text, instant) => {
    expect(asked({ from: text, to: '2024-03-01T00:00Z' })).toBe(`${instant} 2024-03-01T00:00Z`);
  });

  it.each([
    'yesterday',
    '',
    '2024',
    '20240101',
    '1704067200000',
    '2024-1-1',
    '2024-13',
    '2024-02-30',
    '2023-02-29',
    '2024-01-01T24:00Z',
    '2024-01-01T10:60Z',
    '2024-01-01T10:00:60Z',
    '2024-01-01T10:00+15:00',
    '2024-01-01T10:00:00.0001Z',
    '01/02/2024',
    '2024-01-01Z',
  ])('%j is refused', (text) => {
    expect(failure({ from: text, to: '2024-03-01' })).toMatchObject({
      code: 'BAD_TIME',
      exitCode: 2,
    });
  });
});

describe('ranges', () => {
  it('end before the day that --to names, so that months and days line up', () => {
    expect(hours({ from: '2024-01', to: '2024-02' })).toBe('2024-01-01T00:00Z 2024-02-01T00:00Z');
    expect(hours({ from: '2024-01-01', to: '2024-01-02' })).toBe(
      '2024-01-01T00:00Z 2024-01-02T00:00Z',
    );
  });

  it('end with the last closed hour when --to is now or missing', () => {
    expect(hours({ from: '2024-03-15', to: 'now' })).toBe('2024-03-15T00:00Z 2024-03-15T12:00Z');
    expect(hours({ from: '2024-03-15', to: 'NOW' }, Date.parse('2024-03-15T12:01:59Z'))).toBe(
      '2024-03-15T00:00Z 2024-03-15T11:00Z',
    );
    expect(describeRange(resolveRange({ from: '2024-03-15T00:00Z' }, NOW))).toBe(
      '2024-03-15T00:00Z to 2024-03-15T12:00Z, 12 hours (no --to: now is the end of the last closed hour)',
    );
  });

  it('count back from their end with --last', () => {
    expect(hours({ last: '12h' })).toBe('2024-03-15T00:00Z 2024-03-15T12:00Z');
    expect(hours({ last: '30d' })).toBe('2024-02-14T12:00Z 2024-03-15T12:00Z');
    expect(hours({ last: '6W', to: '2024-03-01T00:00Z' })).toBe(
      '2024-01-19T00:00Z 2024-03-01T00:00Z',
    );
  });

  it('are widened to whole hours, with a note; the exact range is kept too', () => {
    const range = resolveRange({ from: '2024-01-01T10:15Z', to: '2024-01-01T10:45Z' }, NOW);
    expect(describeRange(range)).toBe(
      '2024-01-01T10:00Z to 2024-01-01T11:00Z, 1 hour (widened to whole hours from 2024-01-01T10:15Z to 2024-01-01T10:45Z)',
    );
    expect(range.asked).toEqual({
      startMs: Date.parse('2024-01-01T10:15Z'),
      endMs: Date.parse('2024-01-01T10:45Z'),
    });
  });

  it('show how a time without a zone was read', () => {
    expect(describeRange(resolveRange({ from: '2024-01', to: '2024-01-01 10:00' }, NOW))).toBe(
      '2024-01-01T00:00Z to 2024-01-01T10:00Z, 10 hours ' +
        '(--from 2024-01 read as 2024-01-01T00:00Z; --to 2024-01-01 10:00 read as 2024-01-01T10:00Z)',
    );
  });

  it('have no note when everything was read as written', () => {
    expect(
      describeRange(resolveRange({ from: '2023-01-01T00:00Z', to: '2024-01-01T00:00Z' }, NOW)),
    ).toBe('2023-01-01T00:00Z to 2024-01-01T00:00Z, 8,760 hours');
  });

  it('stop at the last closed hour when they end in the current hour', () => {
    const range = resolveRange({ from: '2024-03-15T10:00Z', to: '2024-03-15T12:30Z' }, NOW);
    expect(describeRange(range)).toContain(
      'up to 2024-03-15T12:00Z: later hours have not closed yet',
    );
    expect(hours({ from: '2024-03-15T10:00Z', to: '2024-03-15T12:30Z' })).toBe(
      '2024-03-15T10:00Z 2024-03-15T12:00Z',
    );
  });
});

describe('ranges that make no sense', () => {
  it.each<[string, TimeOptions, RegExp]>([
    ['backwards', { from: '2024-01-02', to: '2024-01-01' }, /not before/],
    ['empty', { from: '2024-01-01', to: '2024-01-01' }, /--to is exclusive/],
    ['ending in the future', { from: '2024-01-01', to: '2024-04' }, /lies in the future/],
    ['starting in the future', { from: '2025-01-01' }, /lies in the future/],
    [
      'starting in the current hour',
      { from: '2024-03-15T12:10Z', to: '2024-03-15T12:20Z' },
      /has not closed yet/,
    ],
    [
      'starting in the current hour, up to now',
      { from: '2024-03-15T12:10Z', to: 'now' },
      /no hour since/,
    ],
    ['without a start', { to: '2024-01-01' }, /no start/],
    ['with two starts', { from: '2024-01-01', last: '3d' }, /both/],
    ['starting now', { from: 'now' }, /--from now/],
    ['of a mistyped year', { from: '0204-01-01', to: '2024-01-02' }, /before 2017/],
    ['of a hundred years', { last: '36500d' }, /before 2017/],
  ])('%s are refused with an explanation', (_name, options, message) => {
    const error = failure(options);
    expect(error).toMatchObject({ code: 'BAD_RANGE', exitCode: 2 });
    expect(error.message).toMatch(message);
  });

  it.each(['30', 'd', '0d', '3m', '-3d', '1.5d', '3 days', ''])('--last %j is refused', (last) => {
    expect(failure({ last }).code).toBe('BAD_TIME');
  });

  it('with a length: hours, days or weeks; --older-than may be zero', () => {
    expect(['0h', '12h', '7d', '2W'].map((text) => parseLength('--older-than', text))).toEqual(
      [0, 12, 7 * 24, 14 * 24].map((count) => count * 3_600_000),
    );
    expect(() => parseLength('--older-than', '7')).toThrow('--older-than "7" is not a duration');
  });

  it('starting in the current hour advise when it can be fetched', () => {
    expect(failure({ from: '2024-03-15T12:00Z', to: '2024-03-15T12:30Z' }).advice).toContain(
      'in 27m03s',
    );
  });
});
