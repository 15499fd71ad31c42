import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSql, type Sql, type TextRow } from '../../src/adapters/questdb/sql.ts';
import { timeZones } from '../../src/adapters/system/time-zones.ts';
import { showBars } from '../../src/app/bars/show-bars.ts';
import { parseAnchor } from '../../src/domain/bars/parse-anchor.ts';
import type { App } from '../../src/cli/compose.ts';
import { parseBarLength } from '../../src/domain/bars/bar-grid.ts';
import { startArchiveServer, type ArchiveServer } from '../exchange/archive-server.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import type { TradeSeries } from '../exchange/trade-series.ts';
import { unique } from '../support/command-line.ts';
import { type AnchorCase, expectAnchored } from './anchor-cases.ts';
import { AnchoredReference, decimalText, roundedOnce } from './anchored-reference.ts';
import { DOCUMENTED, documentedSql } from './documented-sql.ts';
import { Rig, spot } from './rig.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** New York's clocks change on 2024-03-10 and 2024-11-03, London's on 2024-10-27. */
const SPRING = { startMs: Date.UTC(2024, 1, 26), endMs: Date.UTC(2024, 2, 18) };
const AUTUMN = { startMs: Date.UTC(2024, 9, 26), endMs: Date.UTC(2024, 10, 6) };
/** Each run is one week, since a rig waits for a run only as long as a week takes on a busy machine. */
const RUN_MS = 7 * DAY_MS;
/** A Monday and the day after it. */
const HOLED = { startMs: Date.UTC(2024, 4, 6), endMs: Date.UTC(2024, 4, 8) };
const tradesOf = ({ startMs, endMs }: typeof SPRING, seed: number) =>
  syntheticTrades({
    seed,
    fromMs: startMs - DAY_MS,
    toMs: endMs + DAY_MS,
    // Few enough that some minutes and quarters of an hour have no trade.
    tradesPerHour: 24,
  });
const SERIES = {
  spring: { symbol: unique('SPRING'), range: SPRING, trades: tradesOf(SPRING, 41) },
  autumn: { symbol: unique('AUTUMN'), range: AUTUMN, trades: tradesOf(AUTUMN, 42) },
  holed: { symbol: unique('HOLED'), range: HOLED, trades: tradesOf(HOLED, 43) },
};

let archive: ArchiveServer;
let rig: Rig;
let app: App;
let reader: Sql;
let references: Readonly<Record<'spring' | 'autumn', AnchoredReference>>;

beforeAll(async () => {
  const symbols = Object.values(SERIES).map(({ symbol, trades }) => ({ symbol, trades }));
  archive = await startArchiveServer(symbols.map((each) => ({ market: 'spot', ...each })));
  rig = await Rig.start({ symbols, archiveUrl: archive.url });
  app = await rig.app();
  reader = createSql(rig.services.questdbReadonlyPgUrl, 1);
  for (const { symbol, range } of [SERIES.spring, SERIES.autumn]) {
    for (let { startMs } = range; startMs < range.endMs; startMs += RUN_MS) {
      const week = { startMs, endMs: Math.min(startMs + RUN_MS, range.endMs) };
      expect(await rig.backfill(app, [spot(symbol)], week, 'auto')).toMatchObject({ exitCode: 0 });
    }
  }
  references = {
    spring: new AnchoredReference(tradesIn(SERIES.spring.trades)),
    autumn: new AnchoredReference(tradesIn(SERIES.autumn.trades)),
  };
}, 600_000);

afterAll(async () => {
  await reader.close();
  await rig.dispose();
  await archive.close();
});

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function idsIn(trades: TradeSeries, startMs: number, endMs: number): number {
  return trades.indexAtTime(endMs * 1000) - trades.indexAtTime(startMs * 1000);
}

function tradesIn(trades: TradeSeries) {
  return Array.from({ length: trades.count }, (_, index) => trades.at(index));
}

const NEW_YORK = 'session:00:00@America/New_York';
const CASES: readonly (AnchorCase & { readonly series: 'spring' | 'autumn' })[] = [
  { series: 'spring', anchor: 'day', lengths: ['30m', '2h', '1d'] },
  { series: 'autumn', anchor: 'day', lengths: ['1m'] },
  { series: 'spring', anchor: 'total', lengths: ['15m', '6h', '3d', '1w'] },
  { series: 'autumn', anchor: 'total', lengths: ['10m'] },
  { series: 'spring', anchor: 'week', lengths: ['30m', '4h', '1d', '1w'] },
  { series: 'spring', anchor: 'month', lengths: ['15m', '1h', '12h', '1d'] },
  { series: 'spring', anchor: '2024-03-05T06:00Z', lengths: ['15m', '1h', '6h'] },
  { series: 'autumn', anchor: '2024-11-02T06:17Z', lengths: ['1m'] },
  { series: 'spring', anchor: 'from', lengths: ['5m', '1h', '3d', '1w'] },
  { series: 'spring', anchor: 'rolling:24', lengths: ['1h', '2h', '4h', '1d'] },
  { series: 'autumn', anchor: 'rolling:90', lengths: ['1m'] },
  { series: 'spring', anchor: NEW_YORK, lengths: ['15m', '1h', '4h', '1d'] },
  { series: 'autumn', anchor: NEW_YORK, lengths: ['1m', '1h', '4h', '1d'] },
  {
    series: 'spring',
    anchor: 'session:09:30@America/New_York',
    lengths: ['30m', '1h', '2h', '4h', '1d'],
  },
  { series: 'autumn', anchor: 'session:09:30@America/New_York', lengths: ['3m', '1h', '1d'] },
  { series: 'autumn', anchor: 'session:09:07@America/New_York', lengths: ['10m', '1h'] },
  { series: 'autumn', anchor: 'session:08:00@Europe/London', lengths: ['1h', '12h', '1d'] },
  { series: 'spring', anchor: 'session:09:00@Asia/Tokyo', lengths: ['1h', '4h', '1d'] },
  { series: 'spring', anchor: 'session:09:15@Asia/Kolkata', lengths: ['15m', '1h', '1d'] },
];

