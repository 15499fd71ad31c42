import { expect } from 'vitest';
import type { Sql, TextRow } from '../../src/adapters/questdb/sql.ts';
import { timeZones } from '../../src/adapters/system/time-zones.ts';
import { showBars } from '../../src/app/bars/show-bars.ts';
import type { ShownBar } from '../../src/ports/chart-data.ts';
import { parseAnchor } from '../../src/domain/bars/parse-anchor.ts';
import type { App } from '../../src/cli/compose.ts';
import { parseBarLength } from '../../src/domain/bars/bar-grid.ts';
import {
  alignedSpans,
  type AnchoredReference,
  anchorsIn,
  atMidnight,
  decimalText,
  evenSpans,
  type IsAnchor,
  lastOf,
  onClock,
  onFirstOfMonth,
  onMonday,
  type ReferenceBar,
  roundedOnce,
  sizesOf,
  type Span,
} from './anchored-reference.ts';
import { documentedSql } from './documented-sql.ts';
import { spot } from './rig.ts';

const LENGTH_MS = {
  '1m': 60_000,
  '3m': 180_000,
  '5m': 300_000,
  '10m': 600_000,
  '15m': 900_000,
  '30m': 1_800_000,
  '1h': 3_600_000,
  '2h': 7_200_000,
  '4h': 14_400_000,
  '6h': 21_600_000,
  '12h': 43_200_000,
  '1d': 86_400_000,
  '3d': 259_200_000,
  '1w': 604_800_000,
} as const;
export type Length = keyof typeof LENGTH_MS;

const STORED: readonly string[] = ['1m', '3m', '5m', '15m', '30m', '1h', '4h', '1d'];
/** Lengths without their own table: how many bars of which table make one bar. */
const PARTS: Readonly<Record<string, readonly [number, string]>> = {
  '10m': [2, '5m'],
  '2h': [2, '1h'],
  '6h': [6, '1h'],
  '12h': [3, '4h'],
  '3d': [3, '1d'],
  '1w': [7, '1d'],
};
/** A Monday. */
const SOME_MONDAY = Date.UTC(2024, 0, 1);

export interface AnchorCase {
  /** In the form of `show --anchor`. */
  readonly anchor: string;
  readonly lengths: readonly Length[];
}

export interface AnchoredStore {
  readonly app: App;
  /** Connected as the read-only user. */
  readonly reader: Sql;
  readonly symbol: string;
  /** Whole proven days; the start is the series' origin. */
  readonly range: { readonly startMs: number; readonly endMs: number };
  readonly reference: AnchoredReference;
}

interface Drawn {
  readonly anchor: string;
  readonly length: Length;
  readonly spans: readonly Span[];
  readonly open: 'first' | 'previous';
}

/**
 * Compares every bar of every length with the reference: by the use case of `show` with both open rules, and
 * by the documented SQL. @returns how many bars each of them gave
 */
export async function expectAnchored(
  store: AnchoredStore,
  { anchor, lengths }: AnchorCase,
): Promise<{ readonly shown: number; readonly bySql: number }> {
  const counts = { shown: 0, bySql: 0 };
  for (const length of lengths) {
    const spans = spansOf(anchor, length, store.range);
    for (const open of ['first', 'previous'] as const) {
      const wanted = spans.map((span) => store.reference.bar(span, open));
      const name = `${anchor} ${length} ${open}`;
      const drawn = { anchor, length, spans, open };
      const bars = await shownBars(store, drawn);
      expect(bars, name).toEqual(wanted.map(asShown));
      counts.shown += bars.length;
      const sql = sqlFor(store, drawn);
      if (sql === undefined) continue;
      const rows = await store.reader.query(sql);
      expect(rows.map(numbersOf), name).toEqual(wanted.map(asNumbers));
      counts.bySql += rows.length;
    }
  }
  return counts;
}

function spansOf(anchor: string, length: Length, range: AnchoredStore['range']): Span[] {
  const lengthMs = LENGTH_MS[length];
  const clock = /^session:(\d\d:\d\d)@(.+)$/.exec(anchor);
  if (clock !== null) {
    const isStart = onClock(clock[1] ?? '', clock[2] ?? '');
    // Up to the anchor after the range, so that the last session of the range is cut like the others.
    const anchors = anchorsIn(isStart, range.startMs, range.endMs + LENGTH_MS['1d']);
    return alignedSpans(anchors, lengthMs).filter(({ endMs }) => endMs <= range.endMs);
  }
  const originMs = length === '1w' ? SOME_MONDAY : 0;
  const onGrid = (ms: number) => Math.ceil((ms - originMs) / lengthMs) * lengthMs + originMs;
  const even = (fromMs: number, anchorOf: (startMs: number) => number) =>
    evenSpans(onGrid(fromMs), range.endMs, lengthMs, anchorOf).filter(
      ({ endMs }) => endMs <= range.endMs,
    );
  const rolling = /^rolling:(\d+)$/.exec(anchor);
  if (rolling !== null) {
    const reachMs = Number(rolling[1]) * lengthMs;
    // From the first bar that has enough bars before it, since the documented SQL needs them.
    return even(range.startMs + reachMs, (startMs) => startMs - reachMs + lengthMs);
  }
  const recurring = RECURRING[anchor];
  if (recurring !== undefined) {
    const anchors = anchorsIn(recurring, range.startMs, range.endMs);
    return even(anchors[0] ?? 0, lastOf(anchors));
  }
  if (anchor === 'total') return even(range.startMs, () => range.startMs);
  if (anchor === 'from') return even(range.startMs, () => onGrid(range.startMs));
  const atMs = Date.parse(anchor);
  return even(atMs, () => atMs);
}

