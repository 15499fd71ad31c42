import { describe, expect, it } from 'vitest';
import { timeZones } from '../../../src/adapters/system/time-zones.ts';
import type { Anchor } from '../../../src/domain/bars/anchor.ts';
import { parseBarLength, startsIn } from '../../../src/domain/bars/bar-grid.ts';
import { planBars } from '../../../src/domain/bars/bar-plan.ts';
import { CdvaultError } from '../../../src/domain/errors.ts';
import { HOUR_MS } from '../../../src/domain/time/hour.ts';

const at = (text: string) => Date.parse(text);
const iso = (ms: number) => new Date(ms).toISOString().replace(':00.000Z', 'Z');

function plan(length: string, anchor: Anchor, from: string, to: string) {
  const range = { startMs: at(from), endMs: at(to) };
  return planBars({ lengthMs: parseBarLength(length), range, anchor }, timeZones.clockTime);
}

function refusal(...args: Parameters<typeof plan>): string {
  try {
    plan(...args);
  } catch (error) {
    if (error instanceof CdvaultError) return `${error.code}: ${error.message}. ${error.advice}`;
    throw error;
  }
  return 'not refused';
}

const instant = (text: string): Anchor => ({ kind: 'instant', atMs: at(text) });
const newYork = (minuteOfDay: number): Anchor => ({
  kind: 'session',
  zone: 'America/New_York',
  minuteOfDay,
});

describe('the length of a bar', () => {
  it.each([
    ['15m', 0.25],
    ['2h', 2],
    ['3d', 72],
    ['1w', 168],
    ['10m', 1 / 6],
  ])('%s is %d hours', (text, hours) => {
    expect(parseBarLength(text)).toBe(hours * HOUR_MS);
  });

  it.each(['7h', '50m', '0m', '1M', '1.5h', 'h', '', '36h'])('is not %j', (text) => {
    expect(() => parseBarLength(text)).toThrow(
      expect.objectContaining({ code: 'USAGE', advice: expect.stringContaining('1m, 3m, 5m') }),
    );
  });
});

describe('bars that straddle an anchor', () => {
  const [from, to] = ['2024-03-05T12:00Z', '2024-03-06T00:00Z'];

  it('are refused; the advice gives the nearest anchor that is possible', () => {
    expect(refusal('1h', instant('2024-03-05T06:40Z'), from, to)).toBe(
      "USAGE: a bar straddles the anchor 2024-03-05T06:40:00.000Z, where levels start: the high and low of its two parts can't be computed from stored bars. " +
        'The nearest possible one is 2024-03-05T07:00:00.000Z; or use --interval 5m or shorter.',
    );
    expect(refusal('1m', instant('2024-03-05T06:40:20Z'), from, to)).toBe(
      'USAGE: the anchor 2024-03-05T06:40:20.000Z is not on a full minute. ' +
        'The nearest possible one is 2024-03-05T06:40:00.000Z.',
    );
    expect(refusal('4h', { kind: 'from' }, '2024-03-05T01:00Z', to)).toContain(
      'a bar straddles --from 2024-03-05T01:00:00.000Z, where levels start',
    );
    expect(refusal('4h', { kind: 'from' }, '2024-03-05T01:00Z', to)).toContain(
      'The nearest possible one is 2024-03-05T00:00:00.000Z; or use --interval 1h or shorter.',
    );
  });

  it('are refused for days, weeks and months; the advice gives an interval that is possible', () => {
    expect(refusal('1w', { kind: 'day' }, from, to)).toContain('use --interval 1d or shorter');
    expect(refusal('3d', { kind: 'week' }, from, '2024-04-01T00:00Z')).toContain('1d or shorter');
    expect(refusal('1w', { kind: 'month' }, from, '2024-04-10T00:00Z')).toContain('1d or shorter');
    expect(refusal('2d', newYork(0), from, to)).toContain(
      'Use --interval 1d (one bar per session)',
    );
    expect(refusal('1h', instant('2024-03-05T13:00Z'), from, to)).toContain(
      'Set --anchor to a time at or before --from.',
    );
  });

  it('do not occur on the anchor’s grid', () => {
    expect(refusal('1w', { kind: 'week' }, '2024-03-04T00:00Z', to)).toBe('not refused');
    expect(refusal('1w', { kind: 'total' }, '2024-03-04T00:00Z', to)).toBe('not refused');
    expect(refusal('3d', { kind: 'rolling', bars: 5 }, from, to)).toBe('not refused');
    expect(refusal('4h', { kind: 'month' }, from, '2024-04-10T00:00Z')).toBe('not refused');
  });
});

