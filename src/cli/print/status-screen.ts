/** What is stored, what runs and what needs attention, on one screen. */

import { styleText } from 'node:util';
import { isLate, needsAttention } from '../../app/status/look.ts';
import type { CellState, SeriesStatus, StatusFacts } from '../../app/status/look.ts';
import { marketName, type Series } from '../../domain/market.ts';
import { ruleText } from '../../domain/plan/schedule-rule.ts';
import { isoDay } from '../../domain/time/hour.ts';
import type { Limit } from '../../domain/plan/hours-at-once.ts';
import type { RegisteredWorker } from '../../ports/worker-register.ts';
import {
  counted,
  formatBytes,
  formatCount,
  formatDuration,
  formatInteger,
  isoMinute,
} from './format.ts';

/** The strip takes what the other columns leave, up to a width that is still looked over at a glance. */
const MOST_CELLS = 60;
const LEAST_CELLS = 8;

/** Columns beside symbol, market and strip, with the width of each. */
const COLUMNS = [
  ['lag', 8],
  ['gaps', 5],
  ['open', 5],
  ['unknown', 8],
  ['trades', 7],
  ['size', 10],
] as const;
const SYMBOL_CHARS = 13;
const MARKET_CHARS = 4;
const BESIDE =
  SYMBOL_CHARS + 1 + MARKET_CHARS + 1 + COLUMNS.reduce((sum, [, chars]) => sum + chars, 0);

export function stripCells(columns: number): number {
  return Math.min(MOST_CELLS, Math.max(LEAST_CELLS, columns - BESIDE));
}

export interface Screen {
  readonly columns: number;
  /** Lines that there is room for; undefined: any number. */
  readonly rows: number | undefined;
  readonly colours: boolean;
}

/** The lines of the screen. Series that have no room are counted. */
export function statusScreen(facts: StatusFacts, screen: Screen): string[] {
  const head = headOf(facts);
  const foot = ['', ...footOf(facts)];
  if (facts.series.length === 0) return [...head, 'nothing is stored yet', ...foot];
  const titles = titlesOf(facts, screen);
  const room =
    screen.rows === undefined
      ? Infinity
      : Math.max(1, screen.rows - head.length - titles.length - foot.length - 1);
  const shown = facts.series.length <= room + 1 ? facts.series : facts.series.slice(0, room);
  const rest = facts.series.slice(shown.length);
  return [
    ...head,
    ...titles,
    ...shown.map((series) => rowOf(series, screen)),
    ...(rest.length === 0 ? [] : [restText(rest)]),
    ...foot,
  ].map((line) => line.trimEnd());
}

function headOf({ atMs, series }: StatusFacts): string[] {
  const needing = series.filter(needsAttention).length;
  const words = [
    `${formatInteger(series.length)} series`,
    needing === 0 ? 'none needs attention' : `${formatInteger(needing)} to look at`,
  ];
  const time = isoMinute(Math.floor(atMs / 1000) * 1000);
  return series.length === 0 ? [time] : [`${time}  ${words.join(', ')}`];
}

function titlesOf({ strip }: StatusFacts, { columns }: Screen): string[] {
  const cells = stripCells(columns);
  const span = spanText([strip.fromMs, strip.fromMs + cells * strip.cellMs], cells);
  const titles = COLUMNS.map(([title, chars]) => title.padStart(chars)).join('');
  return [
    `${'symbol'.padEnd(SYMBOL_CHARS)} ${''.padEnd(MARKET_CHARS)} ${span.padEnd(cells)}${titles}`,
  ];
}

/** Both ends of the strip, as days or months, as there is room. */
function spanText(ends: readonly number[], cells: number): string {
  for (const chars of ['2024-01-01'.length, '2024-01'.length]) {
    const [from = '', to = ''] = ends.map((timeMs) => isoDay(timeMs).slice(0, chars));
    if (2 * chars < cells) return from + to.padStart(cells - chars);
  }
  return '';
}

