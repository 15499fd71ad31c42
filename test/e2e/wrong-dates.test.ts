import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS, HOUR_MS, isoDay, type TimeRange } from '../../src/domain/time/hour.ts';
import { verdictOf } from '../../src/domain/proof/ledger.ts';
import type { Series } from '../../src/domain/market.ts';
import { faultySeries } from '../exchange/data-faults.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { eventually, Rig, spot, um } from './rig.ts';
import { tablesWith } from '../support/exports.ts';
import { tradesTable } from '../support/store.ts';

/** A month with one trade an hour, ids 100 to 771, as its file has them; some rows have wrong dates. */
const MONTH = Date.UTC(2023, 1, 1);
const ROWS = 28 * 24;
const timeOf = (id: number) => MONTH + 1000 + (id - 100) * HOUR_MS;
const dayOf = (id: number) => MONTH + Math.floor((id - 100) / 24) * DAY_MS;
const day = (date: number) => Date.UTC(2023, 1, date);

/** The day for REST, with 60 trades an hour. */
const REST_DAY = Date.UTC(2024, 8, 2);
const base = syntheticTrades({
  seed: 33,
  fromMs: REST_DAY - 2 * DAY_MS,
  toMs: REST_DAY + 2 * DAY_MS,
  tradesPerHour: 60,
});
const ODD_HOUR = REST_DAY + 10 * HOUR_MS;
const oddId = base.at(base.indexAtTime(ODD_HOUR * 1000) + 30).a;
const lastId = base.at(base.indexAtTime((ODD_HOUR + HOUR_MS) * 1000) - 1).a;
interface RestShape {
  readonly faults: readonly {
    readonly kind: 'timeBackwards';
    readonly id: number;
    readonly byMs: number;
  }[];
  /** Hours that can't be proven without the row: at a border it may belong to either hour. */
  readonly gaps: readonly string[];
}
const wrong = (id: number, byMs: number) => ({ kind: 'timeBackwards', id, byMs }) as const;
const REST_SHAPES: Readonly<Record<string, RestShape>> = {
  'ten days early': { faults: [wrong(oddId, 10 * DAY_MS)], gaps: ['02T10'] },
  'a day late': { faults: [wrong(oddId, -DAY_MS)], gaps: ['02T10'] },
  'early and late, side by side': {
    faults: [wrong(oddId, 5 * HOUR_MS), wrong(oddId + 1, -7 * HOUR_MS)],
    gaps: ['02T10'],
  },
  'early at the beginning of an hour, two of them': {
    faults: [wrong(lastId + 1, 10 * DAY_MS), wrong(lastId + 2, 10 * DAY_MS)],
    gaps: ['02T10', '02T11'],
  },
  'early at the end of an hour': { faults: [wrong(lastId, 10 * DAY_MS)], gaps: ['02T10', '02T11'] },
};
const symbols = new Map(Object.keys(REST_SHAPES).map((name) => [name, unique('DATE')]));

let rig: Rig;
let app: App;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cdvault-dates-'));
  rig = await Rig.start({
    symbols: Object.entries(REST_SHAPES).map(([name, { faults }]) => ({
      symbol: symbols.get(name) ?? '',
      trades: faultySeries(base, faults),
    })),
  });
  app = await rig.app();
});

afterAll(async () => {
  await rig.dispose();
  rmSync(folder, { recursive: true });
});

const HEADER =
  'agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker';

function writeFile(name: string, ids: readonly number[], dated: Readonly<Record<number, number>>) {
  const rows = ids.map(
    (id) => `${id},1.00,1,${id},${id},${dated[id] ?? timeOf(id)},${id % 2 === 0}`,
  );
  writeFileSync(path.join(folder, name), [HEADER, ...rows, ''].join('\n'));
}

const idsOf = (from: number, rows: number) => Array.from({ length: rows }, (_, row) => from + row);

/** Hours that are not proven, in the form `DDTHH`. */
async function unproven(series: Series, range: TimeRange): Promise<string[]> {
  const found = new Map(
    (await app.ledger.records(series, range)).map((record) => [record.hourMs, verdictOf(record)]),
  );
  const hours: string[] = [];
  for (let hourMs = range.startMs; hourMs < range.endMs; hourMs += HOUR_MS) {
    if (found.get(hourMs) !== 'proven') hours.push(hourText(hourMs));
  }
  return hours;
}