describe('levels from any anchor equal sums made from the trades', () => {
  test.each(CASES)('$anchor in $series: $lengths', async ({ series, ...anchorCase }) => {
    const { symbol, range } = SERIES[series];
    const store = { app, reader, symbol, range, reference: references[series] };
    const compared = await expectAnchored(store, anchorCase);
    process.stderr.write(
      `${anchorCase.anchor} (${series}): ${compared.shown} bars shown, ${compared.bySql} by SQL\n`,
    );
    expect(compared.shown).toBeGreaterThan(0);
  });
});

test.each([
  ['spring', '2024-03-10T05:00Z', 23],
  ['autumn', '2024-11-03T04:00Z', 25],
] as const)(
  'in %s the New York day from %s has %d hours and one bar',
  async (name, from, hours) => {
    const startMs = Date.parse(from);
    const range = { startMs, endMs: startMs + hours * HOUR_MS };
    const anchor = parseAnchor(NEW_YORK, timeZones.has);
    const request = { lengthMs: DAY_MS, range, anchor, open: 'first' } as const;
    const { bars } = await showBars(app, spot(SERIES[name].symbol), request, Date.now());
    const wanted = references[name].bar({ ...range, anchorMs: startMs });
    expect(bars).toMatchObject([
      { openMs: startMs, endMs: range.endMs, close: decimalText(wanted.delta), status: 'final' },
    ]);
  },
);

