import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { marketName, type Series } from '../../src/domain/market.ts';
import type { Served } from '../support/served.ts';

/** Where Debian and other systems install the browser. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export const CHROMIUM =
  process.env['CDVAULT_CHROMIUM'] ?? PLACES.find((place) => existsSync(place));

if (CHROMIUM === undefined) {
  // Reporters leave the names of skipped tests out.
  process.stderr.write(
    `SKIPPED: tests of the chart page need a browser at ${PLACES.join(' or ')} ` +
      '(Debian: apt-get install chromium), or CDVAULT_CHROMIUM\n',
  );
}

export async function openBrowser(): Promise<Browser> {
  return chromium.launch({
    ...(CHROMIUM !== undefined && { executablePath: CHROMIUM }),
    args: ['--no-sandbox'],
  });
}

/** A page of the server, and what went wrong in it. */
export interface ChartPage {
  readonly page: Page;
  readonly complaints: string[];
  /** Hosts that were asked for anything. */
  readonly hosts: Set<string>;
  open(query: string): Promise<void>;
  /** The text of a field of the legend. */
  field(pane: 'price' | 'cdv' | 'delta', name: string): Promise<string>;
  close(): Promise<void>;
}

export async function openChart(
  browser: Browser,
  { url, password }: Pick<Served, 'url' | 'password'>,
  options: BrowserContextOptions = {},
): Promise<ChartPage> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    httpCredentials: { username: 'cdvault', password, send: 'always' },
    ...options,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol.startsWith('http')) hosts.add(host);
  });
  return {
    page,
    complaints,
    hosts,
    async open(query) {
      await page.goto(`${url}/${query}`);
      await page.locator('body[data-shown]').waitFor();
    },
    async field(pane, name) {
      return (await page.locator(`[data-legend=${pane}] [data-field=${name}]`).textContent()) ?? '';
    },
    close: () => context.close(),
  };
}

/** Nothing was wrong, and no other host was asked. */
export function expectClean({ complaints, hosts }: ChartPage, { url }: Pick<Served, 'url'>): void {
  expect(complaints).toEqual([]);
  expect([...hosts].filter((host) => host !== new URL(url).host)).toEqual([]);
}

/** The address of a view of a series. */
export function viewOf({ market, symbol }: Series, view: Readonly<Record<string, string>>): string {
  return `?${new URLSearchParams({ market: marketName(market), symbol, ...view }).toString()}`;
}

export function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** As the legend writes a time in UTC. */
export function textOf(timeMs: number): string {
  return iso(timeMs).slice(0, 16).replace('T', ' ');
}

/** The time of a legend in UTC. */
export function timeOf(text: string): number {
  return Date.parse(`${text.slice(0, 16).replace(' ', 'T')}Z`);
}
