import { describe, expect, it } from 'vitest';
import { type ProgressFacts, progressLine } from '../../../src/cli/print/progress-text.ts';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
} from '../../../src/cli/print/format.ts';

const FACTS: ProgressFacts = {
  slicesDone: 5361,
  slicesTotal: 8760,
  rows: 28_412_345,
  rowsPerSecond: 23_940,
  weightUsed: 5880,
  weightLimit: 6000,
  retrying: 3,
  gaps: 0,
  barJobs: 2,
  etaMs: 850_000,
  atMs: Date.UTC(2024, 7, 11, 9),
};

describe('progressLine', () => {
  it('shows everything when there is room', () => {
    expect(progressLine(FACTS, 200)).toBe(
      '61.2% | 5,361/8,760 hours | 28.4M rows | 23.9k rows/s | weight 5,880/6,000 | 3 retrying | 0 gaps | ETA 14m10s | at 2024-08-11T09Z',
    );
  });

  it('fits 80 columns, problems first', () => {
    const line = progressLine(FACTS, 80);
    expect(line).toBe('61.2% | 5,361/8,760 | 28.4M rows | 23.9k/s | 3 retry | ETA 14m10s');
    expect(progressLine({ ...FACTS, retrying: 0 }, 80)).toBe(
      '61.2% | 5,361/8,760 | 28.4M rows | 23.9k/s | w 5,880/6,000 | ETA 14m10s',
    );
    expect(progressLine({ ...FACTS, gaps: 2 }, 40)).toBe('61.2% | 5,361/8,760 | 3 retry | 2 gaps');
  });

  it('says that bars are being built when all hours are fetched', () => {
    const fetched = { ...FACTS, slicesDone: 8760, retrying: 0, etaMs: 0, atMs: undefined };
    expect(progressLine(fetched, 200)).toBe(
      '100.0% | 8,760/8,760 hours | 28.4M rows | 23.9k rows/s | weight 5,880/6,000 | 0 retrying | 0 gaps | building bars, 2 jobs left',
    );
    expect(progressLine(fetched, 30)).toBe('100.0% | 8,760/8,760 | 2 bars');
    expect(progressLine({ ...fetched, barJobs: 0 }, 200)).toContain('ETA 0s');
  });

  it('is never wider than the terminal', () => {
    for (let columns = 0; columns <= 140; columns += 1) {
      expect(progressLine({ ...FACTS, gaps: 12 }, columns).length).toBeLessThanOrEqual(columns);
    }
  });

  it('leaves out what is not known yet', () => {
    const early = { ...FACTS, etaMs: undefined, atMs: undefined, weightLimit: 0, gaps: 1 };
    expect(progressLine(early, 200)).toBe(
      '61.2% | 5,361/8,760 hours | 28.4M rows | 23.9k rows/s | 3 retrying | 1 gap',
    );
    expect(progressLine(early, 60)).not.toMatch(/w |ETA|\?/);
  });
});

describe('numbers', () => {
  it.each([
    [0, '0'],
    [950, '950'],
    [999.6, '1.0k'],
    [23_940, '23.9k'],
    [999_949, '999.9k'],
    [999_951, '1.0M'],
    [28_412_345, '28.4M'],
    [1.2e9, '1.2B'],
    [5e15, '5000.0T'],
  ])('%d is %s', (value, text) => {
    expect(formatCount(value)).toBe(text);
  });

  it.each([
    [512, '512 B'],
    [1536, '1.5 KiB'],
    [56_100_000, '53.5 MiB'],
    [1024 ** 3, '1.0 GiB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [-5, '0s'],
    [400, '0s'],
    [9_000, '9s'],
    [59_600, '1m00s'],
    [850_000, '14m10s'],
    [7_500_000, '2h05m'],
    [273_600_000, '3d4h'],
  ])('%d ms are %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });

  it('are not 100 % before everything is done', () => {
    expect(formatPercent(8759, 8760)).toBe('99.9%');
    expect(formatPercent(8760, 8760)).toBe('100.0%');
    expect(formatPercent(0, 0)).toBe('100.0%');
  });
});
