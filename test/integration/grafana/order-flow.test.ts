import { afterAll, beforeAll, describe, expect, inject, it, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../src/domain/time/hour.ts';
import { INTERVAL_MS, type Interval } from '../../../src/domain/time/interval.ts';
import { REAL_DAY_PATH, realDayIsHere } from '../../golden/real-day.ts';
import {
  type Answer,
  Asker,
  columnOf,
  loadDashboard,
  panelQueries,
  timeMsOf,
} from '../../support/grafana-dashboard.ts';
import { type Chosen, expandQuery, type QueryContext } from '../../support/grafana-macros.ts';
import { openStore } from '../../support/store.ts';
import { expectedBars, type Grid } from './expected-bars.ts';
import {
  ABSENT_HOUR,
  CLOCK_DAYS,
  DAY,
  fillStore,
  type Fixture,
  HOLED_HOUR,
  type StoredSeries,
} from './fixture.ts';

const dashboard = loadDashboard('order-flow.json');
const PG = { timestamp: 1114, float8: 701, varchar: 1043 } as const;
/** Most points that a screen can show. */
const MOST_BARS = 2_001;

if (!realDayIsHere()) {
  const missing = `REAL DAY MISSING: the dashboards were tested on made-up trades alone. Put the archive at ${REAL_DAY_PATH}, or name it in CDVAULT_REAL_DAY`;
  process.stderr.write(`${missing}\n`);
  it.skip(missing, () => undefined);
}

let store: ReturnType<typeof openStore>;
let asker: Asker;
let fixture: Fixture;
beforeAll(async () => {
  store = openStore();
  asker = await Asker.connect(inject('services').questdbReadonlyPgUrl);
  fixture = await fillStore(store);
}, 300_000);
afterAll(async () => {
  await asker.close();
  await store.close();
});

const RANGES = {
  '1 min': [DAY + 10 * HOUR_MS, DAY + 10 * HOUR_MS + MINUTE_MS],
  '6 h over a hole': [DAY + 9.2 * HOUR_MS, DAY + 15.2 * HOUR_MS],
  '6 h over midnight': [DAY + 21 * HOUR_MS, DAY + 27 * HOUR_MS],
  '30 d': [DAY - 10 * DAY_MS, DAY + 20 * DAY_MS],
} as const;
type RangeName = keyof typeof RANGES;
const CHOICES = ['auto', '1h', '1d'] as const;
const ANCHORS = ['visible', 'day', 'session', 'continuous'] as const;

/** All variables above the panels. */
interface Choice {
  readonly anchor: Grid['anchor'];
  readonly interval?: string;
  readonly zone?: string;
  readonly start?: string;
}

async function contextOf(
  { series }: StoredSeries,
  [fromMs, toMs]: readonly [number, number],
  { anchor, interval = 'auto', zone = 'America/New_York', start = '09:30' }: Choice,
): Promise<QueryContext> {
  const chosen: Record<string, Chosen> = { ...series, interval, anchor };
  chosen['session_zone'] = zone;
  chosen['session_start'] = start;
  const range = { fromMs, toMs, intervalMs: MINUTE_MS };
  return { ...range, variables: await asker.variables(dashboard, range, chosen) };
}

async function panel(title: string, context: QueryContext): Promise<Answer> {
  const found = panelQueries(dashboard).find(({ where }) => where.startsWith(title));
  if (found === undefined) throw new Error(`no panel ${title}`);
  return asker.ask(expandQuery(found.target.rawSql, context));
}

describe.each(ANCHORS)('CDV from the anchor %s', (anchor) => {
  test.each(Object.keys(RANGES) as RangeName[])(
    'every panel gets the data it needs, at every interval: %s',
    async (name) => {
      for (const interval of CHOICES) {
        const context = await contextOf(fixture.spot, RANGES[name], { anchor, interval });
        for (const { where, target } of panelQueries(dashboard)) {
          const answer = await asker.ask(expandQuery(target.rawSql, context));
          if (target.format === 'time_series')
            expectSeries(answer, context, `${where} ${interval}`);
          else expect(answer.rows, where).toHaveLength(1);
        }
      }
    },
  );

  test.each(Object.keys(RANGES) as RangeName[])(
    'levels equal those computed from the trades: %s',
    async (name) => {
      for (const interval of CHOICES)
        await expectLevels(fixture.spot, RANGES[name], { anchor, interval });
    },
  );

  test.each(Object.keys(RANGES) as RangeName[])(
    'the lines of the trade sizes add up to the CDV: %s',
    async (name) => {
      for (const interval of CHOICES) {
        const context = await contextOf(fixture.spot, RANGES[name], { anchor, interval });
        const cdv = await panel('CDV, $step', context);
        const sums = new Map<string, number>();
        const tiers = await panel('CDV by trade size', context);
        for (const [time = '', , level] of tiers.rows)
          if (level !== null) sums.set(time ?? '', (sums.get(time ?? '') ?? 0) + Number(level));
        const closes = columnOf(cdv, 'close');
        const wanted = cdv.rows.flatMap(([time], index) => {
          const close = closes[index];
          return close === undefined ? [] : ([[time, close]] as const);
        });
        expect([...sums.keys()]).toEqual(wanted.map(([time]) => time));
        for (const [time, close] of wanted)
          expect(sums.get(time ?? ''), `${interval} ${time}`).toBeCloseTo(close, 6);
      }
    },
  );
});

/** Time is the first column and ascends, values are of types that Grafana draws, rows are few enough. */
function expectSeries(
  { columns, rows }: Answer,
  { fromMs, toMs }: QueryContext,
  where: string,
): void {
  const [time, ...values] = columns;
  expect(time, where).toEqual({ name: 'time', oid: PG.timestamp });
  const isLong = columns[1]?.name === 'metric';
  if (isLong) expect(columns.map(({ name }) => name)).toEqual(['time', 'metric', 'value']);
  for (const { name, oid } of values)
    expect(oid, `${where} ${name}`).toBe(name === 'metric' ? PG.varchar : PG.float8);
  for (const kind of isLong ? new Set(rows.map(([, metric]) => metric)) : [undefined]) {
    const times = rows
      .filter(([, metric]) => !isLong || metric === kind)
      .map(([text]) => timeMsOf(text));
    expect(times.length, where).toBeLessThanOrEqual(MOST_BARS);
    for (const [index, timeMs] of times.entries()) {
      expect(timeMs, where).toBeGreaterThan(times[index - 1] ?? -Infinity);
      expect(timeMs >= fromMs && timeMs <= toMs, where).toBe(true);
    }
  }
}

/** Compares bar by bar; unknown bars are rows of NULL. */
async function expectLevels(
  stored: StoredSeries,
  [fromMs, toMs]: readonly [number, number],
  choice: Choice,
): Promise<void> {
  const { anchor, zone = 'America/New_York', start = '09:30' } = choice;
  const context = await contextOf(stored, [fromMs, toMs], choice);
  const answer = await panel('CDV, $step', context);
  const delta = await panel('Delta, $step', context);
  const step = context.variables['step'] as Interval;
  const { originMs } = stored;
  const grid: Grid = { anchor, zone, start, fromMs, toMs, originMs, stepMs: INTERVAL_MS[step] };
  const wanted = expectedBars(stored, grid);
  const where = `${anchor} ${step} ${zone} ${start}`;
  const times = answer.rows.map(([time]) => timeMsOf(time));
  expect(times.map(iso), where).toEqual(wanted.map(({ openMs }) => iso(openMs)));
  const columns = ['open', 'high', 'low', 'close'].map((name) => columnOf(answer, name));
  const deltas = ['buying', 'selling', 'forming', 'unproven'].map((name) => columnOf(delta, name));
  for (const [index, { levels, openMs, delta: sum }] of wanted.entries()) {
    const got = columns.map((column) => column[index]);
    const at = `${where} ${iso(openMs)}`;
    if (levels === undefined) expect(got, at).toEqual([undefined, undefined, undefined, undefined]);
    else
      for (const [place, level] of levels.entries()) expect(got[place], at).toBeCloseTo(level, 6);
    const bars = deltas.flatMap((column) => column[index] ?? []);
    if (sum === undefined) expect(bars, at).toEqual([]);
    else {
      expect(bars, at).toHaveLength(1);
      expect(bars[0], at).toBeCloseTo(sum, 6);
    }
  }
}

const iso = (timeMs: number): string => new Date(timeMs).toISOString();

test.each([
  ['America/New_York', '00:00'],
  ['America/New_York', '17:00'],
  ['Europe/London', '08:00'],
  ['Asia/Kolkata', '09:15'],
])(
  'sessions in %s from %s on are right on the days on which clocks change',
  async (zone, start) => {
    for (const day of CLOCK_DAYS)
      for (const interval of ['15m', '1h', '4h', '1d'])
        await expectLevels(fixture.clocks, [day - DAY_MS, day + 2 * DAY_MS], {
          anchor: 'session',
          interval,
          zone,
          start,
        });
  },
);

test('lines break where bars are absent, since these are rows of NULL', async () => {
  const range = [ABSENT_HOUR - HOUR_MS, ABSENT_HOUR + 2 * HOUR_MS - 1] as const;
  const context = await contextOf(fixture.spot, range, { anchor: 'visible', interval: '15m' });
  for (const { where, target } of panelQueries(dashboard)) {
    if (target.format !== 'time_series' || where.includes('by trade size')) continue;
    const { rows } = await asker.ask(expandQuery(target.rawSql, context));
    const inHole = rows.filter(([time]) => {
      const timeMs = timeMsOf(time);
      return timeMs >= ABSENT_HOUR && timeMs < ABSENT_HOUR + HOUR_MS;
    });
    // The perpetual was traded in that hour.
    const isKnown = where.endsWith(' B');
    expect(inHole, where).toHaveLength(4);
    for (const [, ...values] of inHole)
      expect(
        values.every((value) => value === null),
        where,
      ).toBe(!isKnown);
  }
});

test('bars of an hour with missing ids are marked; those of a proven hour are not', async () => {
  const range = [HOLED_HOUR - HOUR_MS, HOLED_HOUR + HOUR_MS] as const;
  const context = await contextOf(fixture.spot, range, { anchor: 'day', interval: '1h' });
  const cdv = await panel('CDV, $step', context);
  expect(columnOf(cdv, 'unproven').map((level) => level !== undefined)).toEqual([
    false,
    true,
    false,
  ]);
  expect(await counts(context)).toEqual({ proven: 2, unproven: 1, forming: 0, absent: 0 });
});

test('only a bar whose end is still to come is forming', async () => {
  const nowMs = Date.now();
  const range = [nowMs - 2 * DAY_MS, nowMs] as const;
  const context = await contextOf(fixture.live, range, { anchor: 'day', interval: '1d' });
  expect(await counts(context)).toEqual({ proven: 1, unproven: 0, forming: 1, absent: 0 });
  const delta = await panel('Delta, $step', context);
  expect(columnOf(delta, 'forming').map((level) => level !== undefined)).toEqual([false, true]);
  const price = await panel('Price, $step', context);
  expect(columnOf(price, 'forming').at(-1)).toBe(columnOf(price, 'close').at(-1));
});

async function counts(context: QueryContext): Promise<Record<string, number>> {
  const { columns, rows } = await panel('Bars of $step', context);
  return Object.fromEntries(columns.map(({ name }, index) => [name, Number(rows[0]?.[index])]));
}

test.each([
  ['auto', 33 * HOUR_MS, '1m'],
  ['auto', 34 * HOUR_MS, '3m'],
  ['auto', 30 * DAY_MS, '30m'],
  ['auto', 365 * DAY_MS, '1d'],
  ['1h', HOUR_MS, '1h'],
  ['1m', 30 * DAY_MS, '30m'],
])('the interval %s over %d ms is %s', async (interval, lengthMs, step) => {
  const range = [DAY, DAY + lengthMs] as const;
  const context = await contextOf(fixture.spot, range, { anchor: 'visible', interval });
  expect(context.variables['step']).toBe(step);
});

test('no panel reads bars beyond its range and a day around it', async () => {
  const context = await contextOf(fixture.spot, RANGES['1 min'], { anchor: 'session' });
  for (const { where, target } of panelQueries(dashboard)) {
    const { rows } = await asker.ask(`EXPLAIN ${expandQuery(target.rawSql, context)}`);
    const plan = rows.map(([line]) => line).join('\n');
    expect(plan, where).toMatch(/Interval forward scan on: (cdv|tiers)_exact_1m/);
    expect(plan, where).not.toMatch(/Frame forward scan on: (cdv|tiers)_exact_1m/);
  }
});

test('gaps and halts are annotated with their evidence', async () => {
  const context = await contextOf(fixture.spot, RANGES['30 d'], { anchor: 'visible' });
  for (const { name, target } of dashboard.annotations.list) {
    const { columns, rows } = await asker.ask(expandQuery(target.rawSql, context));
    expect(columns.map((column) => column.name)).toEqual(['time', 'timeend', 'text', 'tags']);
    expect(columns.slice(0, 2).map(({ oid }) => oid)).toEqual([PG.timestamp, PG.timestamp]);
    if (name !== 'Gaps') continue;
    expect(rows.map(([time, end]) => [timeMsOf(time), timeMsOf(end)])).toEqual([
      [ABSENT_HOUR, ABSENT_HOUR + HOUR_MS],
      [HOLED_HOUR, HOLED_HOUR + HOUR_MS],
    ]);
    expect(rows.map(([, , text]) => text)).toEqual([
      'absent: not in the ledger',
      expect.stringMatching(/^gap: \d+ ids missing$/),
    ]);
  }
});