test('show prints a session’s bars in 80 columns, and says where levels are 0 and what is absent', async () => {
  const [from, to] = ['2024-03-10T05:00Z', '2024-03-11T04:00Z'];
  const session = ['--interval', '4h', '--anchor', NEW_YORK, '--open', 'previous'];
  const shown = await rig.cli([
    'show',
    SERIES.spring.symbol,
    '--from',
    from,
    '--to',
    to,
    ...session,
  ]);
  expect(shown).toMatchObject({ exitCode: 0 });
  expect(shown.stderr).toContain('levels: from 0 each day at 00:00 America/New_York');
  const [titles = '', ...lines] = shown.stdout.trimEnd().split('\n');
  expect(titles.trim().split(/ +/)).toEqual(['open', 'high', 'low', 'close', 'delta']);
  const anchorMs = Date.parse(from);
  const ends = ['09:00', '13:00', '17:00', '21:00'].map((time) =>
    Date.parse(`2024-03-10T${time}Z`),
  );
  const starts = [anchorMs, ...ends, Date.parse('2024-03-11T01:00Z')];
  const wanted = starts.map((startMs, index) => {
    const endMs = starts[index + 1] ?? Date.parse(to);
    const bar = references.spring.bar({ startMs, endMs, anchorMs }, 'previous');
    const numbers = [bar.open, bar.high, bar.low, bar.close, bar.delta].map(roundedOnce);
    return [iso(startMs).slice(0, 19).replace('T', ' '), ...numbers];
  });
  const cells = lines.map((line) => line.split(/ {2,}/));
  expect(cells.map(([at, ...numbers]) => [at, ...numbers.map(Number)])).toEqual(wanted);
  for (const line of shown.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  const before = ['--from', '2024-02-24', '--to', '2024-02-26', '--interval', '1d'];
  const none = await rig.cli([
    'show',
    SERIES.spring.symbol,
    ...before,
    '--anchor',
    'session:08:00@UTC',
  ]);
  // The second session overlaps the stored range.
  expect(none.stdout).toContain('* 1 partial: ');
  expect(none.stdout).toContain('* 1 bar is absent, the first at 2024-02-24T08:00Z');
});

/** Hours 10 and 11 of the first of two days are not stored. */
describe('after a hole', () => {
  const HOLE = { symbol: SERIES.holed.symbol, startMs: SERIES.holed.range.startMs };
  const hour = (index: number) => HOLE.startMs + index * HOUR_MS;
  const inHole = () => idsIn(SERIES.holed.trades, hour(10), hour(12));

  beforeAll(async () => {
    for (const [from, to] of [
      [0, 10],
      [12, 48],
    ] as const) {
      const range = { startMs: hour(from), endMs: hour(to) };
      await rig.backfill(app, [spot(HOLE.symbol)], range);
    }
    expect(inHole()).toBeGreaterThan(10);
  });

  /** For each bar of the range: hour, status, the hour that its level counts from, and missing trades. */
  async function trustOf(anchor: string, from: number, to: number, length = '1h') {
    const range = { startMs: hour(from), endMs: hour(to) };
    const parsed = parseAnchor(anchor, timeZones.has);
    const request = {
      lengthMs: parseBarLength(length),
      range,
      anchor: parsed,
      open: 'first',
    } as const;
    const { bars } = await showBars(app, spot(HOLE.symbol), request, Date.now());
    return bars.map(({ openMs, status, levelFromMs, levelMissing }) => [
      (openMs - HOLE.startMs) / HOUR_MS,
      status,
      (levelFromMs - HOLE.startMs) / HOUR_MS,
      levelMissing,
    ]);
  }

  test('a level says where it counts from and how many trades are missing, never 0 after the hole', async () => {
    const missing = inHole();
    expect(await trustOf('from', 8, 14)).toEqual([
      [8, 'final', 8, 0],
      [9, 'final', 8, 0],
      [12, 'final', 8, missing],
      [13, 'final', 8, missing],
    ]);
    // From after the hole, or from inside it, nothing is missing, and the level says where it starts.
    expect(await trustOf('from', 12, 13)).toEqual([[12, 'final', 12, 0]]);
    expect(await trustOf('from', 11, 13)).toEqual([[12, 'final', 12, 0]]);
    expect(await trustOf('week', 24, 25)).toEqual([[24, 'final', 0, missing]]);
    expect(await trustOf('day', 24, 25)).toEqual([[24, 'final', 24, 0]]);
    expect(await trustOf('session:09:00@UTC', 32, 34)).toEqual([
      [32, 'final', 9, missing],
      [33, 'final', 33, 0],
    ]);
    expect(await trustOf('rolling:3', 12, 16)).toEqual([
      [12, 'final', 12, 0],
      [13, 'final', 12, 0],
      [14, 'final', 12, 0],
      [15, 'final', 13, 0],
    ]);
    expect(await trustOf('rolling:4', 12, 13)).toEqual([[12, 'final', 9, missing]]);
    expect(await trustOf('session:08:00@UTC', 8, 20, '4h')).toEqual([
      [8, 'partial', 8, 0],
      [12, 'final', 8, missing],
      [16, 'final', 8, missing],
    ]);
  });

  test('the documented SQL gives the same missing trades', async () => {
    const values = { symbol: HOLE.symbol, from: iso(hour(8)), to: iso(hour(25)) };
    const rows = await reader.query(documentedSql('Visible range', values, {}));
    const found = rows.map((row) => [hourOf(row), Number(row['level_missing'])]);
    expect(found).toEqual(
      [8, 9, ...Array.from({ length: 13 }, (_, index) => index + 12)].map((index) => [
        index,
        index < 12 ? 0 : inHole(),
      ]),
    );
    const rolling = await reader.query(documentedSql('Rolling', { ...values, bars: 3 }, {}));
    // Where the bar before the window is not stored, the level is unknown.
    expect(rolling.filter((row) => row['close'] === null).map(hourOf)).toEqual([13, 14]);
    expect(rolling.filter((row) => hourOf(row) === 12)).toMatchObject([
      { level_missing: String(inHole()) },
    ]);
    const session = { zone: 'UTC', minute: 480, from: iso(hour(8)) };
    const bars = await reader.query(
      documentedSql(
        'Session',
        { ...values, ...session, stored: 60 },
        { cdv_exact_30m: 'cdv_exact_1h' },
      ),
    );
    expect(bars.slice(0, 2)).toMatchObject([
      { status: 'partial', level_missing: '0' },
      { status: 'final', level_missing: String(inHole()) },
    ]);
  });

  const hourOf = (row: TextRow) =>
    (Date.parse(`${row['ts']?.replace(' ', 'T')}Z`) - HOLE.startMs) / HOUR_MS;
});

test.each([...DOCUMENTED])(
  '%s: the time filter limits the rows of bars that are read',
  async (_, sql) => {
    const rows = await reader.query(`EXPLAIN ${sql}`);
    const scans = rows
      .map((row) => row['QUERY PLAN'] ?? '')
      .filter((line) => /scan on: cdv_exact/.test(line))
      .map((line) => line.trim().replace(/cdv_exact_\w+/, ''));
    expect(new Set(scans)).toEqual(new Set(['Interval forward scan on: ']));
  },
);

test('every statement of the page is compared', () => {
  expect([...DOCUMENTED.keys()]).toEqual([
    'UTC day',
    'Continuous',
    'Week',
    'Month',
    'Session',
    'Any instant',
    'Visible range',
    'Rolling',
    'Where a bar opens',
    'Bars of any length',
  ]);
});
