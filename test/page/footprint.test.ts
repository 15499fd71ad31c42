import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSql, literal, type Sql } from '../../src/adapters/questdb/sql.ts';
import { formatDecimal, parseDecimal } from '../../src/domain/trade/decimal.ts';
import { DAY_MS, floorTo, HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { truth } from '../e2e/reference.ts';
import { Rig, spot } from '../e2e/rig.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { fillSeries } from '../support/filled-series.ts';
import { type Served, startServe } from '../support/served.ts';
import { openStore, tradesView } from '../support/store.ts';
import { type ChartPage, CHROMIUM, expectClean, openBrowser, openChart, iso } from './browser.ts';

const START = Date.UTC(2024, 2, 6);
const SERIES = spot(unique('CELLS'));
const BARS = 8;
const FROM = START + 15 * HOUR_MS;
const TO = FROM + BARS * MINUTE_MS;
/** Less than the height of any row. */
const STEP_PX = 4;
/** A number must fit. */
const MIN_ROW_PX = 13;

interface ReadCell {
  readonly from: string;
  readonly to: string;
  readonly sell: string;
  readonly buy: string;
}

describe.skipIf(CHROMIUM === undefined)('what the page draws of trades', () => {
  let rig: Rig;
  let served: Served;
  let sql: Sql;
  let view: string;
  let browser: Browser;
  let chart: ChartPage;

  beforeAll(async () => {
    rig = await Rig.start({});
    await rig.app();
    const store = openStore();
    const toMs = START + DAY_MS;
    const made = syntheticTrades({ seed: 85, fromMs: START, toMs, tradesPerHour: 2_000 });
    const trades = truth(made, { startMs: START, endMs: toMs }, SERIES.market);
    await fillSeries(store, { series: SERIES, trades, originMs: START });
    view = await tradesView(store.sql, SERIES.symbol);
    await store.close();
    served = await startServe(rig);
    sql = createSql(rig.services.questdbReadonlyPgUrl, 1);
    browser = await openBrowser();
  }, 300_000);

  afterAll(async () => {
    await browser.close();
    await sql.close();
    await rig.dispose();
  });

  beforeEach(async () => {
    chart = await openChart(browser, served);
  });

  afterEach(async () => {
    await chart.close();
    expectClean(chart, served);
  });

  async function open(kind: 'footprint' | 'profile', more: Readonly<Record<string, string>>) {
    const answered = chart.page.waitForResponse((response) =>
      new URL(response.url()).pathname.endsWith(`/${kind}`),
    );
    await chart.open(`?${new URLSearchParams({ symbol: SERIES.symbol, ...more }).toString()}`);
    await answered;
    await chart.page.locator('body:not([data-loading])').waitFor();
  }

  /** Moves the cursor down the price pane, and reads the legend at each step. */
  async function readDown(kind: 'cell' | 'profile', slot: number, stepPx: number) {
    const box = await chart.page.locator('.chart').boundingBox();
    const next = await chart.page.locator('[data-legend=cdv]').boundingBox();
    const axis = await chart.page.locator('.strip canvas').boundingBox();
    if (box === null || next === null || axis === null) throw new Error('nothing is drawn');
    const x = box.x + (axis.width * (slot + 0.5)) / BARS;
    const read = new Map<string, ReadCell & { steps: number }>();
    for (let y = box.y + 1; y < next.y - 8; y += stepPx) {
      await chart.page.mouse.move(x, y);
      const cell = await chart.page.evaluate<ReadCell | null>(`(() => {
        const text = (part) => document.querySelector('[data-field=${kind}-' + part + ']')?.textContent;
        const from = text('from');
        return from === undefined ? null
          : { from, to: text('to'), sell: text('sell'), buy: text('buy') };
      })()`);
      if (cell === null) continue;
      read.set(cell.from, { ...cell, steps: (read.get(cell.from)?.steps ?? 0) + 1 });
    }
    return [...read.values()].toSorted((a, b) => Number(a.from) - Number(b.from));
  }

  /** Sums of the stored trades of a range, by price bin. */
  async function summed(fromMs: number, toMs: number, binE8: bigint): Promise<ReadCell[]> {
    const iso = (timeMs: number) => literal(new Date(timeMs).toISOString());
    const rows = await sql.query(
      `SELECT price, qty, side FROM "${view}" WHERE ts >= ${iso(fromMs)} AND ts < ${iso(toMs)}`,
    );
    const sums = new Map<bigint, { buy: bigint; sell: bigint }>();
    for (const { price, qty, side } of rows) {
      const from = BigInt(floorTo(Number(parseDecimal(price ?? '', 8)), Number(binE8)));
      const sum = sums.get(from) ?? { buy: 0n, sell: 0n };
      sum[side === 'sell' ? 'sell' : 'buy'] += parseDecimal(qty ?? '', 8);
      sums.set(from, sum);
    }
    const text = (value: bigint) => formatDecimal(value, 8);
    return [...sums]
      .toSorted(([a], [b]) => Number(a - b))
      .map(([from, { buy, sell }]) => ({
        from: text(from),
        to: text(from + binE8),
        sell: text(sell),
        buy: text(buy),
      }));
  }

  const range = { interval: '1m', from: iso(FROM), to: iso(TO) };

  test('the cells of a bar equal sums of its trades, and their rows have room for numbers', async () => {
    await open('footprint', range);
    for (const slot of [1, 4, 7]) {
      const read = await readDown('cell', slot, STEP_PX);
      expect(read.length).toBeGreaterThan(1);
      const steps = read.reduce((sum, cell) => sum + cell.steps, -1);
      expect((steps * STEP_PX) / read.length).toBeGreaterThanOrEqual(MIN_ROW_PX);
      const at = FROM + slot * MINUTE_MS;
      expect(read.map(({ steps: _steps, ...cell }) => cell)).toEqual(
        await summed(at, at + MINUTE_MS, binOf(read)),
      );
    }
  });

  test('cells can be finer or coarser than auto, and the address keeps it', async () => {
    const { page } = chart;
    await open('footprint', range);
    const auto = binOf(await readDown('cell', 4, STEP_PX));
    await page.getByRole('button', { name: 'Overlays' }).click();
    const bin = page.locator('[data-field=bin]');
    expect(await bin.innerText()).toMatch(/^auto · \d/);
    const answered = page.waitForResponse(/\/footprint\?/);
    await page.getByRole('button', { name: 'Finer' }).click();
    await answered;
    await page.locator('body:not([data-loading])').waitFor();
    const finer = parseDecimal(await bin.innerText(), 8);
    expect(finer < auto && finer * 3n > auto).toBe(true);
    expect(new URL(page.url()).searchParams.get('bin')).toBe(await bin.innerText());
    await page.keyboard.press('Escape');
    const read = await readDown('cell', 4, 2);
    const at = FROM + 4 * MINUTE_MS;
    expect(read.map(({ steps: _steps, ...cell }) => cell)).toEqual(
      await summed(at, at + MINUTE_MS, finer),
    );
    await page.getByRole('button', { name: 'Overlays' }).click();
    await page.getByRole('button', { name: 'Auto', exact: true }).click();
    await expect.poll(() => new URL(page.url()).searchParams.has('bin')).toBe(false);
    await expect.poll(async () => bin.innerText()).toContain('auto · ');
  });

  test('the rows of the profile equal sums of the visible trades', async () => {
    await open('profile', { ...range, profile: 'on' });
    const read = await readDown('profile', 2, 2);
    expect(read.length).toBeGreaterThan(5);
    expect(read.map(({ steps: _steps, ...cell }) => cell)).toEqual(
      await summed(FROM, TO, binOf(read)),
    );
  });

  test('hours of a session from 09:30 have no cells, and the page says why', async () => {
    const view = new URLSearchParams({
      symbol: SERIES.symbol,
      interval: '1h',
      anchor: 'session:09:30@America/New_York',
      from: iso(START + 15.5 * HOUR_MS),
      to: iso(START + 20.5 * HOUR_MS),
    });
    await chart.open(`?${view.toString()}`);
    await chart.page.getByRole('button', { name: 'Overlays' }).click();
    await chart.page.getByText('cells begin at whole steps of 1h in UTC').waitFor();
  });
});

function binOf([first]: readonly ReadCell[]): bigint {
  return parseDecimal(first?.to ?? '0', 8) - parseDecimal(first?.from ?? '0', 8);
}