describe('bars of a session', () => {
  it('are aligned to it and end with it, through both clock changes', () => {
    const spring = { startMs: at('2024-03-10T05:00Z'), endMs: at('2024-03-11T04:00Z') };
    const { grid, stored } = plan('4h', newYork(0), iso(spring.startMs), iso(spring.endMs));
    expect(stored).toBe('1h');
    expect([...startsIn(grid, spring)].map(iso)).toEqual([
      '2024-03-10T05:00Z',
      '2024-03-10T09:00Z',
      '2024-03-10T13:00Z',
      '2024-03-10T17:00Z',
      '2024-03-10T21:00Z',
      '2024-03-11T01:00Z',
    ]);
    expect(iso(grid.endOf(at('2024-03-11T01:00Z')))).toBe('2024-03-11T04:00Z');
    const autumn = { startMs: at('2024-11-03T04:00Z'), endMs: at('2024-11-04T05:00Z') };
    const day = plan('1d', newYork(0), iso(autumn.startMs), iso(autumn.endMs));
    expect([...startsIn(day.grid, autumn)].map(iso)).toEqual(['2024-11-03T04:00Z']);
    expect(day.grid.endOf(autumn.startMs) - autumn.startMs).toBe(25 * HOUR_MS);
  });

  it('are made up of the longest stored bars that fit', () => {
    const range = ['2024-03-04T00:00Z', '2024-03-20T00:00Z'] as const;
    expect(plan('1d', newYork(570), ...range).stored).toBe('30m');
    expect(plan('4h', newYork(555), ...range).stored).toBe('15m');
    expect(plan('1h', newYork(577), ...range).stored).toBe('1m');
    expect(plan('3m', newYork(0), ...range).stored).toBe('3m');
    // In summer New York's midnight is on the grid of four hours.
    expect(plan('1d', newYork(0), '2024-06-01T00:00Z', '2024-06-10T00:00Z').stored).toBe('4h');
    expect(plan('1w', { kind: 'total' }, ...range).stored).toBe('1d');
    expect(plan('12h', { kind: 'day' }, ...range).stored).toBe('4h');
  });
});

describe('the range that is read', () => {
  it('reaches from where the first level is 0 to the end of the last bar', () => {
    const read = (...args: Parameters<typeof plan>) => {
      const { startMs, endMs } = plan(...args).read;
      return [iso(startMs), iso(endMs)];
    };
    const [from, to] = ['2024-03-05T12:00Z', '2024-03-05T13:30Z'];
    expect(read('1h', { kind: 'week' }, from, to)).toEqual([
      '2024-03-04T00:00Z',
      '2024-03-05T14:00Z',
    ]);
    expect(read('1h', { kind: 'day' }, from, to)).toEqual([from, '2024-03-05T14:00Z']);
    expect(read('1h', { kind: 'rolling', bars: 3 }, from, to)).toEqual([
      '2024-03-05T10:00Z',
      '2024-03-05T14:00Z',
    ]);
    expect(read('1h', newYork(570), from, to)).toEqual(['2024-03-04T14:30Z', '2024-03-05T13:30Z']);
    expect(read('1w', { kind: 'total' }, from, to)).toEqual([
      '2024-03-04T00:00Z',
      '2024-03-11T00:00Z',
    ]);
  });
});