const hourText = (timeMs: number) => new Date(timeMs).toISOString().slice(8, 13);

/** Hours that missing ids may belong to: with one trade an hour, their own, the one before and the one after. */
function hoursAround(ids: readonly number[], { startMs, endMs }: TimeRange): string[] {
  const hours = ids
    .flatMap((id) => [-1, 0, 1].map((step) => timeOf(id) + step * HOUR_MS))
    .filter((timeMs) => timeMs >= startMs && timeMs < endMs);
  return [...new Set(hours.map(hourText))].toSorted();
}

/** For each day: date, trades of its daily bar, status, and trades of its hourly bars. */
async function tradesByDay(series: Series, range: TimeRange): Promise<(number | string)[][]> {
  const days = await app.bars.bars(series, '1d', range);
  const hours = await app.bars.bars(series, '1h', range);
  return days.map(({ openMs, aggTrades, status }) => [
    isoDay(openMs),
    aggTrades,
    status,
    hours
      .filter((bar) => bar.openMs >= openMs && bar.openMs < openMs + DAY_MS)
      .reduce((sum, bar) => sum + bar.aggTrades, 0),
  ]);
}

async function storedIds(series: Series): Promise<number[]> {
  const stored = await tablesWith(app.sql, series.symbol);
  if (!stored.includes('agg_trades')) return [];
  const rows = await app.sql.query(
    `SELECT agg_id FROM ${await tradesTable(app.sql, series.symbol)} WHERE first_id <> -2 ORDER BY agg_id`,
  );
  return rows.map((row) => Number(row['agg_id']));
}

async function evidenceOf(series: Series, dayMs: number): Promise<string> {
  const records = await app.files.records(series, { startMs: dayMs, endMs: dayMs + DAY_MS });
  return records.map(({ evidence }) => evidence).join('; ');
}

const MONTH_SHAPES: readonly (readonly [string, Readonly<Record<number, number>>])[] = [
  ['one row ten days early', { 400: timeOf(400) - 10 * DAY_MS }],
  ['one row ten days late', { 400: timeOf(400) + 10 * DAY_MS }],
  [
    'ten rows ten days early',
    Object.fromEntries(idsOf(400, 10).map((id) => [id, timeOf(id) - 10 * DAY_MS])),
  ],
  [
    'ten rows ten days late',
    Object.fromEntries(idsOf(400, 10).map((id) => [id, timeOf(id) + 10 * DAY_MS])),
  ],
  ['one row dated in the month before', { 400: MONTH - 1 }],
  ['one row dated in the month after', { 400: MONTH + 28 * DAY_MS }],
];

test.each(MONTH_SHAPES)(
  'a month file with %s: other days are complete, and the row’s own hour is a gap that names it',
  async (_, dated) => {
    const series = um(unique('MONTH'));
    writeFile(`${series.symbol}-aggTrades-2023-02.csv`, idsOf(100, ROWS), dated);
    const source = `dir:${folder}` as const;
    const ids = Object.keys(dated).map(Number);
    const [id = 0] = ids;

    // The days around the wrong date, and the days around the ids; each range is taken by itself.
    const visited = Math.floor(((dated[id] ?? 0) - MONTH) / DAY_MS) * DAY_MS + MONTH;
    for (const middle of [visited, dayOf(id)]) {
      const range = {
        startMs: Math.max(MONTH + DAY_MS, middle - DAY_MS),
        endMs: Math.min(MONTH + 27 * DAY_MS, middle + 2 * DAY_MS),
      };
      if (range.startMs >= range.endMs) continue;
      const result = await rig.backfill(app, [series], range, source);
      const own = ids.filter((one) => timeOf(one) >= range.startMs && timeOf(one) < range.endMs);
      expect(result.exitCode).toBe(own.length === 0 ? 0 : 3);
      expect(result.failures).toEqual([]);
      expect(await unproven(series, range)).toEqual(hoursAround(own, range));
      for (const bar of await app.bars.bars(series, '1h', range)) {
        const id = 100 + (bar.openMs - MONTH) / HOUR_MS;
        if (bar.status === 'final')
          expect(bar).toMatchObject({ aggTrades: 1, firstId: id, lastId: id });
      }
      for (const [iso, trades, status, byHour] of await tradesByDay(series, range)) {
        expect(byHour, 'trades of its hours').toBe(trades);
        if (status === 'final') expect([iso, trades]).toEqual([iso, 24]);
      }
    }
    expect(await storedIds(series)).not.toContain(id);
    const wrongDate = new Date(dated[id] ?? 0).toISOString();
    expect(await evidenceOf(series, dayOf(id))).toContain(`id ${id} is dated ${wrongDate}`);
    const [gap] = await app.ledger.openGaps(series, {
      startMs: timeOf(id) - 1000,
      endMs: timeOf(id) + HOUR_MS,
    });
    expect(gap?.evidence).toContain(`id ${id} is dated ${wrongDate}`);
  },
  60_000,
);

