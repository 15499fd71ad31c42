/** Builds the page and starts it. */

import { HOUR_MS } from '../domain/time/hour.ts';
import { readPalette } from './chart/palette.ts';
import { Panes } from './chart/panes.ts';
import { createEmbeddedSource, type EmbeddedAnswers } from './data/embedded-source.ts';
import { createHttpSource } from './data/http-source.ts';
import type { CoverageRun } from './data/feed.ts';
import type { DataSource } from './data/source.ts';
import { Drawing } from './drawing.ts';
import { Layers } from './layers.ts';
import { listenToActions } from './actions.ts';
import { Page } from './page.ts';
import { ZoneClock } from './time/zone-clock.ts';
import { startTheme, switchTheme } from './theme.ts';
import { Banner } from './ui/banner.ts';
import { element } from './ui/element.ts';
import { helpDialog } from './ui/help.ts';
import { OverlaysPanel } from './ui/overlays-panel.ts';
import { StatusCorner } from './ui/status-corner.ts';
import { Strip } from './ui/strip.ts';
import { type Held, NOT_HELD, Toolbar } from './ui/toolbar.ts';
import { parseView, unknownInterval, type View } from './view.ts';
import { placeLegends } from './ui/legend-places.ts';

/** What a page that is a file has in itself. */
interface Embedded {
  /** The query string of the view. */
  readonly view: string;
  readonly answers: EmbeddedAnswers;
  /** Nobody can press the buttons of a picture. */
  readonly isPicture: boolean;
}

function readEmbedded(): Embedded | undefined {
  const data = document.querySelector('#cdvault-answers')?.textContent;
  const embedded = data === undefined ? undefined : (JSON.parse(data) as Embedded);
  document.body.classList.toggle('picture', embedded?.isPicture === true);
  return embedded;
}

function createChartBox(): HTMLElement {
  const box = element('div', { class: 'chart', role: 'group' });
  box.setAttribute('aria-label', 'Chart of price, CDV and delta; the legend has its values');
  return box;
}

function createStage(chartBox: HTMLElement, { legend }: Drawing, banner: Banner): HTMLElement {
  const texts = [...legend.roots, legend.range, banner.empty];
  return element('main', { class: 'stage' }, chartBox, ...texts);
}

function start(): void {
  startTheme(() => page.restyle());
  const embedded = readEmbedded();
  const source =
    embedded === undefined ? createHttpSource() : createEmbeddedSource(embedded.answers);
  const view = parseView(embedded?.view ?? location.search);
  const chartBox = createChartBox();
  const clock = new ZoneClock(view.zone);
  const panes = new Panes(chartBox, readPalette(), clock);
  const strip = new Strip({
    evidenceOf: async (run) => evidenceOf(source, page, run),
    timeText: (timeMs) => new ZoneClock(page.view.zone).text(timeMs),
  });
  const banner = new Banner();
  const overlays = new OverlaysPanel(
    (change) => page.change(change),
    () => actions.listTiers(),
  );
  const help = helpDialog();
  const toolbar = new Toolbar(
    {
      onChange: (change) => page.change(change),
      onGoTo: (timeMs) => actions.goToTime(timeMs),
      onTheme: () => {
        switchTheme();
        page.restyle();
      },
      onHelp: () => help.showModal(),
      onPng: () => actions.downloadPicture(),
      onCsv: () => actions.downloadCsv(),
    },
    overlays.opener,
    embedded && heldBy(view, source),
  );
  if (embedded !== undefined) overlays.keepLines(NOT_HELD);
  const drawing = new Drawing(panes, strip, readPalette(), clock);
  const layers = new Layers(source, panes, readPalette(), {
    legend: drawing.legend.cells,
    note: (what, text) => overlays.setNote(what, text),
    bin: (bin) => overlays.setBin(bin),
  });
  const status = new StatusCorner();
  const page: Page = new Page(
    source,
    { drawing, layers, toolbar, overlays, banner, status, readPalette },
    view,
  );
  const controls = { toolbar, overlays, banner, help };
  const actions = listenToActions({ source, page, drawing, strip, ...controls });
  const cursorText = element('div', { class: 'spoken', 'aria-live': 'polite', id: 'spoken' });
  const footer = element('footer', {}, strip.root, ...(source.isLive ? [status.root] : []));
  const bars = [toolbar.root, banner.root, banner.notice];
  const stage = createStage(chartBox, drawing, banner);
  document.body.append(...bars, stage, footer, overlays.panel, help, cursorText);
  placeLegends(chartBox, panes, drawing.legend.roots);
  if (embedded === undefined) banner.tell(unknownInterval(location.search));
  void page.start();
}

/** What may be chosen of a file that was made with a view. */
function heldBy({ interval, anchor, open }: View, { intervals }: DataSource): Held {
  // Levels from the left edge are counted from those of the day.
  const DAYS = ['day', 'visible'];
  return {
    interval: [...(interval === 'auto' ? ['auto'] : []), ...intervals],
    anchor: DAYS.includes(anchor) ? DAYS : [anchor],
    open: [open],
  };
}

/** What is recorded of the missing ids of a run of hours. */
async function evidenceOf(source: DataSource, page: Page, run: CoverageRun): Promise<string> {
  const series = page.feed?.choice.series;
  if (series === undefined) return '';
  const query = { ...series, from: run.fromMs, to: Math.max(run.toMs, run.fromMs + HOUR_MS) };
  const { columns } = await source.ask('gaps', query, AbortSignal.timeout(10_000));
  return columns.evidence
    .map((evidence, index) => {
      const [from, to] = [columns.fromId[index], columns.toId[index]];
      const ids = typeof from === 'number' ? `ids ${from} to ${String(to)}: ` : '';
      return `${columns.class[index] ?? ''}: ${ids}${evidence}`;
    })
    .slice(0, 5)
    .join('\n');
}

start();
