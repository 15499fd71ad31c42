import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { Rig, spot } from '../e2e/rig.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { proxied, type ProxiedServices, proxyServices } from '../support/proxied-services.ts';
import { type Served, startServe } from '../support/served.ts';
import { type ChartPage, CHROMIUM, openBrowser, openChart } from './browser.ts';

const START = Date.UTC(2024, 5, 3);
const SERIES = spot(unique('LIVE'));
const trades = syntheticTrades({
  seed: 91,
  fromMs: START - HOUR_MS,
  toMs: START + 6 * HOUR_MS,
  tradesPerHour: 200,
});

describe.skipIf(CHROMIUM === undefined)('the chart page of a server that goes on', () => {
  let services: ProxiedServices;
  let rig: Rig;
  let app: App;
  let served: Served;
  let browser: Browser;
  let chart: ChartPage;

  beforeAll(async () => {
    services = await proxyServices(inject('services'));
    rig = await Rig.start({ symbols: [{ symbol: SERIES.symbol, trades }] });
    app = await rig.app();
    served = await startServe(rig, [], proxied(services));
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await rig.dispose();
    await services.close();
  });

  beforeEach(async () => {
    chart = await openChart(browser, served);
  });

  afterEach(async () => {
    await chart.close();
  });

  const backfill = async (fromHour: number, toHour: number) =>
    rig.backfill(app, [SERIES], {
      startMs: START + fromHour * HOUR_MS,
      endMs: START + toHour * HOUR_MS,
    });

  test('what is not stored is said, with the command that stores it', async () => {
    await chart.page.goto(`${served.url}/?symbol=${SERIES.symbol}`);
    const empty = chart.page.locator('.empty');
    await empty.waitFor();
    expect(await empty.innerText()).toContain('bin/cdvault backfill');
    expect(chart.complaints).toEqual([]);
  });

  test('an hour that a worker adds appears by itself', async () => {
    await backfill(0, 2);
    await chart.open(`?symbol=${SERIES.symbol}&interval=15m`);
    expect(await chart.field('price', 'time')).toBe('2024-06-03 01:45 UTC');
    await backfill(2, 3);
    await chart.page.getByText('2024-06-03 02:45 UTC').waitFor();
    await chart.page.keyboard.press('g');
    await chart.page
      .locator('.notice', { hasText: `There are no gaps in the stored hours of ${SERIES.symbol}` })
      .waitFor();
    expect(chart.complaints).toEqual([]);
  });

  test('a range without bars says where bars are', async () => {
    await chart.open(`?symbol=${SERIES.symbol}&interval=15m&from=2024-06-01&to=2024-06-02`);
    const empty = chart.page.locator('.empty');
    await empty.waitFor();
    expect(await empty.innerText()).toContain('stored from 2024-06-03 00:00 to');
    await empty.getByRole('button').click();
    await empty.waitFor({ state: 'hidden' });
    // Off the chart, so that the legend is of the last bar.
    await chart.page.mouse.move(0, 0);
    expect(await chart.field('price', 'time')).toBe('2024-06-03 02:45 UTC');
  });

  test('a range long after the last bar is shown as asked, empty', async () => {
    const asked = 'from=2024-07-03T00:00Z&to=2024-07-04T00:00Z';
    await chart.open(`?symbol=${SERIES.symbol}&${asked}`);
    const empty = chart.page.locator('.empty');
    await empty.waitFor();
    await chart.page.waitForTimeout(1_000);
    expect(chart.page.url()).toContain(asked);
    expect(await empty.isVisible()).toBe(true);
    await empty.getByRole('button').click();
    await empty.waitFor({ state: 'hidden' });
    await chart.page.mouse.move(0, 0);
    expect(await chart.field('price', 'time')).toContain('2024-06-03 02:');
  });

  test('the page says that the server is gone, and that its sessions have ended', async () => {
    const own = await startServe(rig);
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${own.link ?? ''}?to=${encodeURIComponent(`/?symbol=${SERIES.symbol}`)}`);
    await page.locator('body[data-shown]').waitFor();
    const banner = page.locator('.banner');
    const server = page.locator('[data-field=server]');
    await page.getByText('0 running').waitFor();
    expect(await banner.isVisible()).toBe(false);
    own.command.kill('SIGTERM');
    await own.command.done;
    // The corner knows it at once, before anything is asked again.
    await server.filter({ hasText: /^connection lost$/ }).waitFor({ timeout: 4_000 });
    expect(await page.locator('.dot.ill').count()).toBe(1);
    await page.getByText('The server does not answer').waitFor({ timeout: 40_000 });
    await server.filter({ hasText: /^no answer$/ }).waitFor({ timeout: 40_000 });
    // What is in memory can be moved, and does not hide that.
    await page.keyboard.press('ArrowLeft');
    await page.waitForTimeout(1_000);
    expect(await banner.isVisible()).toBe(true);
    const again = await startServe(rig, ['--port', new URL(own.url).port]);
    await page.getByText('Your session has ended').waitFor({ timeout: 40_000 });
    const text = await banner.innerText();
    expect(text).toContain(`bin/cdvault chart ${SERIES.symbol} --last 1d`);
    expect(text).toContain('or reload and use the password');
    expect(text).not.toContain('`');
    expect(await banner.locator('code').innerText()).toContain('--last 1d');
    await page.context().close();
    again.command.kill('SIGTERM');
    await again.command.done;
  });

  test('the page says that the store is away, and goes on when it is back', async () => {
    await chart.open(`?symbol=${SERIES.symbol}&interval=15m`);
    await services.questdbPg.cut();
    await services.questdbHttp.cut();
    await chart.page.getByLabel('Interval').selectOption('1m');
    const banner = chart.page.locator('.banner');
    await banner.waitFor({ timeout: 60_000 });
    expect(await banner.innerText()).toContain('STORE_UNREACHABLE');
    // What was drawn before is still there.
    expect(await chart.field('price', 'time')).toBe('2024-06-03 02:45 UTC');
    await services.questdbPg.heal();
    await services.questdbHttp.heal();
    await banner.waitFor({ state: 'hidden', timeout: 60_000 });
    await chart.page.getByText('2024-06-03 02:59 UTC').waitFor();
  });

  test('a tab that nobody sees holds no connection, and catches up when it is seen', async () => {
    const { page } = chart;
    const stream = page.waitForRequest(/\/api\/v1\/events/);
    await chart.open(`?symbol=${SERIES.symbol}&interval=15m`);
    const first = await stream;
    const see = async (isHidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, 'hidden', { configurable: true, value: ${isHidden} });` +
          "document.dispatchEvent(new Event('visibilitychange'))",
      );
    const ended = page.waitForEvent('requestfailed', (request) => request === first);
    await see(true);
    await ended;
    await backfill(3, 4);
    const again = page.waitForRequest(/\/api\/v1\/events/);
    await see(false);
    await again;
    await page.getByText('2024-06-03 03:45 UTC').waitFor();
  });
});
