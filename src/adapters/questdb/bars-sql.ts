import type { BarsPlan } from '../../domain/bars/bar-plan.ts';
import type { Anchor } from '../../domain/bars/anchor.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { Series } from '../../domain/market.ts';
import { DAY_MS, WEEK_MS, WEEK_ORIGIN_MS } from '../../domain/time/hour.ts';
import { INTERVAL_MS } from '../../domain/time/interval.ts';
import type { ShowRequest } from '../../ports/chart-data.ts';
import { literal, timestamp } from './sql.ts';

/**
 * One statement that gives the bars of a request, every digit of them, to anybody who may select. It adds up
 * stored bars as show does, but takes levels from the continuous ones, which are NULL where they are not computed
 * yet. It leaves out how much is missing from a level: that is counted from the ledger.
 */
export function barsStatement(
  series: Series,
  request: ShowRequest,
  plan: BarsPlan,
  tier?: number,
): string {
  assertZoneOfPlace(request.anchor);
  const isCounted = request.anchor.kind !== 'day' && request.anchor.kind !== 'total';
  const levels = isCounted ? COUNTED : AS_THEY_ARE;
  const columns = tier === undefined ? COLUMNS : TIER_COLUMNS;
  return [
    'WITH parts AS (',
    partsOf(storedRows(series, request, plan, tier), request),
    '),\nplaced AS (',
    placesOf(request),
    '),\nbars AS (',
    barsOf(plan, columns),
    '),\nlevels AS (',
    levels,
    ')',
    shown(request, columns),
  ].join('\n');
}

/** How the parts of a bar are put together, by column; levels and status have rules of their own. */
type Columns = Readonly<Record<string, 'sum' | 'first_not_null' | 'max' | 'min' | 'last_not_null'>>;

const TIER_COLUMNS: Columns = {
  delta: 'sum',
  buy_volume: 'sum',
  sell_volume: 'sum',
  agg_trades: 'sum',
  trades: 'sum',
};

const COLUMNS: Columns = {
  ...TIER_COLUMNS,
  quote_delta: 'sum',
  quote_volume: 'sum',
  price_open: 'first_not_null',
  price_high: 'max',
  price_low: 'min',
  price_close: 'last_not_null',
  first_id: 'min',
  last_id: 'max',
};

const LEVELS = ['open', 'high', 'low', 'close'];

/** Stored bars. Their levels count from midnight; where another anchor needs it, they are made continuous. */
function storedRows(
  { market, symbol }: Series,
  { anchor }: ShowRequest,
  { stored, read }: BarsPlan,
  tier: number | undefined,
): string {
  const levels = (base: string) =>
    LEVELS.map((name) => `(${base} + b.${name})::decimal(38,8) ${name}`).join(', ');
  const rows = `b.market = ${literal(market)} AND b.symbol = ${literal(symbol)}
    AND b.ts >= ${timestamp(read.startMs)} AND b.ts < ${timestamp(read.endMs)} AND b.status <> 'void'`;
  if (tier !== undefined) {
    const ofTier = `SELECT b.* FROM tiers_exact_${stored} b WHERE ${rows} AND b.tier = ${literal(String(tier))}`;
    if (anchor.kind === 'day') return ofTier;
    // Each day begins where the days before it ended. (A window gives no exact sum of decimals.)
    const plain = Object.keys(TIER_COLUMNS).map((name) => `b.${name} ${name}`);
    return `SELECT b.ts ts, ${levels('d.base')}, ${plain.join(', ')}, b.status status
  FROM ((SELECT *, timestamp_floor('d', ts) day FROM (${ofTier})) TIMESTAMP(ts)) b
  JOIN (
    SELECT l.day day, sum(CASE WHEN e.day < l.day THEN e.level ELSE 0m END) base
    FROM (SELECT timestamp_floor('d', ts) day, last(close) level FROM (${ofTier}) GROUP BY day) l
    CROSS JOIN (SELECT timestamp_floor('d', ts) day, last(close) level FROM (${ofTier}) GROUP BY day) e
    GROUP BY day
  ) d ON b.day = d.day`;
  }
  const isDay = anchor.kind === 'day';
  const base = isDay ? '0m' : "CASE WHEN a.ts = timestamp_floor('d', b.ts) THEN a.base END";
  const joined = isDay ? '' : ' ASOF JOIN anchors a ON (market, symbol)';
  const plain = [...Object.keys(COLUMNS), 'status'].map((name) => `b.${name} ${name}`).join(', ');
  return `SELECT b.ts ts, ${levels(base)},
    ${plain}
  FROM cdv_exact_${stored} b${joined}
  WHERE ${rows}`;
}

/**
 * QuestDB reads names such as EST and Etc/GMT+5 in its own way: as a zone with summer time, or as UTC.
 * @throws CdvaultError USAGE
 */
