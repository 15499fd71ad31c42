import { readFileSync, writeFileSync } from 'node:fs';
import { cpuOf, type Line, type LineId, median, type Sample } from './measurement.ts';
import type { Use } from './process-meter.ts';
import { formatInteger } from '../../src/cli/print/format.ts';

export interface Section {
  readonly name: string;
  readonly about: string;
  readonly lines: readonly Line[];
}

export interface Report {
  readonly date: string;
  readonly machine: string;
  readonly data: string;
  readonly runs: number;
  readonly sections: readonly Section[];
  /** What the last record has for each line: recordIn(). */
  readonly before: ReadonlyMap<string, string>;
}

/** Lines to compare: whole programs with whole programs, a day's share of ten days with the code alone. */
const RATIOS: readonly (readonly [LineId, LineId])[] = [
  ['day', 'pandas'],
  ['warm day', 'pandas'],
  ['warm day', 'client'],
  ['each day', 'pandas code'],
];

const TITLES = ['', 'median', 'before', 'min to max', 'rows/s', 'CPU seconds', 'peak MB', 'note'];
const LEFT_ALIGNED = new Set(['', 'CPU seconds', 'peak MB', 'note']);
const BEGIN = '<!-- Written by `make bench`: do not edit between these marks. -->';
const END = '<!-- End of what `make bench` writes. -->';

/** One Markdown table of all lines, and what they mean. */
export function markdown({ date, machine, data, runs, sections, before }: Report): string {
  const lines = sections.flatMap((section) => section.lines);
  const rows = [...lines, ...ratiosOf(lines)].map((line) => cells(line, before));
  return [
    `${date}, ${machine}. ${data} Median of ${runs} runs, unless a line's note says otherwise.`,
    '',
    row(TITLES),
    row(TITLES.map((title) => (LEFT_ALIGNED.has(title) ? '---' : '---:'))),
    ...rows.map(row),
    '',
    ...sections.map(({ name, about }) => `- **${name}**: ${about}`),
    `- **ratios**: ratios of medians. CPU seconds count all processes except the simulated exchange.`,
  ].join('\n');
}

/** Puts the table between the marks of a page. */
export function writeInto(page: string, table: string): void {
  const before = readFileSync(page, 'utf8');
  const [start, end] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${page} has no place for the table`);
  writeFileSync(page, `${before.slice(0, start)}${BEGIN}\n\n${table}\n\n${before.slice(end)}`);
}

/**
 * The last record: what each line of a page's table shows in one cell. The figure, then the CPU seconds of all
 * processes except the simulated exchange, then the server's time.
 */
export function recordIn(page: string): ReadonlyMap<string, string> {
  const rows = readFileSync(page, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const titles = rows.find((cells) => cells.includes('median')) ?? [];
  return new Map(
    rows.map((cells) => {
      const cell = (title: string) => cells[titles.indexOf(title)] ?? '';
      const cpu = [...cell('CPU seconds').matchAll(/(\S+) ([\d.,]+)(?:,|$)/g)];
      const cpuS = cpu
        .filter(([, name]) => name !== 'simulator')
        .reduce((sum, [, , seconds = '']) => sum + Number(seconds.replaceAll(',', '')), 0);
      const server = /server time (\S+ ms)/.exec(cell('note'))?.[1];
      const parts = [
        cell('median'),
        ...(cpu.length === 0 ? [] : [`${number(cpuS)} CPU s`]),
        ...(server === undefined ? [] : [`server ${server}`]),
      ];
      return [cells[1] ?? '', parts.join('; ')];
    }),
  );
}

function row(texts: readonly string[]): string {
  return `| ${texts.join(' | ')} |`;
}

function cells(
  { what, unit, samples, note = '' }: Line,
  before: ReadonlyMap<string, string>,
): string[] {
  const values = samples.map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return [
    what,
    `${number(median(values))} ${unit}`,
    before.get(what) ?? '',
    samples.length > 1 ? `${number(least)} to ${number(most)}` : '',
    unit === 's' ? rate(samples) : '',
    ofProcesses(samples, ({ cpuS }) => cpuS.toFixed(cpuS < 1 ? 2 : 1)),
    ofProcesses(samples, ({ peakBytes }) => formatInteger(Math.round(peakBytes / 1e6))),
    note,
  ];
}

/** Three significant digits. */
function number(value: number): string {
  if (value >= 100) return formatInteger(Math.round(value));
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function rate(samples: readonly Sample[]): string {
  const rates = samples.flatMap(({ value, rows }) => (rows === undefined ? [] : [rows / value]));
  return rates.length === 0 ? '' : formatInteger(Math.round(median(rates)));
}

/** `client 7.1, QuestDB 5.2`: the median of each process. */
function ofProcesses(samples: readonly Sample[], text: (use: Use) => string): string {
  const names = Object.keys(samples[0]?.uses ?? {});
  return names.map((name) => `${name} ${text(medianUse(samples, name))}`).join(', ');
}

function medianUse(samples: readonly Sample[], name: string): Use {
  const uses = samples.flatMap(({ uses }) => uses?.[name] ?? []);
  return {
    cpuS: median(uses.map(({ cpuS }) => cpuS)),
    peakBytes: median(uses.map(({ peakBytes }) => peakBytes)),
    writtenBytes: median(uses.map(({ writtenBytes }) => writtenBytes)),
  };
}

/** The ratios of which both sides were measured. */
function ratiosOf(lines: readonly Line[]): Line[] {
  const find = (id: LineId) => lines.find((line) => line.id === id);
  return RATIOS.flatMap(([ours, theirs]) => {
    const [left, right] = [find(ours), find(theirs)];
    if (left === undefined || right === undefined) return [];
    const cpu = median(left.samples.map(cpuOf)) / median(right.samples.map(cpuOf));
    return [
      {
        what: `ratio: ${left.what} / ${right.what}`,
        unit: 'times',
        samples: [{ value: wallOf(left) / wallOf(right) }],
        note: `CPU seconds ${number(cpu)} times`,
      } as const,
    ];
  });
}

function wallOf({ samples }: Line): number {
  return median(samples.map(({ value }) => value));
}
