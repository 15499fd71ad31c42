import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSql, type Sql } from '../../src/adapters/questdb/sql.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { truth } from '../e2e/reference.ts';
import { cm, Rig, spot } from '../e2e/rig.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { fillSeries } from '../support/filled-series.ts';
import { type Served, startServe } from '../support/served.ts';
import { openStore } from '../support/store.ts';
import {
  type ChartPage,
  CHROMIUM,
  expectClean,
  openBrowser,
  openChart,
  iso,
  viewOf,
  textOf,
  timeOf,
} from './browser.ts';
import { countedLevels, storedBar } from './stored.ts';

/** A Sunday; New York's clocks change on the 10th. */
const START = Date.UTC(2024, 2, 3);
const END = START + 9 * DAY_MS;
const BUSY = spot(unique('PAGE'));
const THIN = spot(unique('PAGETHIN'));
const COIN = cm(`${unique('PAGECOIN')}_PERP`);
/** On the second day. */
const HOLED_HOUR = START + DAY_MS + 5 * HOUR_MS;
const ABSENT_HOUR = HOLED_HOUR + HOUR_MS;

describe.skipIf(CHROMIUM === undefined)('the chart page', () => {
  let rig: Rig;
  let served: Served;
  let sql: Sql;
  let browser: Browser;
  let chart: ChartPage;

  beforeAll(async () => {
    rig = await Rig.start({});
    await rig.app();
    await fill();
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

  const shownLevels = async () => ({
    high: await chart.field('cdv', 'high'),
    low: await chart.field('cdv', 'low'),
    close: await chart.field('cdv', 'close'),
  });

  test.each([
    ['5m', 5 * MINUTE_MS, BUSY],
    ['1h', HOUR_MS, BUSY],
    ['1m', MINUTE_MS, THIN],
    ['15m', 15 * MINUTE_MS, COIN],
  ] as const)('the legend has what the table of %s has', async (interval, ms, series) => {
    const at = START + DAY_MS + 20 * HOUR_MS;
    await chart.open(viewOf(series, { interval, from: iso(at - 40 * ms), to: iso(at + ms) }));
    const row = await storedBar(sql, series, interval, at);
    expect(row).toBeDefined();
    for (const name of ['open', 'high', 'low', 'close'])
      expect(await chart.field('cdv', name)).toBe(row?.[name]);
    const has = row?.['price_open'] !== null;
    if (has)
      for (const name of ['Open', 'High', 'Low', 'Close'])
        expect(await chart.field('price', `price${name}`)).toBe(
          row?.[`price_${name.toLowerCase()}`],
        );
    expect(await chart.field('delta', 'delta')).toBe(row?.['delta']);
    expect(await chart.field('delta', 'buyVolume')).toBe(row?.['buy_volume']);
    expect(await chart.field('delta', 'sellVolume')).toBe(row?.['sell_volume']);
    expect(await chart.field('delta', 'aggTrades')).toBe(row?.['agg_trades']);
    if (has)
      expect(await chart.field('delta', 'ids')).toBe(`${row?.['first_id']}–${row?.['last_id']}`);
  });

  /** The Wednesday after the hole; New York still has winter time: its session begins at 14:30 UTC. */
  const WEDNESDAY = START + 3 * DAY_MS;
  test.each([
    ['week', '30m', 30 * MINUTE_MS, START + DAY_MS],
    ['session:09:30@America/New_York', '15m', 15 * MINUTE_MS, WEDNESDAY + 14.5 * HOUR_MS],
    ['session:09:30@America/New_York', '1h', HOUR_MS, WEDNESDAY + 14.5 * HOUR_MS],
    ['total', '5m', 5 * MINUTE_MS, START],
  ] as const)(
    'levels from the anchor %s at %s equal sums by SQL',
    async (anchor, interval, ms, zero) => {
      const session = anchor.startsWith('session');
      const at = WEDNESDAY + 18 * HOUR_MS + (session && interval === '1h' ? HOUR_MS / 2 : 0);
      await chart.open(
        viewOf(BUSY, { interval, anchor, from: iso(at - 50 * ms), to: iso(at + ms) }),
      );
      expect(await chart.field('price', 'time')).toBe(`${textOf(at)} UTC`);
      const row = await countedLevels(sql, BUSY, zero, { at, end: at + ms });
      expect(await shownLevels()).toEqual(row);
    },
  );

  test('levels from the left edge equal sums by SQL, and move with the picture', async () => {
    const at = WEDNESDAY + 18 * HOUR_MS;
    const ms = 5 * MINUTE_MS;
    const view = { interval: '5m', anchor: 'visible', from: iso(at - 60 * ms), to: iso(at + ms) };
    await chart.open(viewOf(BUSY, view));
    const bar = { at, end: at + ms };
    expect(await shownLevels()).toEqual(await countedLevels(sql, BUSY, at - 60 * ms, bar));
    expect(await chart.field('cdv', 'levelMissing')).toBe('0');
    // Over midnight: stored levels begin at 0 there, these do not.
    const before = {
      interval: '5m',
      anchor: 'visible',
      from: iso(at - 260 * ms),
      to: iso(at + ms),
    };
    await chart.open(viewOf(BUSY, before));
    expect(await shownLevels()).toEqual(await countedLevels(sql, BUSY, at - 260 * ms, bar));
  });

  test('a day with a gap has holes, shades, and the evidence on hover', async () => {
    const day = START + DAY_MS;
    await chart.open(
      viewOf(BUSY, { interval: '5m', from: iso(day), to: iso(ABSENT_HOUR + HOUR_MS) }),
    );
    const strip = chart.page.locator('.strip canvas');
    expect(await strip.getAttribute('aria-label')).toBe(
      'Coverage: 5 h proven, 1 h gap, 1 h unknown',
    );
    await strip.focus();
    await chart.page.locator('.tip .evidence').waitFor();
    const tip = await chart.page.locator('.tip').innerText();
    expect(tip).toContain('2024-03-04 05:00 to 2024-03-04 06:00 (1 h), gap');
    // The cursor on the last slot, which has no bar.
    await chart.page.locator('.chart').focus();
    await chart.page.keyboard.press('Shift+ArrowLeft');
    expect(await chart.field('price', 'status')).toBe('not fetched');
    expect(await chart.page.locator('[data-legend=cdv] [data-field=close]').count()).toBe(0);
  });

  test('an answer of the series before is not shown after a switch', async () => {
    const { page } = chart;
    await chart.open(viewOf(BUSY, { interval: '1h' }));
    const gates = new Map(
      [BUSY, THIN].map(({ symbol }) => [symbol, Promise.withResolvers<void>()]),
    );
    await page.route(/\/api\/v1\/bars.*interval=5m/, async (route) => {
      const symbol = new URL(route.request().url()).searchParams.get('symbol') ?? '';
      await gates.get(symbol)?.promise;
      // The page may have broken off the request meanwhile.
      await route.continue().catch(() => undefined);
    });
    await page.getByLabel('Interval').selectOption('5m');
    await page.getByRole('combobox', { name: 'Symbol' }).fill(THIN.symbol);
    await page.keyboard.press('Enter');
    // Neither has come: nothing of the series before is left.
    await page.waitForTimeout(300);
    expect(await page.locator('[data-legend] *').count()).toBe(0);
    gates.get(THIN.symbol)?.resolve();
    await page.locator(`body[data-shown*="symbol=${THIN.symbol}&"]`).waitFor();
    gates.get(BUSY.symbol)?.resolve();
    await page.waitForTimeout(500);
    const title = await page.locator('[data-legend=price] strong').innerText();
    expect(title).toBe(`${THIN.symbol} spot · 5m`);
    const time = timeOf(await chart.field('price', 'time'));
    const row = await storedBar(sql, THIN, '5m', time);
    expect(await chart.field('cdv', 'close')).toBe(row?.['close']);
    await page.goBack();
    await page.locator(`body[data-shown*="symbol=${BUSY.symbol}&"]`).waitFor();
    expect(new URL(page.url()).searchParams.get('symbol')).toBe(BUSY.symbol);
  });

  test('scrolling back loads older bars, and drops those that are far away', async () => {
    const ms = MINUTE_MS;
    await chart.open(viewOf(BUSY, { interval: '1m', from: iso(END - 600 * ms), to: iso(END) }));
    const at = START + 12 * HOUR_MS;
    // A picture is 600 bars, and a key moves it by a fifth: nine days are some 110 keys.
    await expect
      .poll(
        async () => {
          for (let key = 0; key < 5; key += 1) await chart.page.keyboard.press('ArrowLeft');
          await chart.page.waitForTimeout(150);
          return timeOf(await chart.field('price', 'time'));
        },
        { timeout: 60_000, interval: 0 },
      )
      .toBeLessThan(at);
    await chart.page.waitForTimeout(500);
    const time = timeOf(await chart.field('price', 'time'));
    const row = await storedBar(sql, BUSY, '1m', time);
    expect(await chart.field('cdv', 'close')).toBe(row?.['close']);
    expect(await chart.field('delta', 'buyVolume')).toBe(row?.['buy_volume']);
  });

  test('a session of New York is two clicks away, and the address holds it', async () => {
    await chart.open(viewOf(BUSY, { from: iso(START + 3 * DAY_MS), to: iso(START + 4 * DAY_MS) }));
    const anchor = 'session:09:30@America/New_York';
    await chart.page
      .getByLabel('CDV counts from', { exact: true })
      .selectOption({ label: 'New York 09:30' });
    await chart.page.getByText('0 at 09:30 New York').waitFor();
    expect(new URL(chart.page.url()).searchParams.get('anchor')).toBe(anchor);
    await chart.page.goBack();
    await chart.page.getByText('0 at UTC midnight').waitFor();
  });

  test('the downloaded picture has the size of the chart, its strip, and two lines of text', async () => {
    await chart.open(viewOf(BUSY, { interval: '1h' }));
    const [download] = await Promise.all([
      chart.page.waitForEvent('download'),
      chart.page.getByRole('button', { name: 'PNG' }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^PAGE.*-spot-1h-.*\.png$/);
    const png = readFileSync(await download.path());
    const box = await chart.page.locator('.chart').boundingBox();
    expect(png.readUInt32BE(16)).toBe(box?.width);
    expect(png.readUInt32BE(20)).toBe((box?.height ?? 0) + 14 + 2 * 26);
  });

  test('the downloaded table has the exact values of what is seen', async () => {
    const from = START + 2 * DAY_MS;
    await chart.open(viewOf(BUSY, { interval: '1h', from: iso(from), to: iso(from + DAY_MS) }));
    const [download] = await Promise.all([
      chart.page.waitForEvent('download'),
      chart.page.getByRole('button', { name: 'CSV' }).click(),
    ]);
    const [header = '', ...lines] = readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\n');
    expect(lines).toHaveLength(24);
    const cells = new Map(header.split(',').map((name, at) => [name, lines[3]?.split(',')[at]]));
    const row = await storedBar(sql, BUSY, '1h', from + 3 * HOUR_MS);
    expect(cells.get('time')).toBe(iso(from + 3 * HOUR_MS));
    for (const level of ['open', 'high', 'low', 'close'])
      expect(cells.get(`cdv_${level}`)).toBe(row?.[level]);
    for (const name of ['delta', 'quote_delta', 'buy_volume', 'first_id', 'price_high'])
      expect(cells.get(name)).toBe(row?.[name]);
  });

  test('a level that does not count from its anchor says from where it counts', async () => {
    const anchor = 'session:09:30@America/New_York';
    const at = START + 6 * HOUR_MS;
    const view = { interval: '15m', anchor, from: iso(START), to: iso(at) };
    await chart.open(viewOf(BUSY, view));
    const hint = chart.page.locator('[data-legend=cdv] .hint');
    expect(await hint.innerText()).toBe('counts from 2024-03-03 00:00 UTC, the first stored hour');
    const [download] = await Promise.all([
      chart.page.waitForEvent('download'),
      chart.page.getByRole('button', { name: 'CSV' }).click(),
    ]);
    const [header = '', line = ''] = readFileSync(await download.path(), 'utf8').split('\n');
    expect(header).toMatch(/,level_from,anchor,zone$/);
    expect(line.endsWith(`,${iso(START)},${anchor},UTC`)).toBe(true);
    await chart.open(viewOf(BUSY, { ...view, to: iso(START + 20 * HOUR_MS) }));
    expect(await hint.innerText()).toBe('0 at 09:30 New York');
  });

  test.each([
    ['in', -300, { from: WEDNESDAY, to: WEDNESDAY + DAY_MS }, '5m'],
    ['out', 300, { from: WEDNESDAY + 11 * HOUR_MS, to: WEDNESDAY + 13 * HOUR_MS }, '1m'],
  ] as const)(
    'a fast zoom %s keeps its place over a change of interval',
    async (_, dy, at, before) => {
      const { page } = chart;
      await chart.open(viewOf(BUSY, { from: iso(at.from), to: iso(at.to) }));
      const box = await page.locator('.strip canvas').boundingBox();
      if (box === null) throw new Error('nothing is drawn');
      await page.mouse.move(box.x + box.width / 2, 200);
      const shown = async () => page.locator('body').getAttribute('data-shown');
      expect(await shown()).toMatch(`=${before}`);
      for (let turn = 0; turn < 40; turn += 1) {
        await page.mouse.wheel(0, dy);
        await page.waitForTimeout(60);
        if ((await shown())?.endsWith(`=${before}`) === false) break;
      }
      for (let turn = 0; turn < 4; turn += 1) {
        await page.mouse.wheel(0, dy);
        await page.waitForTimeout(60);
      }
      await page.waitForTimeout(1_500);
      expect(await shown()).not.toMatch(`=${before}`);
      const range = new URL(page.url()).searchParams;
      const middle = (Date.parse(range.get('from') ?? '') + Date.parse(range.get('to') ?? '')) / 2;
      // Two bars of the longest interval that may be shown.
      expect(Math.abs(middle - (at.from + at.to) / 2)).toBeLessThan(30 * MINUTE_MS);
    },
  );

  test('the dates of the picture are always there, in its zone', async () => {
    const zone = 'America/New_York';
    const view = { zone, from: iso(WEDNESDAY + 12 * HOUR_MS), to: iso(WEDNESDAY + 18 * HOUR_MS) };
    await chart.open(viewOf(BUSY, view));
    const range = chart.page.locator('[data-field=range]');
    expect(await range.innerText()).toBe(`2024-03-06 07:00 to 2024-03-06 13:00 ${zone}`);
  });

  test('the lowest tier is named with both bounds', async () => {
    await chart.open(viewOf(BUSY, { interval: '1h', tier: '0' }));
    await chart.page
      .locator('[data-legend=cdv]')
      .getByText(/^trades 0 to \d+[kM]?$/)
      .waitFor();
  });

  test('levels of a month count from its first stored hour, over Mondays', async () => {
    const { page } = chart;
    const at = WEDNESDAY + 18 * HOUR_MS;
    await chart.open(viewOf(BUSY, { interval: '1h', from: iso(START), to: iso(at + HOUR_MS) }));
    await page.getByLabel('CDV counts from', { exact: true }).selectOption({ label: 'UTC month' });
    await page.getByText('counts from 2024-03-03 00:00 UTC, the first stored hour').waitFor();
    const row = await countedLevels(sql, BUSY, START, { at, end: at + HOUR_MS });
    expect(await shownLevels()).toEqual(row);
  });

  test('a time zone that does not exist is refused, and the form stays open', async () => {
    const { page } = chart;
    await chart.open(viewOf(BUSY, { interval: '1h' }));
    await page
      .getByLabel('CDV counts from', { exact: true })
      .selectOption({ label: 'Other session…' });
    const zone = page.getByLabel('Time zone of session');
    await zone.fill('Mars/Base');
    await page.getByRole('button', { name: 'Set' }).click();
    expect(await page.getByRole('form', { name: 'Session' }).innerText()).toContain(
      'No time zone is named "Mars/Base"',
    );
    expect(await zone.isVisible()).toBe(true);
    expect(new URL(page.url()).searchParams.has('anchor')).toBe(false);
    await zone.fill('Asia/Tokyo');
    await page.getByRole('button', { name: 'Set' }).click();
    await page.getByText('0 at 09:30 Tokyo').waitFor();
    expect(await zone.isVisible()).toBe(false);
  });

  test('a date is one key and one field away, on the clocks of the page', async () => {
    const { page } = chart;
    await chart.open(viewOf(BUSY, { interval: '2h', zone: 'America/New_York' }));
    await page.locator('body').press('d');
    const field = page
      .getByRole('textbox', { name: 'Go to a date' })
      .or(page.locator('form[aria-label="Go to a date"] input'));
    await field.first().fill('2024-03-05T07:00');
    await page.getByRole('button', { name: 'Go', exact: true }).click();
    // 07:00 in New York is noon in UTC.
    await expect
      .poll(() => {
        const shown = new URL(page.url()).searchParams;
        return (
          [shown.get('from'), shown.get('to')]
            .map((text) => Date.parse(text ?? ''))
            .reduce((a, b) => a + b, 0) / 2
        );
      })
      .toBe(Date.UTC(2024, 2, 5, 12));
    expect(await field.first().isVisible()).toBe(false);
  });

  test('the CDV may count from any time', async () => {
    const { page } = chart;
    await chart.open(viewOf(BUSY, { interval: '1h' }));
    await page.getByLabel('CDV counts from', { exact: true }).selectOption('time');
    const form = page.getByRole('form', { name: 'CDV counts from this time' });
    // The field is on the clocks that the page has when it is sent.
    await page.getByLabel('Time zone', { exact: true }).selectOption('Asia/Tokyo');
    await form.locator('input').fill('2024-03-05T11:00');
    await form.getByRole('button').click();
    await expect.poll(() => page.url()).toContain('anchor=2024-03-05T02:00Z');
    await expect
      .poll(async () => page.locator('[data-legend=cdv] .hint').innerText())
      .toBe('0 at 2024-03-05 11:00 Tokyo');
    const last = await chart.field('price', 'time');
    // One entry of the history each: the anchor, and the way to it.
    await page.locator('body').press('Home');
    await expect.poll(() => new URL(page.url()).searchParams.get('from')).toBe('2024-03-03T00:00Z');
    await page.goBack();
    await expect.poll(async () => chart.field('price', 'time')).toBe(last);
    expect(page.url()).toContain('anchor=2024-03-05T02:00Z');
  });

  test('before an anchor in the picture there are prices and delta, from it on also levels', async () => {
    const { page } = chart;
    const ms = 5 * MINUTE_MS;
    const zero = WEDNESDAY + 8 * HOUR_MS + ms;
    const [before, after] = [zero - 2 * ms, zero + 30 * ms];
    const view = {
      anchor: iso(zero),
      zone: 'America/New_York',
      overlay: `spot:${THIN.symbol}`,
      tier: '0',
    };
    const range = (last: number) => ({ from: iso(last - 20 * ms), to: iso(last + ms) });
    await chart.open(viewOf(BUSY, { ...view, interval: '5m', ...range(before) }));
    const hint = '0 at 2024-03-06 03:05 New York';
    const line = page.locator('[data-line]');
    const expectStored = async (at: number) => {
      const row = await storedBar(sql, BUSY, '5m', at);
      expect(await chart.field('price', 'priceClose')).toBe(row?.['price_close']);
      expect(await chart.field('delta', 'delta')).toBe(row?.['delta']);
      expect(await chart.field('delta', 'ids')).toBe(`${row?.['first_id']}–${row?.['last_id']}`);
      expect(await page.locator('[data-legend=cdv] .hint').innerText()).toBe(hint);
    };
    await expectStored(before);
    expect(await page.locator('[data-legend=cdv] [data-field=close]').count()).toBe(0);
    expect(await line.allInnerTexts()).toEqual(['–', '–']);
    await chart.open(viewOf(BUSY, { ...view, interval: '5m', ...range(after) }));
    await expectStored(after);
    const bar = { at: after, end: after + ms };
    expect(await shownLevels()).toEqual(await countedLevels(sql, BUSY, zero, bar));
    const thin = (await countedLevels(sql, THIN, zero, { at: zero, end: after + ms })).close;
    await expect.poll(async () => (await line.allInnerTexts())[0]).toBe(thin);
    // On the zero itself and just before it, by keys.
    await chart.open(viewOf(BUSY, { ...view, interval: '5m', ...range(zero) }));
    await expectStored(zero);
    await expect.poll(async () => (await line.allInnerTexts()).includes('–')).toBe(false);
    await page.locator('.chart').focus();
    for (let key = 0; key < 2; key += 1) await page.keyboard.press('Shift+ArrowLeft');
    await expectStored(zero - ms);
    expect(await line.allInnerTexts()).toEqual(['–', '–']);
  });

  test('auto takes bars that begin at the anchor; an interval that does not fit is said, without a chart', async () => {
    const { page } = chart;
    const from = WEDNESDAY + 7 * HOUR_MS;
    const anchor = '2024-03-06T08:17Z';
    const view = {
      anchor,
      from: iso(from),
      to: iso(from + 12 * HOUR_MS),
      zone: 'America/New_York',
    };
    await chart.open(viewOf(BUSY, view));
    expect(await page.locator('body').getAttribute('data-shown')).toMatch(/&shown=1m$/);
    expect(await page.getByLabel('CDV counts from').locator('option:checked').innerText()).toBe(
      'From 2024-03-06 03:17 New York',
    );
    await page.getByLabel('Interval').selectOption('1h');
    const empty = page.locator('.empty');
    await empty.waitFor();
    expect(await empty.innerText()).toContain('begins at 2024-03-06 03:17 New York');
    expect(await empty.innerText()).toContain('Intervals that fit: 1m.');
    expect(await page.locator('[data-legend] *').count()).toBe(0);
    await empty.getByRole('button').click();
    await page.locator('body[data-shown$="&shown=1m"]').waitFor();
    expect(await empty.isVisible()).toBe(false);
    const shown = new URL(page.url()).searchParams;
    expect(Date.parse(shown.get('to') ?? '')).toBe(from + 12 * HOUR_MS);
  });

  test('an interval that there is not is said, until something is chosen', async () => {
    const { page } = chart;
    await chart.open(viewOf(BUSY, { interval: '7h' }));
    const notice = page.locator('.notice');
    expect(await notice.innerText()).toContain('There is no interval 7h');
    await page.getByLabel('Interval').selectOption('1h');
    await notice.waitFor({ state: 'hidden' });
  });
});

async function fill(): Promise<void> {
  const store = openStore();
  const range = { startMs: START, endMs: END };
  for (const [series, seed, more] of [
    [BUSY, 81, { tradesPerHour: 60 }],
    [THIN, 82, { tradesPerHour: 3 }],
    [COIN, 83, { tradesPerHour: 40, qtyDecimals: 0, typicalLots: 20 }],
  ] as const) {
    const made = syntheticTrades({ seed, fromMs: START, toMs: END, ...more });
    const trades = truth(made, range, series.market);
    await fillSeries(store, {
      series,
      trades,
      originMs: START,
      fateOf: (hourMs) => {
        if (series !== BUSY) return 'proven';
        if (hourMs === HOLED_HOUR) return 'holes';
        return hourMs === ABSENT_HOUR ? 'absent' : 'proven';
      },
      ...(series === COIN && { contract: { size: '10.00000000' } }),
    });
  }
  await store.close();
}