const SIGNS: Readonly<Record<CellState, string>> = {
  none: ' ',
  proven: '━',
  open: '~',
  unknown: '·',
  gap: '×',
};
type Colour = Parameters<typeof styleText>[0];
const COLOURS: Readonly<Record<CellState, Colour>> = {
  none: 'dim',
  proven: 'green',
  open: 'blue',
  unknown: 'yellow',
  gap: 'red',
};

function rowOf(series: SeriesStatus, { columns, colours }: Screen): string {
  const paint = (text: string, colour: Colour) =>
    colours ? styleText(colour, text, { validateStream: false }) : text;
  const cells = stripCells(columns);
  const strip = runsOf(series.cells.slice(0, cells)).map(([state, length]) =>
    paint(SIGNS[state].repeat(length), COLOURS[state]),
  );
  const { gap, open, unknown, lagMs, rows, bytes } = series;
  const texts = [
    lagMs === undefined ? '' : formatDuration(lagMs),
    countText(gap),
    countText(open),
    countText(unknown),
    formatCount(rows),
    bytes === undefined ? '' : formatBytes(bytes),
  ];
  const alarm = [isLate(series), gap > 0, false, unknown > 0, false, false];
  const values = texts.map((text, index) => {
    const padded = text.padStart(COLUMNS[index]?.[1] ?? 0);
    return alarm[index] === true ? paint(padded, 'red') : padded;
  });
  const name = shortened(series.symbol, SYMBOL_CHARS).padEnd(SYMBOL_CHARS);
  const market = marketName(series.market).padEnd(MARKET_CHARS);
  return `${name} ${market} ${strip.join('')}${values.join('')}`;
}

/** Equal cells that follow each other. */
function runsOf(cells: readonly CellState[]): (readonly [state: CellState, length: number])[] {
  const runs: (readonly [CellState, number])[] = [];
  for (const state of cells) {
    const last = runs.at(-1);
    if (last?.[0] === state) runs[runs.length - 1] = [state, last[1] + 1];
    else runs.push([state, 1]);
  }
  return runs;
}