function assertZoneOfPlace(anchor: Anchor): void {
  if (anchor.kind !== 'session') return;
  const { zone } = anchor;
  if (isUtc(zone) || (zone.includes('/') && !/^etc\//i.test(zone))) return;
  throw new CdvaultError('USAGE', `SQL can't tell the hours of the time zone ${zone}`, {
    advice: 'Use the name of a place, such as America/New_York, or ask without sql=true.',
  });
}

/** Names of UTC that others may write; QuestDB knows only this one. */
function isUtc(zone: string): boolean {
  return /^(?:etc\/)?(?:utc|gmt|universal|zulu)$/i.test(zone);
}

/** Stored bars with the bar that each is a part of. */
function partsOf(rows: string, { anchor, lengthMs }: ShowRequest): string {
  if (anchor.kind !== 'session') return `SELECT *, ${evenBar('ts', lengthMs)} bar FROM (${rows})`;
  const { minuteOfDay: minute } = anchor;
  const zone = isUtc(anchor.zone) ? 'UTC' : anchor.zone;
  const local = `to_timezone(ts, ${literal(zone)})`;
  const clock = `dateadd('m', ${minute}, timestamp_floor('d', dateadd('m', ${-minute}, ${local})))`;
  const utc = (time: string) => `to_utc(${time}, ${literal(zone)})`;
  const steps = lengthMs / 60_000;
  const bar =
    lengthMs < DAY_MS
      ? `dateadd('m', (${steps} * (datediff('m', session, ts) / ${steps}))::int, session)`
      : 'session';
  return `SELECT *, ${bar} bar FROM (
    SELECT *, ${utc('clock')} session, ${utc("dateadd('d', 1, clock)")} next FROM (
      SELECT *, ${clock} clock FROM (${rows})))`;
}

/** The start of the bar that holds a time, on the grid of evenGrid(). */
function evenBar(time: string, lengthMs: number): string {
  const originUs = lengthMs % WEEK_MS === 0 ? WEEK_ORIGIN_MS * 1000 : 0;
  const lengthUs = lengthMs * 1000;
  return `((${time}::long - (${originUs}L)) / ${lengthUs}L * ${lengthUs}L + (${originUs}L))::timestamp`;
}

/** Parts with the end of their bar, and with the time at which the bar's level is 0. */
function placesOf({ anchor, lengthMs, range }: ShowRequest): string {
  const later = `(bar::long + ${lengthMs * 1000}L)::timestamp`;
  const isCut = anchor.kind === 'session';
  const next = lengthMs < DAY_MS ? `CASE WHEN ${later} < next THEN ${later} ELSE next END` : 'next';
  return `SELECT *, ${isCut ? next : later} bar_end, ${startOf(anchor, lengthMs, range.startMs)} start FROM parts`;
}

/** Bars without trades in them have one level, which is no level of a trade of theirs. */
function barsOf({ stored }: BarsPlan, columns: Columns): string {
  const traded = (level: string) => `CASE WHEN agg_trades > 0 THEN ${level} END`;
  const storedUs = INTERVAL_MS[stored] * 1000;
  const plain = Object.entries(columns).map(([name, put]) => `${put}(${name}) ${name}`);
  return `SELECT bar, bar_end, start,
    first_not_null(${traded('open')}) open, max(${traded('high')}) high, min(${traded('low')}) low,
    last(close) close,
    ${plain.join(', ')},
    sum(CASE WHEN status = 'final' THEN ${storedUs}L ELSE 0L END) final_us
  FROM placed GROUP BY bar, bar_end, start`;
}

/** More than a century: a window that is longer begins before the first trade all the same. */
const LONGEST_US = 4e15;

/** Where the level of the bar `bar` is 0. */
function startOf(anchor: Anchor, lengthMs: number, fromMs: number): string {
  switch (anchor.kind) {
    case 'session':
      return 'session';
    case 'week':
      return "timestamp_floor('w', bar)";
    case 'month':
      return "timestamp_floor('M', bar)";
    case 'instant':
      return timestamp(anchor.atMs);
    case 'rolling':
      return `(bar::long - ${Math.min((anchor.bars - 1) * lengthMs * 1000, LONGEST_US)}L)::timestamp`;
    case 'from':
      return timestamp(fromMs);
    case 'day':
    case 'total':
      break;
  }
  return 'bar';
}

const AS_THEY_ARE = 'SELECT *, 0m::decimal(38,8) zero FROM bars';

/**
 * A level is 0 after the last part before its start; where no part that was read is before it, before the first
 * one.
 */
const COUNTED = `SELECT *, CASE WHEN before_ts <= at THEN before ELSE first END zero FROM (
    SELECT b.*, z.level before, z.ts before_ts, f.level first
    FROM ((SELECT *, (start::long - 1L)::timestamp at FROM bars ORDER BY at) TIMESTAMP(at)) b
    ASOF JOIN (SELECT ts, close level FROM parts) z
    CROSS JOIN (SELECT first(close - delta)::decimal(38,8) level FROM parts) f
  )`;

function shown({ open, range }: ShowRequest, columns: Columns): string {
  const own = (level: string) => `CASE WHEN agg_trades > 0 THEN ${level} ELSE close END`;
  const before = '(close - delta)::decimal(38,8)';
  const [opens, high, low] =
    open === 'first'
      ? [own('open'), own('high'), own('low')]
      : [
          before,
          `CASE WHEN high > ${before} THEN high ELSE ${before} END`,
          `CASE WHEN low < ${before} THEN low ELSE ${before} END`,
        ];
  const counted = (level: string) => `(${level} - zero)::decimal(38,8)`;
  return `SELECT bar ts, bar_end ts_end,
  ${counted(opens)} open, ${counted(high)} high, ${counted(low)} low, ${counted('close')} close,
  ${Object.keys(columns).join(', ')},
  CASE WHEN final_us = bar_end::long - bar::long THEN 'final' WHEN bar_end > now() THEN 'forming' ELSE 'partial' END status
FROM levels WHERE bar >= ${timestamp(range.startMs)} ORDER BY bar`;
}
