import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createSql, literal, type Sql } from '../../src/adapters/questdb/sql.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { CHROMIUM, openBrowser } from '../page/browser.ts';
import { runCli, unique } from '../support/command-line.ts';
import { rawRequest } from '../support/raw-request.ts';
import { type Served, startServe } from '../support/served.ts';
import { eventually, Rig, spot } from './rig.ts';

/** New York has summer time: its session begins at 13:30 UTC. */
const DAY = Date.UTC(2024, 7, 3);
const SYMBOL = unique('CHART');
const RANGE = ['--from', '2024-08-03T10:00Z', '--to', '2024-08-03T16:00Z'];
const SESSION = 'session:09:30@America/New_York';
const trades = syntheticTrades({
  seed: 75,
  fromMs: DAY + 9 * HOUR_MS,
  toMs: DAY + 17 * HOUR_MS,
  tradesPerHour: 200,
});

let rig: Rig;
let sql: Sql;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cdvault-charts-'));
  rig = await Rig.start({ symbols: [{ symbol: SYMBOL, trades }] });
  sql = createSql(rig.services.questdbReadonlyPgUrl, 1);
  const range = { startMs: DAY + 10 * HOUR_MS, endMs: DAY + 16 * HOUR_MS };
  await rig.backfill(await rig.app(), [spot(SYMBOL)], range);
});

afterAll(async () => {
  await sql.close();
  await rig.dispose();
  await rm(folder, { recursive: true, force: true });
});

const chart = async (...args: string[]) => rig.cli(['chart', SYMBOL, ...RANGE, ...args]);

describe('without --out', () => {
  test('a link is printed that opens the view in the running serve, once', async () => {
    const served = await startServe(rig);
    await announced(served);
    const choices = `--interval 5m --anchor ${SESSION} --zone Asia/Tokyo --open previous`;
    const { exitCode, stdout, stderr } = await chart(...choices.split(' '));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const link = stdout.trimEnd();
    expect(link).toMatch(new RegExp(`^${served.url}/login/[\\w-]{43}\\?to=\\S+$`));
    const first = await fetch(link, { redirect: 'manual' });
    expect(first.status).toBe(303);
    const to = new URL(first.headers.get('location') ?? '', served.url);
    expect(to.pathname).toBe('/');
    expect(Object.fromEntries(to.searchParams)).toEqual({
      market: 'spot',
      symbol: SYMBOL,
      interval: '5m',
      anchor: SESSION,
      open: 'previous',
      zone: 'Asia/Tokyo',
      from: '2024-08-03T10:00Z',
      to: '2024-08-03T16:00Z',
    });
    const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect((await fetch(to, { headers: { Cookie: cookie } })).status).toBe(200);
    expect((await fetch(link, { redirect: 'manual' })).status).toBe(403);
    served.command.kill();
    await served.command.done;
  });

  test('the link leads to the URL of a proxy with TLS, whose cookie is for TLS alone', async () => {
    const proxyUrl = 'https://tls.invalid';
    const served = await startServe(rig, [], {
      CDVAULT_SERVE_URL: proxyUrl,
      CDVAULT_SERVE_PASSWORD: 'chosen',
    });
    await announced(served, proxyUrl);
    const { port } = new URL(served.url);
    for (const [host, attributes] of [
      ['tls.invalid', ['Secure']],
      ['tls.invalid:443', ['Secure']],
      [`127.0.0.1:${port}`, []],
    ] as const) {
      const { exitCode, stdout, stderr } = await chart();
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout.startsWith(`${proxyUrl}/login/`)).toBe(true);
      const { pathname } = new URL(stdout);
      const { headers } = await rawRequest(served.url + pathname, { Host: host });
      const [cookie = ''] = headers['set-cookie'] ?? [];
      expect(cookie.split('; ').filter((part) => part === 'Secure')).toEqual(attributes);
      expect(cookie).toContain('HttpOnly');
    }
    served.command.kill('SIGKILL');
    await served.command.done;
    // It is still announced for a while.
    expect((await chart()).stderr).toBe(
      `chart: ${served.url} does not answer here; if serve was stopped, start it again\n`,
    );
    await rig.redis().del(`${rig.name}:serve`);
  });

  test('and without a running serve the error says what to start', async () => {
    const { exitCode, stdout, stderr } = await chart();
    expect({ exitCode, stdout }).toEqual({ exitCode: 7, stdout: '' });
    expect(stderr).toMatch(/^error SERVE_NOT_RUNNING: [^]*cdvault serve --background/);
  });
});

