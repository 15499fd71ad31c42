import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Line } from '../../bench/measurement.ts';
import { median } from '../../bench/measurement.ts';
import { markdown, recordIn, writeInto } from '../../bench/report.ts';

const PAGE = path.join(import.meta.dirname, '../../../docs/benchmarks.md');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cdvault-report-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const day: Line = {
  id: 'day',
  what: 'archive day: command',
  unit: 's',
  samples: [10, 40, 20].map((value) => ({
    value,
    rows: 800_000,
    uses: {
      client: { cpuS: value / 2, peakBytes: value * 1e7, writtenBytes: 0 },
      simulator: { cpuS: 100, peakBytes: 1e6, writtenBytes: 0 },
    },
  })),
};
const pandas: Line = {
  id: 'pandas',
  what: 'pandas: program',
  unit: 's',
  samples: [
    { value: 2, rows: 800_000, uses: { pandas: { cpuS: 2.5, peakBytes: 1e8, writtenBytes: 0 } } },
  ],
  note: 'stores nothing',
};

function report(lines: readonly Line[], before: ReadonlyMap<string, string> = new Map()): string {
  return markdown({
    date: '2026-11-23',
    machine: 'one machine',
    data: 'Some trades.',
    runs: 3,
    sections: [{ name: 'day', about: 'One day.', lines }],
    before,
  });
}

test('a line has the median of its runs, their spread, and what each process used', () => {
  expect(report([day])).toContain(
    '| archive day: command | 20.0 s |  | 10.0 to 40.0 | 40,000 | client 10.0, simulator 100.0 | client 200, simulator 1 |  |',
  );
});

test('ratios are of medians, without the CPU time of the simulated exchange', () => {
  expect(report([day, pandas])).toContain(
    '| ratio: archive day: command / pandas: program | 10.0 times |  |  |  |  |  | CPU seconds 4.00 times |',
  );
});

test('there is no ratio when one side was not measured', () => {
  expect(report([day])).not.toContain('| ratio: ');
});

test('the median of an even number of runs lies between the middle ones', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([9, 10, 100])).toBe(10);
});

test('the table is written to its place in the page, and the text around it is kept', () => {
  const page = path.join(folder, 'page.md');
  copyFileSync(PAGE, page);
  writeInto(page, report([day]));
  const once = readFileSync(page, 'utf8');
  writeInto(page, report([day]));
  expect(readFileSync(page, 'utf8')).toBe(once);
  expect(once).toContain('| archive day: command | 20.0 s |');
  expect(once).toMatch(/^# Benchmarks\n/);
});

test('beside each figure stands that of the last record, with its CPU seconds and the server’s time', () => {
  const page = path.join(folder, 'page.md');
  copyFileSync(PAGE, page);
  const query: Line = {
    what: 'a query',
    unit: 'ms',
    samples: [{ value: 12 }],
    note: '8760 rows; server time 7.5 ms',
  };
  writeInto(page, report([day, query]));
  const faster = { ...day, samples: [{ value: 2 }] };
  const now = report([faster, query, pandas], recordIn(page));
  expect(now).toContain('| archive day: command | 2.00 s | 20.0 s; 10.0 CPU s |  |');
  expect(now).toContain('| a query | 12.0 ms | 12.0 ms; server 7.5 ms |  |');
  expect(now).toContain('| pandas: program | 2.00 s |  |  |');
});

test('the last record may be a table without that column', () => {
  const page = path.join(folder, 'page.md');
  const table = [
    '|  | median | min to max | rows/s | CPU seconds | peak MB | note |',
    '| --- | ---: | ---: | ---: | --- | --- | --- |',
    '| archive day: command | 1,043 s | 4 to 5 | 7 | client 2.3, QuestDB 1,004.6, Redis 0.1, simulator 9.0 | client 219 | |',
  ];
  writeFileSync(page, table.join('\n'));
  expect(recordIn(page).get('archive day: command')).toBe('1,043 s; 1,007 CPU s');
});

test('a page without a place for the table is left unchanged', () => {
  const page = path.join(folder, 'page.md');
  writeFileSync(page, 'words');
  expect(() => writeInto(page, 'table')).toThrow('has no place for the table');
  expect(readFileSync(page, 'utf8')).toBe('words');
});
