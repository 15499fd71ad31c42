/** What keys and buttons do with the picture. */

import type { DataSource } from './data/source.ts';
import type { Drawing } from './drawing.ts';
import type { Page } from './page.ts';
import { readPalette } from './chart/palette.ts';
import { anchorText, lateStartText } from './time/anchor-text.ts';
import { csvOf, download, pictureOf } from './ui/downloads.ts';
import { listenToKeys } from './ui/keyboard.ts';
import type { Banner } from './ui/banner.ts';
import type { OverlaysPanel } from './ui/overlays-panel.ts';
import type { Strip } from './ui/strip.ts';
import type { Toolbar } from './ui/toolbar.ts';
import type { VisibleRange } from './view.ts';

interface ActionDeps {
  readonly source: DataSource;
  readonly page: Page;
  readonly drawing: Drawing;
  readonly strip: Strip;
  readonly toolbar: Toolbar;
  readonly overlays: OverlaysPanel;
  readonly banner: Banner;
  readonly help: HTMLDialogElement;
}

export interface Actions {
  readonly goToTime: (timeMs: number) => void;
  readonly downloadPicture: () => void;
  readonly downloadCsv: () => void;
  /** Lists the tiers of the shown series in the panel. */
  readonly listTiers: () => void;
}

export function listenToActions(deps: ActionDeps): Actions {
  const { page, drawing, toolbar, help } = deps;
  listenToKeys({
    pan: (share) => moveBy(deps, share),
    zoom: (factor) => zoomBy(deps, factor),
    moveCursor: (bars) => moveCursor(drawing, bars),
    goTo: (end) => goToEnd(deps, end),
    goToGap: (direction) => void page.attempt(async () => goToGap(deps, direction)),
    askDate: () => toolbar.askDate(),
    search: () => toolbar.series.focus(),
    help: () => help.showModal(),
  });
  return {
    goToTime(timeMs) {
      const { visible } = drawing.panes;
      if (visible !== undefined) page.goTo(around(timeMs, visible));
    },
    downloadPicture: () => void page.attempt(async () => downloadPicture(deps)),
    downloadCsv() {
      const csv = csvOf(drawing.seen, page.view.anchor, drawing.clock.zone);
      download(`${fileName(page)}.csv`, new Blob([csv], { type: 'text/csv' }));
    },
    listTiers: () => void page.attempt(async () => listTiers(deps)),
  };
}

async function downloadPicture({ page, drawing, strip }: ActionDeps): Promise<void> {
  const { ground, text } = readPalette();
  const [price, cdv] = drawing.legend.roots;
  const name = price.querySelector('strong')?.textContent ?? '';
  const lines = [...cdv.querySelectorAll('[data-line]')].map((line) =>
    line.getAttribute('data-line'),
  );
  const { anchor } = page.view;
  const { points, levels } = drawing.seen;
  const first = points.find(({ bar }, at) => bar !== undefined && levels[at] !== undefined)?.bar;
  const late = first && lateStartText(anchor, first.levelFromMs, drawing.clock);
  const zero = `CDV ${anchorText(anchor, drawing.clock)}${late === undefined ? '' : `, at first ${late}`}`;
  const range = drawing.legend.range.textContent;
  const title = [name, range, zero, ...lines.map(String)];
  const chart = drawing.panes.chart.takeScreenshot(true, false);
  const picture = { title, chart, strip: strip.canvas, ground, text };
  download(`${fileName(page)}.png`, await pictureOf(picture));
}

function fileName({ feed, view }: Page): string {
  const { market, symbol } = feed?.choice.series ?? { market: '', symbol: 'chart' };
  const from =
    view.range === undefined ? '' : new Date(view.range.fromMs).toISOString().slice(0, 16);
  return `${symbol}-${market}-${feed?.choice.interval ?? ''}-${from.replaceAll(':', '')}`;
}

function moveBy({ drawing }: ActionDeps, share: number): void {
  const range = drawing.panes.logical;
  if (range === undefined) return;
  const step = (range.to - range.from) * share;
  drawing.panes.showLogical({ from: range.from + step, to: range.to + step });
}

/** Around the middle. */
function zoomBy({ drawing }: ActionDeps, factor: number): void {
  const range = drawing.panes.logical;
  if (range === undefined) return;
  const [middle, half] = [(range.from + range.to) / 2, ((range.to - range.from) / 2) * factor];
  drawing.panes.showLogical({ from: middle - half, to: middle + half });
}

function moveCursor(drawing: Drawing, bars: number): void {
  const { panes, cursor } = drawing;
  const { visible, places } = panes;
  if (visible === undefined) return;
  const last = places.points.length - 1;
  const from = cursor ?? places.indexAt(visible.toMs - 1) - bars;
  const index = Math.min(Math.max(from + bars, 0), last);
  panes.setCursor(index);
  drawing.point(index);
  const spoken = document.querySelector('#spoken');
  const texts = drawing.legend.roots.map((root) => root.innerText.replaceAll(/\s+/g, ' '));
  if (spoken !== null) spoken.textContent = texts.join('. ');
}

function goToEnd({ page, drawing }: ActionDeps, end: 'first' | 'last'): void {
  const { facts } = page;
  const { visible } = drawing.panes;
  if (facts === undefined || visible === undefined) return;
  const spanMs = visible.toMs - visible.fromMs;
  page.goTo(
    end === 'first'
      ? { fromMs: facts.from, toMs: facts.from + spanMs }
      : { fromMs: facts.to - spanMs, toMs: facts.to },
  );
}

/** The nearest hour with missing ids after, or before, the middle of the picture. */
async function goToGap(
  { source, page, drawing, banner }: ActionDeps,
  direction: 1 | -1,
): Promise<void> {
  const { facts } = page;
  const { visible } = drawing.panes;
  if (facts === undefined || visible === undefined) return;
  const series = { market: facts.market, symbol: facts.symbol };
  const query = { ...series, from: facts.from, to: facts.to };
  const { columns } = await source.ask('gaps', query, AbortSignal.timeout(10_000));
  const middleMs = (visible.fromMs + visible.toMs) / 2;
  const hours = [...new Set(columns.hour)].toSorted((a, b) => direction * (a - b));
  const HALF_HOUR_MS = 1_800_000;
  const next = hours.find((hour) => direction * (hour + HALF_HOUR_MS - middleMs) > HALF_HOUR_MS);
  if (next !== undefined) return page.goTo(around(next + HALF_HOUR_MS, visible));
  const where = direction === 1 ? 'after' : 'before';
  banner.tell(
    hours.length === 0
      ? `There are no gaps in the stored hours of ${series.symbol}.`
      : `There are no gaps ${where} this one.`,
  );
}

function around(middleMs: number, { fromMs, toMs }: VisibleRange): VisibleRange {
  const halfMs = (toMs - fromMs) / 2;
  return { fromMs: middleMs - halfMs, toMs: middleMs + halfMs };
}

async function listTiers({ source, page, overlays }: ActionDeps): Promise<void> {
  const { feed, facts } = page;
  if (feed === undefined || facts === undefined) return;
  // A file has those that it was made with.
  if (!source.isLive) return overlays.setTiers(page.view.tiers);
  const { series, interval } = feed.choice;
  const stepMs = feed.intervalMs;
  const to = Math.ceil(facts.to / stepMs) * stepMs;
  const { tiers } = await source.ask(
    'tiers',
    { ...series, interval, anchor: 'day', exact: 'true', from: to - stepMs, to },
    AbortSignal.timeout(10_000),
  );
  overlays.setTiers(tiers.map(String));
}
