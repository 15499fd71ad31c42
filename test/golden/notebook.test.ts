import { beforeAll, describe, expect, it } from 'vitest';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { type Bar, barText, rollUp } from '../../src/domain/bars/bar.ts';
import { cdvBars } from '../support/reference-bars.ts';
import { contentHasher } from '../../src/domain/trade/content-hash.ts';
import { createHourRun } from '../../src/domain/proof/continuity.ts';
import { formatDecimalShort } from '../../src/domain/trade/decimal.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { type Interval, INTERVAL_MS } from '../../src/domain/time/interval.ts';
import { renderOhlc } from '../../src/cli/print/bar-table.ts';
import { REAL_DAY_PATH, realDayIsHere, realDayTrades } from './real-day.ts';

const DAY = Date.UTC(2024, 0, 1);
const ALL_HOURS = Array.from({ length: 24 }, (_, index) => DAY + index * HOUR_MS);
const TEN = DAY + 10 * HOUR_MS;

/** Levels that the notebook showed for 10:00 to 10:03: pandas cumsum from midnight, resampled to ohlc. */
const NOTEBOOK_ROWS = [
  '2024-01-01 10:00:00  217.20149  217.84858  216.39749  217.64984',
  '2024-01-01 10:01:00  217.64801  218.11814  216.56164  218.11742',
  '2024-01-01 10:02:00  218.11655  219.43334  211.32915  211.34749',
  '2024-01-01 10:03:00  211.34667  219.99003  211.13644  211.14596',
];

/** Deltas of the exchange's own klines (2 × taker buy base − volume), as published by others. */
const PUBLISHED: readonly (readonly [Interval, string, string])[] = [
  ['1d', '00:00', '1489.16457'],
  ['1h', '00:00', '93.47054'],
  ['1h', '01:00', '228.26598'],
  ['5m', '00:00', '56.85733'],
  ['5m', '00:05', '-2.4079'],
  ['1m', '00:00', '10.44808'],
  ['1m', '00:01', '5.78187'],
  ['1m', '00:02', '0.83211'],
];

const short = (units: bigint | undefined): string =>
  units === undefined ? 'none' : formatDecimalShort(units, 8);

if (!realDayIsHere()) {
  const missing = `REAL DAY MISSING: nothing here was checked against real trades. Put the archive at ${REAL_DAY_PATH}, or name it in CDVAULT_REAL_DAY`;
  // Reporters leave the names of skipped tests out.
  process.stderr.write(`${missing}\n`);
  it.skip(missing, () => undefined);
}

describe.runIf(realDayIsHere())('the real day, BTCUSDT 2024-01-01', () => {
  const trades: AggTrade[] = [];
  let minutes: Bar[] = [];

  beforeAll(async () => {
    for await (const trade of realDayTrades()) trades.push(trade);
    minutes = [...cdvBars(trades, { intervalMs: MINUTE_MS, denseHours: ALL_HOURS })];
  }, 60_000);

  it('has the trades that the exchange published', () => {
    expect(trades).toHaveLength(863_403);
    expect([trades[0]?.aggId, trades.at(-1)?.aggId]).toEqual([2_807_759_891, 2_808_623_293]);
    expect(minutes).toHaveLength(1440);
  });

  it('shows the notebook’s four rows', () => {
    const shown = minutes
      .slice(600, 604)
      .map(
        (bar) => ({ ...barText(bar), status: 'final', levelFromMs: DAY, levelMissing: 0 }) as const,
      );
    const lines = renderOhlc(shown).split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[0]).toMatch(/^ +open +high +low +close +delta$/);
    expect(lines.slice(1).map((line) => line.split(/ {2,}/).slice(0, 5).join('  '))).toEqual(
      NOTEBOOK_ROWS,
    );
  });

  it.each(PUBLISHED)('has the published delta of the %s bar of %s', (interval, time, delta) => {
    const openMs = Date.parse(`2024-01-01T${time}Z`);
    const bar = [...rollUp(minutes, INTERVAL_MS[interval])].find((each) => each.openMs === openMs);
    expect(short(bar?.delta)).toBe(delta);
  });

  it('has the published volume, trade count and taker buy volume of the day', () => {
    const [day, ...rest] = rollUp(minutes, INTERVAL_MS['1d']);
    expect(rest).toEqual([]);
    expect(short((day?.buyVolume ?? 0n) + (day?.sellVolume ?? 0n))).toBe('27174.29903');
    expect(short(day?.buyVolume)).toBe('14331.7318');
    expect(day).toMatchObject({ trades: 1_114_623, aggTrades: 863_403 });
    expect(short(day?.close)).toBe('1489.16457');
  });

  it('is the same at every interval, rolled up or computed directly', () => {
    for (const interval of ['1h', '4h'] as const) {
      const intervalMs = INTERVAL_MS[interval];
      expect([...rollUp(minutes, intervalMs)]).toEqual([
        ...cdvBars(trades, { intervalMs, denseHours: ALL_HOURS }),
      ]);
    }
  });

  it('has the real hour as one run of ids, for pages of any size', () => {
    const from = trades.findIndex(({ timeUs }) => timeUs >= TEN * 1000) - 1;
    for (const pageRows of [1000, 777, 26_342]) {
      const run = createHourRun({ hourMs: TEN }, { expectedId: trades[from]?.aggId ?? 0 });
      for (let at = from; !run.done; at += pageRows) {
        expect(run.accept(trades.slice(at, at + pageRows)).holes).toEqual([]);
      }
      expect(run.facts).toMatchObject({
        rows: 26_340,
        first: { id: 2_808_045_203 },
        last: { id: 2_808_071_542 },
        prev: { id: 2_808_045_202 },
        next: { id: 2_808_071_543 },
        invalidRows: 0,
        backwardRows: 0,
      });
      expect(short(run.facts.buyE8 - run.facts.sellE8)).toBe('59.71163');
    }
  });

  it('has the content hash that another program computes from the file', () => {
    const hasher = contentHasher();
    for (const trade of trades) hasher.update(trade);
    expect(hasher.digest()).toBe(
      '9d7c9d15459f0da2911ffa58733980f0c3d52ca285b542a4611cf3737367d49f',
    );
  });

  it('would have a delta of the wrong sign from the first page alone', () => {
    const first = trades.findIndex(({ timeUs }) => timeUs >= TEN * 1000);
    const deltaOf = (rows: number): string => {
      const [bar] = cdvBars(trades.slice(first, first + rows), {
        intervalMs: HOUR_MS,
        denseHours: [],
      });
      return short(bar?.delta);
    };
    expect([500, 1000, 26_340].map(deltaOf)).toEqual(['-0.24776', '-1.22551', '59.71163']);
  });
});
