import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser, CDPSession } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { truth } from '../e2e/reference.ts';
import { Rig, spot } from '../e2e/rig.ts';
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
} from './browser.ts';

const START = Date.UTC(2024, 3, 1);
/** Six chunks of minutes, of which a picture keeps three at most. */
const LONG_DAYS = 8;
const LONG = spot(unique('LONG'));
const MANY = 200;
const NAME = unique('MANY');
/** There and back. */
const JOURNEYS = 4;
/** One of them. */
const FOUND = `${NAME}N137`;

describe.skipIf(CHROMIUM === undefined)('the page of a large store', () => {
  let rig: Rig;
  let served: Served;
  let browser: Browser;
  let chart: ChartPage;

  beforeAll(async () => {
    rig = await Rig.start({});
    await rig.app();
    const store = openStore();
    const fill = async (symbol: string, hours: number, tradesPerHour: number) => {
      const series = spot(symbol);
      const [fromMs, toMs] = [START, START + hours * HOUR_MS];
      const made = syntheticTrades({ seed: 87, fromMs, toMs, tradesPerHour });
      const trades = truth(made, { startMs: fromMs, endMs: toMs }, series.market);
      await fillSeries(store, { series, trades, originMs: START });
    };
    await fill(LONG.symbol, (LONG_DAYS * DAY_MS) / HOUR_MS, 60);
    await fill(FOUND, 1, 5);
    // The others are in the ledger only: no picture shows their bars.
    const columns = (await store.sql.query('SHOW COLUMNS FROM slices'))
      .map(({ column }) => column ?? '')
      .filter((column) => column !== 'symbol');
    await store.sql.query(
      `INSERT INTO slices (symbol, ${columns.join(', ')}) SELECT '${NAME}N' || x, ${columns.join(', ')} ` +
        `FROM slices CROSS JOIN long_sequence(${MANY}) WHERE symbol = '${FOUND}'`,
    );
    await store.sql.waitApplied('slices');
    await store.close();
    served = await startServe(rig);
    browser = await openBrowser();
  }, 600_000);

  afterAll(async () => {
    await browser.close();
    await rig.dispose();
  });

  beforeEach(async () => {
    chart = await openChart(browser, served);
  });

  afterEach(async () => {
    await chart.close();
    expectClean(chart, served);
  });

  test('one of 200 series is found by a part of its name', async () => {
    const { page } = chart;
    await chart.open(`?symbol=${LONG.symbol}&interval=1h`);
    await page.locator('body:not([data-loading])').waitFor();
    await page.keyboard.press('/');
    const options = page.getByRole('listbox', { name: 'Symbol' }).getByRole('option');
    await page.getByText('more: type a part of the name').waitFor();
    expect(await options.count()).toBe(61);
    await page.keyboard.type(`${NAME.slice(-4)}n137`);
    expect(await options.locator('.symbol').allInnerTexts()).toEqual([`${NAME}N137`]);
    await page.keyboard.press('Enter');
    await page.locator(`body[data-shown*="symbol=${NAME}N137&"]`).waitFor();
    expect(await page.locator('[data-legend=price] strong').innerText()).toContain(`${NAME}N137`);
  });

  test('the page has no inline styles or scripts but the logo of its library', async () => {
    const policy = (await served.ask('/')).headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/style-src 'self' 'sha256-[^']+';/);
    expect(policy).not.toContain('unsafe');
    await chart.open(viewOf(LONG, { interval: '1h' }));
    const logo = chart.page.locator('#tv-attr-logo');
    expect(await logo.getAttribute('href')).toContain('https://www.tradingview.com/');
    // Its style was let through: else it would have no place of its own.
    expect(
      await chart.page.evaluate<string>(
        'getComputedStyle(document.querySelector("#tv-attr-logo")).position',
      ),
    ).toBe('absolute');
  });

  test.each(['dark', 'light'] as const)(
    'axe finds nothing to complain about, %s',
    async (colorScheme) => {
      const own = await openChart(browser, served, { colorScheme });
      await own.open(viewOf(LONG, { interval: '1h' }));
      await own.page.getByRole('button', { name: 'Overlays' }).click();
      await own.page.evaluate(
        readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8'),
      );
      const { violations } = await own.page.evaluate<AxeResults>('axe.run()');
      await own.close();
      expect(
        violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`),
      ).toEqual([]);
    },
  );

  test('memory does not grow with the way that was scrolled', async () => {
    const { page } = chart;
    const end = START + LONG_DAYS * DAY_MS;
    const query = {
      symbol: LONG.symbol,
      interval: '1m',
      from: iso(end - 16 * HOUR_MS),
      to: iso(end),
    };
    await chart.open(`?${new URLSearchParams(query).toString()}`);
    const session = await page.context().newCDPSession(page);
    const journey = async () => {
      // A key moves the picture of 16 hours by a fifth: five keys are most of a day.
      for (const [key, goal] of [
        ['ArrowLeft', START],
        ['ArrowRight', end],
      ] as const)
        await expect
          .poll(
            async () => {
              for (let press = 0; press < 5; press += 1) await page.keyboard.press(key);
              await page.waitForTimeout(150);
              await page.locator('body:not([data-loading])').waitFor();
              const dates = await page.locator('[data-field=range]').innerText();
              return Math.abs(Date.parse(`${dates.slice(0, 16).replace(' ', 'T')}Z`) - goal);
            },
            { timeout: 60_000, interval: 0 },
          )
          .toBeLessThan(24 * HOUR_MS);
    };
    // What is made once is there after the first way.
    await journey();
    const sizes = [await heapBytes(session)];
    for (let count = 1; count < JOURNEYS; count += 1) {
      await journey();
      sizes.push(await heapBytes(session));
    }
    process.stdout.write(`heap after each way: ${sizes.map(megabytes).join(', ')} MB\n`);
    // One more or one less chunk is some MB; ways that left their chunks behind would double this.
    const half = JOURNEYS / 2;
    const most = (of: readonly number[]) => Math.max(...of);
    expect(most(sizes.slice(half))).toBeLessThan(1.5 * most(sizes.slice(0, half)));
  }, 300_000);
});

/** Of the page, without what is garbage. */
async function heapBytes(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
