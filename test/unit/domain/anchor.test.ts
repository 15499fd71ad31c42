import { describe, expect, it } from 'vitest';
import { timeZones } from '../../../src/adapters/system/time-zones.ts';
import { type Anchor, resetsOver } from '../../../src/domain/bars/anchor.ts';

const at = (text: string) => Date.parse(text);

function resets(anchor: Anchor, from: string, to: string): string[] {
  const range = { startMs: at(from), endMs: at(to) };
  return resetsOver(anchor, range, timeZones.clockTime).map((ms) =>
    new Date(ms).toISOString().replace(':00.000Z', 'Z'),
  );
}

const newYork = (minuteOfDay: number): Anchor => ({
  kind: 'session',
  zone: 'America/New_York',
  minuteOfDay,
});

describe('the instants at which levels start again from 0', () => {
  it('are Mondays, first days of months, UTC midnights', () => {
    expect(resets({ kind: 'week' }, '2024-01-01T00:00Z', '2024-01-08T00:00Z')).toEqual([
      '2024-01-01T00:00Z',
      '2024-01-08T00:00Z',
    ]);
    expect(resets({ kind: 'month' }, '2023-12-31T10:00Z', '2024-02-10T00:00Z')).toEqual([
      '2023-12-01T00:00Z',
      '2024-01-01T00:00Z',
      '2024-02-01T00:00Z',
      '2024-03-01T00:00Z',
    ]);
    expect(resets({ kind: 'day' }, '2024-02-28T10:00Z', '2024-02-29T10:00Z')).toEqual([
      '2024-02-28T00:00Z',
      '2024-02-29T00:00Z',
      '2024-03-01T00:00Z',
    ]);
  });

  it('follow the clocks of New York through both clock changes', () => {
    expect(resets(newYork(0), '2024-03-09T05:00Z', '2024-03-12T00:00Z')).toEqual([
      '2024-03-09T05:00Z',
      '2024-03-10T05:00Z',
      '2024-03-11T04:00Z',
      '2024-03-12T04:00Z',
    ]);
    expect(resets(newYork(0), '2024-11-02T10:00Z', '2024-11-05T00:00Z')).toEqual([
      '2024-11-02T04:00Z',
      '2024-11-03T04:00Z',
      '2024-11-04T05:00Z',
      '2024-11-05T05:00Z',
    ]);
  });

  it('are after the skip for a time that the clocks skip, and the first of two for a time that they show twice', () => {
    expect(resets(newYork(150), '2024-03-10T06:00Z', '2024-03-10T08:00Z')).toEqual([
      '2024-03-09T07:30Z',
      '2024-03-10T07:30Z',
      '2024-03-11T06:30Z',
    ]);
    expect(resets(newYork(90), '2024-11-03T05:30Z', '2024-11-04T00:00Z')).toEqual([
      '2024-11-03T05:30Z',
      '2024-11-04T06:30Z',
    ]);
  });

  it('are right where midnight itself is skipped, and where a zone is far from UTC', () => {
    const zone = (name: string): Anchor => ({ kind: 'session', zone: name, minuteOfDay: 0 });
    // Cairo's clocks went from 00:00 to 01:00 on that Friday.
    expect(resets(zone('Africa/Cairo'), '2024-04-25T22:00Z', '2024-04-26T10:00Z')).toEqual([
      '2024-04-25T22:00Z',
      '2024-04-26T21:00Z',
    ]);
    expect(resets(zone('Pacific/Kiritimati'), '2024-01-01T00:00Z', '2024-01-01T12:00Z')).toEqual([
      '2023-12-31T10:00Z',
      '2024-01-01T10:00Z',
      '2024-01-02T10:00Z',
    ]);
    expect(resets(zone('Pacific/Pago_Pago'), '2024-01-01T00:00Z', '2024-01-01T12:00Z')).toEqual([
      '2023-12-31T11:00Z',
      '2024-01-01T11:00Z',
      '2024-01-02T11:00Z',
    ]);
  });

  it('are one for an instant, and none where levels never start again', () => {
    const [from, to] = ['2024-01-01T00:00Z', '2024-01-03T00:00Z'];
    expect(resets({ kind: 'instant', atMs: at('2023-12-01T00:30Z') }, from, to)).toEqual([
      '2023-12-01T00:30Z',
    ]);
    expect(resets({ kind: 'from' }, from, to)).toEqual([from]);
    expect(resets({ kind: 'total' }, from, to)).toEqual([]);
    expect(resets({ kind: 'rolling', bars: 3 }, from, to)).toEqual([]);
  });
});