function shortened(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars - 1)}…`;
}

/** Nothing where there is nothing, so that what there is stands out. */
function countText(hours: number): string {
  return hours === 0 ? '' : formatCount(hours);
}

function restText(rest: readonly SeriesStatus[]): string {
  const needing = rest.filter(needsAttention).length;
  const what = needing === 0 ? 'nothing to look at' : `${formatInteger(needing)} to look at`;
  return `… and ${formatInteger(rest.length)} more, ${what}`;
}

function footOf(facts: StatusFacts): string[] {
  return [
    queueLine(facts),
    ...runningLines(facts),
    ...workerLines(facts),
    ...exchangeLines(facts),
    ...scheduleLines(facts),
    ...storeLines(facts),
  ];
}

function queueLine({ queues, lastFailure, atMs }: StatusFacts): string {
  const sum = (field: 'active' | 'waiting' | 'delayed' | 'failed') =>
    queues.reduce((total, counts) => total + counts[field], 0);
  const parts = [
    ['active', 'running'],
    ['waiting', 'waiting'],
    ['delayed', 'delayed'],
    ['failed', 'failed'],
  ] as const;
  const texts = parts.flatMap(([field, word]) =>
    sum(field) === 0 ? [] : [`${formatInteger(sum(field))} ${word}`],
  );
  const failure =
    lastFailure === undefined || sum('failed') === 0
      ? ''
      : `; last failure ${formatDuration(atMs - lastFailure.atMs)} ago: ${lastFailure.reason}`;
  return `queue: ${texts.length === 0 ? 'empty' : texts.join(', ')}${failure}`;
}

/** The longest first: what hangs is seen. */
function runningLines({ running, atMs }: StatusFacts): string[] {
  const shown = running.filter(({ kind }) => kind !== 'feed' && kind !== 'tick').slice(0, 3);
  return shown.map(({ kind, series, part, sinceMs }) => {
    const name = series === undefined ? '' : ` ${nameOf(series)}`;
    return `  ${kind}${name} ${part}, for ${formatDuration(atMs - sinceMs)}`;
  });
}

function nameOf({ market, symbol }: Series): string {
  return `${symbol} (${marketName(market)})`;
}

/** Hosts with several workers have one line for each. */
const WORKERS_SHOWN = 5;

function workerLines({ workers }: StatusFacts): string[] {
  if (workers.length === 0) return [];
  const hosts = new Set(workers.map(({ host }) => host)).size;
  const shown = workers.slice(0, WORKERS_SHOWN);
  return [
    `workers: ${formatInteger(workers.length)} on ${counted(hosts, 'host')}`,
    ...shown.map(
      ({ host, pid, egress, hours }) => `  ${host} ${pid}, address ${egress}${hoursText(hours)}`,
    ),
    ...(workers.length > shown.length
      ? [`  … and ${formatInteger(workers.length - shown.length)} more`]
      : []),
  ];
}

function hoursText(hours: RegisteredWorker['hours']): string {
  if (typeof hours === 'number') return `: ${counted(hours, 'hour')} at a time`;
  const texts = hours.map(({ market, hours: count, limit }) => {
    const why = limit === undefined ? '' : `, limited by ${LIMIT_TEXTS[limit]}`;
    return `${marketName(market)} ${counted(count, 'hour')} at a time${why}`;
  });
  return texts.length === 0 ? '' : `: ${texts.join('; ')}`;
}

const LIMIT_TEXTS: Readonly<Record<Limit, string>> = {
  weight: 'the exchange’s limit',
  thread: 'its own CPU time',
  cores: 'the machine’s cores',
  memory: 'memory',
  store: 'QuestDB, which is behind',
};

function exchangeLines({ exchange }: StatusFacts): string[] {
  const areSeveral = new Set(exchange.map(({ egress }) => egress)).size > 1;
  return exchange.flatMap(({ market, egress, usedWeight, weightLimit, pause }) => {
    const name = `exchange ${marketName(market)}${areSeveral ? `, address ${egress}` : ''}`;
    const used = `${formatInteger(usedWeight)} of ${formatInteger(weightLimit)}`;
    return [
      ...(weightLimit > 0 ? [`${name}: weight ${used} used in this window`] : []),
      ...(pause === undefined
        ? []
        : [`${name}: ${pause.reason} until ${isoMinute(pause.untilMs)}`]),
    ];
  });
}

function scheduleLines({ series, rules, tickLost }: StatusFacts): string[] {
  const scheduled = series.filter(({ scheduledFromMs }) => scheduledFromMs !== undefined);
  const worst = scheduled.toSorted((left, right) => (right.lagMs ?? 0) - (left.lagMs ?? 0))[0];
  return [
    ...(worst === undefined
      ? []
      : [
          `schedule: ${formatInteger(scheduled.length)} series, at most ${formatDuration(worst.lagMs ?? 0)} behind (${nameOf(worst)})`,
        ]),
    ...rules.map((rule) => `schedule: ${ruleText(rule)}, from ${isoMinute(rule.fromMs)}`),
    ...(tickLost
      ? [
          'SCHEDULE LOST: the hourly job is not queued; a running worker (cdvault worker) restores it within five minutes',
        ]
      : []),
  ];
}

function storeLines({ store }: StatusFacts): string[] {
  const { isSchemaCurrent, suspended, pendingTransactions } = store;
  const pending =
    pendingTransactions === 0
      ? ''
      : `, ${formatInteger(pendingTransactions)} transactions are not visible yet`;
  return [
    ...(suspended.length === 0 && isSchemaCurrent ? [`store: answers${pending}`] : []),
    ...(isSchemaCurrent ? [] : ['SCHEMA: it is not that of this version; run cdvault migrate']),
    ...suspended.map((table) => `SUSPENDED: ${table}; run ALTER TABLE ${table} RESUME WAL`),
  ];
}