describe('what is wrong is refused', () => {
  test.each([
    ['anchor', ['--anchor', 'noon'], 2, 'BAD_TIME'],
    ['anchor', ['--anchor', '2030-01-01T00:00Z'], 2, 'USAGE'],
    ['zone', ['--zone', 'America/Newyork'], 2, 'USAGE'],
    ['suffix', ['--out', 'chart.pdf'], 2, 'USAGE'],
    ['range', ['--from', '2024-08-04T00:00Z'], 2, 'BAD_RANGE'],
    ['folder', ['--out', '/nowhere/chart.html'], 7, 'EXPORT_UNWRITABLE'],
  ])('before anything is started: the %s', async (_, args, exitCode, code) => {
    const home = path.join(folder, 'home');
    const { PATH = '', HOME = '' } = rig.env;
    const env = { PATH, HOME, CDVAULT_HOME: home, CDVAULT_SERVICES: 'native' };
    const refused = await runCli(['chart', SYMBOL, ...RANGE, ...args], { env });
    expect(refused).toMatchObject({ exitCode, stdout: '' });
    expect(refused.stderr).toMatch(new RegExp(`^error ${code}: `));
    expect(existsSync(home)).toBe(false);
  });

  test('a series that is not stored, without a file', async () => {
    const out = path.join(folder, 'none.html');
    const refused = await rig.cli(['chart', unique('NONE'), ...RANGE, '--out', out]);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toMatch(/^error UNKNOWN_SYMBOL: /);
    expect(existsSync(out)).toBe(false);
  });
});

test('a picture without a browser is refused with what to install', async () => {
  const out = path.join(folder, 'none.png');
  const refused = await rig.cli(['chart', SYMBOL, ...RANGE, '--out', out], { PATH: folder });
  expect(refused.exitCode).toBe(7);
  expect(refused.stderr).toMatch(/^error BROWSER_MISSING: /);
  expect(existsSync(out)).toBe(false);
});

describe.skipIf(CHROMIUM === undefined)('with --out', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await openBrowser();
  });

  afterAll(async () => browser.close());

  const written = async (name: string, ...args: string[]): Promise<string> => {
    const out = path.join(folder, name);
    const { exitCode, stdout, stderr } = await chart('--out', out, ...args);
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: `chart: ${out}\n`,
    });
    return out;
  };

  /** Opened from disk by a browser that reaches no host. */
  async function opened(file: string): Promise<Page> {
    const context = await browser.newContext({
      offline: true,
      viewport: { width: 1280, height: 800 },
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    onTestFinished(async () => {
      await context.close();
      expect(complaints).toEqual([]);
      const { href } = pathToFileURL(file);
      expect(requests.filter((url) => url !== href && !url.startsWith('data:'))).toEqual([]);
    });
    await page.goto(pathToFileURL(file).href);
    await page.locator('body[data-shown]').waitFor();
    return page;
  }

  const field = async (page: Page, pane: string, name: string): Promise<string> =>
    (await page.locator(`[data-legend=${pane}] [data-field=${name}]`).textContent()) ?? '';

  test.each([
    ['1m', '2024-08-03T15:59:00Z'],
    ['5m', '2024-08-03T15:55:00Z'],
    ['1h', '2024-08-03T15:00:00Z'],
  ])('chart.html opens from disk and has what the table of %s has', async (interval, ts) => {
    const page = await opened(await written(`${interval}.html`, '--interval', interval));
    const [row = {}] = await sql.query(
      `SELECT * FROM cdv_exact_${interval} WHERE symbol = ${literal(SYMBOL)} AND ts = ${literal(ts)}`,
    );
    for (const name of ['open', 'high', 'low', 'close'])
      expect(await field(page, 'cdv', name)).toBe(row[name]);
    for (const name of ['Open', 'High', 'Low', 'Close'])
      expect(await field(page, 'price', `price${name}`)).toBe(row[`price_${name.toLowerCase()}`]);
    expect(await field(page, 'delta', 'delta')).toBe(row['delta']);
    expect(await field(page, 'delta', 'buyVolume')).toBe(row['buy_volume']);
    expect(await field(page, 'delta', 'sellVolume')).toBe(row['sell_volume']);
    expect(await field(page, 'delta', 'ids')).toBe(`${row['first_id']}–${row['last_id']}`);
  });

  test('its levels count from the session, in the zone that was asked for', async () => {
    const zone = ['--zone', 'America/New_York'];
    const file = await written('ny.html', '--interval', '15m', '--anchor', SESSION, ...zone);
    const page = await opened(file);
    const [row = {}] = await sql.query(
      `SELECT sum(delta) total FROM cdv_exact_1m WHERE symbol = ${literal(SYMBOL)}
       AND ts >= '2024-08-03T13:30:00Z' AND ts < '2024-08-03T16:00:00Z' AND status <> 'void'`,
    );
    expect(await field(page, 'cdv', 'close')).toBe(row['total']);
    expect(await field(page, 'price', 'time')).toBe('2024-08-03 11:45 America/New_York');
    expect(await field(page, 'cdv', 'levelMissing')).toBe('0');
  });

  test('auto has every interval that suits the range, and the strip its coverage', async () => {
    const page = await opened(await written('auto.html'));
    for (const interval of ['1m', '3m', '5m', '15m', '30m', '1h', '2h', '6h']) {
      await page.getByLabel('Interval').selectOption(interval);
      await page.locator(`body[data-shown*="interval=${interval}"]`).waitFor();
      expect(await field(page, 'delta', 'delta')).toMatch(/^-?\d+\.\d{8}$/);
    }
    const strip = page.locator('.strip canvas');
    expect(await strip.getAttribute('aria-label')).toBe('Coverage: 6 h proven');
  });

  test('an interval with a single bar is drawn, and what the file does not hold is disabled', async () => {
    const page = await opened(await written('held.html'));
    await page.getByLabel('Interval').selectOption('4h');
    await page.locator('body[data-shown*="interval=4h"]').waitFor();
    expect(await field(page, 'price', 'time')).toBe('2024-08-03 12:00 UTC');
    expect(await page.locator('.banner').isVisible()).toBe(false);
    const options = async (label: string) =>
      page.getByLabel(label).locator('option:not(:disabled)').allInnerTexts();
    expect(await options('CDV counts from')).toEqual(['From left edge', 'UTC day']);
    expect(await options('A bar opens')).toEqual(['Opens after first trade']);
    expect(await options('Interval')).not.toContain('1d');
    expect(
      await page.getByLabel('CDV counts from', { exact: true }).getAttribute('title'),
    ).toContain('does not hold');
    await page.getByRole('button', { name: 'Overlays' }).click();
    expect(await page.getByRole('combobox', { name: 'Add a series' }).isDisabled()).toBe(true);
    expect(await page.getByLabel('Volume profile').isDisabled()).toBe(true);
    expect(await page.locator('.banner').isVisible()).toBe(false);
  });

  test('from a time in the range, levels begin there, and intervals are held that begin there', async () => {
    const page = await opened(await written('time.html', '--anchor', '2024-08-03T12:17Z'));
    const options = page.getByLabel('Interval').locator('option:not(:disabled)');
    expect(await options.allInnerTexts()).toEqual(['auto · 1m', '1m']);
    const [row = {}] = await sql.query(
      `SELECT sum(delta) total FROM cdv_exact_1m WHERE symbol = ${literal(SYMBOL)}
       AND ts >= '2024-08-03T12:17:00Z' AND ts < '2024-08-03T16:00:00Z' AND status <> 'void'`,
    );
    expect(await field(page, 'cdv', 'close')).toBe(row['total']);
    await page.keyboard.press('Home');
    await page.locator('.chart').focus();
    for (let bar = 0; bar < 60; bar += 1) await page.keyboard.press('ArrowLeft');
    expect(await page.locator('.banner').isVisible()).toBe(false);
  });

  test('chart.png is a picture of 1280 by 800 pixels in which candles are drawn', async () => {
    const file = await written('chart.png', '--interval', '5m');
    const png = await readFile(file);
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1280, 800]);
    const { rising, falling, widthPx, buttons } = await candlesIn(browser, png);
    expect(rising).toBeGreaterThan(500);
    expect(falling).toBeGreaterThan(500);
    // The candles of the range, not a few at an edge.
    expect(widthPx).toBeGreaterThan(1_000);
    // Where the page has its buttons.
    expect(buttons).toBe(0);
    expect((await stat(file)).size).toBeLessThan(300_000);
  });
});