const RECURRING: Readonly<Record<string, IsAnchor>> = {
  day: atMidnight,
  week: onMonday,
  month: onFirstOfMonth,
};

async function shownBars(
  { app, symbol }: AnchoredStore,
  { anchor, length, spans, open }: Drawn,
): Promise<readonly ShownBar[]> {
  const request = {
    lengthMs: parseBarLength(length),
    range: { startMs: spans[0]?.startMs ?? 0, endMs: spans.at(-1)?.endMs ?? 0 },
    anchor: parseAnchor(anchor, timeZones.has),
    open,
  };
  const { bars, starts } = await showBars(app, spot(symbol), request, Date.now());
  expect(starts).toEqual(spans.map(({ startMs }) => startMs));
  return bars;
}

function asShown({ startMs, endMs, anchorMs, ...bar }: ReferenceBar): ShownBar {
  return {
    openMs: startMs,
    endMs,
    open: decimalText(bar.open),
    high: decimalText(bar.high),
    low: decimalText(bar.low),
    close: decimalText(bar.close),
    delta: decimalText(bar.delta),
    ...sizesOf(bar),
    status: 'final',
    levelFromMs: anchorMs,
    levelMissing: 0,
  };
}

function asNumbers(bar: ReferenceBar) {
  const { open, high, low, close, delta } = bar;
  return {
    at: new Date(bar.startMs).toISOString(),
    numbers: [open, high, low, close, delta].map(roundedOnce),
    status: 'final',
    levelFrom: new Date(bar.anchorMs).toISOString(),
    levelMissing: '0',
  };
}

function numbersOf(row: TextRow): ReturnType<typeof asNumbers> {
  const { open, high, low, close, delta } = row;
  return {
    at: isoOf(row['ts']),
    numbers: [open, high, low, close, delta].map(Number),
    status: row['status'] ?? '',
    levelFrom: isoOf(row['level_from']),
    levelMissing: row['level_missing'] ?? '',
  };
}

function isoOf(text: string | null | undefined): string {
  return new Date(`${text?.replace(' ', 'T')}Z`).toISOString();
}

/** The documented SQL for these bars; undefined where the page has none. */
function sqlFor(
  { symbol, range }: AnchoredStore,
  { anchor, length, spans, open }: Drawn,
): string | undefined {
  const values = {
    symbol,
    from: new Date(spans[0]?.startMs ?? 0).toISOString(),
    to: new Date(spans.at(-1)?.endMs ?? 0).toISOString(),
  };
  const isStored = STORED.includes(length);
  if (open === 'previous') {
    if (anchor !== 'day' || !isStored) return undefined;
    return documentedSql('Where a bar opens', values, { cdv_exact_1h: `cdv_exact_${length}` });
  }
  const clock = /^session:(\d\d):(\d\d)@(.+)$/.exec(anchor);
  if (clock !== null) {
    const [, hour, minute, zone = ''] = clock;
    return sessionSql(Number(hour) * 60 + Number(minute), zone, length, values);
  }
  if (anchor === 'total' && !isStored) {
    const [parts, stored] = PARTS[length] ?? [0, ''];
    const texts = { "'1w'": `'${length}'`, cdv_exact_1d: `cdv_exact_${stored}` };
    return documentedSql('Bars of any length', { ...values, parts }, texts);
  }
  if (!isStored) return undefined;
  if (anchor === 'day') return documentedSql('UTC day', values, { cdv_1h: `cdv_${length}` });
  if (anchor === 'total') return documentedSql('Continuous', values, { cdv_1h: `cdv_${length}` });
  const table = { cdv_exact_1h: `cdv_exact_${length}` };
  if (anchor === 'week') return documentedSql('Week', values, table);
  if (anchor === 'month') return documentedSql('Month', values, table);
  if (anchor === 'from') return documentedSql('Visible range', values, table);
  const rolling = /^rolling:(\d+)$/.exec(anchor);
  if (rolling === null) {
    const at = new Date(anchor).toISOString();
    expect(Date.parse(at)).toBeGreaterThanOrEqual(range.startMs);
    return documentedSql('Any instant', { ...values, at }, table);
  }
  const unit = /^1([mhd])$/.exec(length)?.[1];
  if (unit === undefined) return undefined;
  return documentedSql(
    'Rolling',
    { ...values, bars: Number(rolling[1]) },
    { ...table, "'h'": `'${unit}'` },
  );
}

function sessionSql(
  minute: number,
  zone: string,
  length: Length,
  values: Readonly<Record<string, string>>,
): string {
  // The offset of all zones used here is whole hours, except that of Kolkata.
  const offset = (minute + (zone === 'Asia/Kolkata' ? 30 : 0)) % 60;
  const stored =
    (['1h', '30m', '15m'] as const).find((each) => (offset * 60_000) % LENGTH_MS[each] === 0) ??
    '1m';
  const fitting = LENGTH_MS[length] < LENGTH_MS[stored] ? length : stored;
  return documentedSql(
    'Session',
    {
      ...values,
      zone,
      minute,
      bar: length === '1d' ? 1_500 : LENGTH_MS[length] / 60_000,
      stored: LENGTH_MS[fitting] / 60_000,
    },
    { cdv_exact_30m: `cdv_exact_${fitting}` },
  );
}