test('a row of another day in a day file is refused, and all hours except those around its id are proven', async () => {
  const series = um(unique('DAYFILE'));
  const dated = { 155: timeOf(155) + 3 * DAY_MS };
  for (const date of [2, 3, 4])
    writeFile(
      `${series.symbol}-aggTrades-2023-02-0${date}.csv`,
      idsOf(100 + 24 * (date - 1), 24),
      dated,
    );
  const range = { startMs: day(3), endMs: day(4) };
  expect(await rig.backfill(app, [series], range, `dir:${folder}`)).toMatchObject({ exitCode: 3 });
  expect(await unproven(series, range)).toEqual(['03T06', '03T07', '03T08']);
  expect(await tradesByDay(series, range)).toMatchObject([['2023-02-03', {}, 'partial', {}]]);
  expect(await evidenceOf(series, day(3))).toContain('id 155 is dated 2023-02-06T07:00:01.000Z');
});

test('a day file of another day is refused as a whole', async () => {
  const series = um(unique('OTHERDAY'));
  writeFile(`${series.symbol}-aggTrades-2023-02-03.csv`, idsOf(172, 24), {});
  const range = { startMs: day(3), endMs: day(4) };
  expect(await rig.backfill(app, [series], range, `dir:${folder}`)).toMatchObject({ exitCode: 3 });
  expect(await storedIds(series)).toEqual([]);
  const [file] = await app.files.records(series, range);
  expect(file).toMatchObject({ verdict: 'refused' });
  expect(file?.evidence).toContain('24 of 24 rows have a wrong date');
});

test.each(Object.entries(REST_SHAPES))(
  'rows that REST dates %s are not stored: their hour is a gap, and every other hour is proven',
  async (name, { faults, gaps }) => {
    const series = spot(symbols.get(name) ?? '');
    const range = { startMs: REST_DAY, endMs: REST_DAY + DAY_MS };
    const result = await rig.backfill(app, [series], range);
    expect(result).toMatchObject({
      exitCode: 3,
      proven: 24 - gaps.length,
      gap: gaps.length,
      failures: [],
    });
    expect(await unproven(series, range)).toEqual(gaps);
    const ids = await storedIds(series);
    for (const { id } of faults) expect(ids).not.toContain(id);
    const named = (await app.ledger.openGaps(series, range)).filter(
      ({ gapClass, hourMs }) => gapClass === 'missing_ids' && hourMs === ODD_HOUR,
    );
    expect(named.map(({ fromId, toId }) => [fromId, toId])).toEqual(
      faults.map(({ id }) => [id, id + 1]),
    );
    for (const { evidence } of named)
      expect(evidence).toContain('a wrong date, so the row is not stored');
    const hours = await app.bars.bars(series, '1h', range);
    expect(
      hours.filter(({ status }) => status !== 'final').map(({ openMs }) => hourText(openMs)),
    ).toEqual(gaps);
    expect(hours.reduce((sum, bar) => sum + bar.aggTrades, 0)).toBe(ids.length);
    await eventually('no job is active', async () =>
      (await app.queue.counts()).every(({ active }) => active === 0),
    );
  },
  60_000,
);