async function announced({ url: own }: Served, url = own): Promise<void> {
  await eventually('serve is found', async () => {
    const found = await rig.redis().get(`${rig.name}:serve`);
    return found === JSON.stringify({ own, url });
  });
}

interface Candles {
  readonly rising: number;
  readonly falling: number;
  readonly widthPx: number;
  /** Pixels of text in the place of the buttons. */
  readonly buttons: number;
}

/** Pixels in the colours of rising and of falling candles in the upper half, and how wide they spread. */
async function candlesIn(browser: Browser, png: Buffer): Promise<Candles> {
  const page = await browser.newPage();
  try {
    const source = `data:image/png;base64,${png.toString('base64')}`;
    return await page.evaluate<Candles>(`(${COUNT_PIXELS})("${source}")`);
  } finally {
    await page.close();
  }
}

/** Looks below the toolbar and the legend, and left of the scale with its label of the last price. */
const COUNT_PIXELS = `async (source) => {
  const image = new Image();
  image.src = source;
  await image.decode();
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const [top, width] = [80, image.width - 70];
  const { data } = context.getImageData(0, top, width, image.height / 2 - top);
  const seen = { rising: 0, falling: 0 };
  const places = [];
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue] = data.subarray(at, at + 3);
    const rises = green > red + 60 && green > blue + 20;
    if (!rises && !(red > green + 60 && red > blue + 60)) continue;
    seen[rises ? 'rising' : 'falling'] += 1;
    places.push((at / 4) % width);
  }
  const [left, right] = places.reduce(([l, r], x) => [Math.min(l, x), Math.max(r, x)], [width, 0]);
  const corner = context.getImageData(image.width - 200, 4, 120, 30).data;
  const buttons = corner.filter((value, at) => Math.abs(value - corner[at % 4]) > 90).length;
  return { ...seen, widthPx: right - left, buttons };
}`;
