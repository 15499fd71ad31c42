/** The strip under the chart: hour by hour, where the data are complete and where they are not. */

import { HOUR_MS } from '../../domain/time/hour.ts';
import type { CoverageRun } from '../data/feed.ts';
import type { Verdict } from '../data/answers.ts';
import type { Palette } from '../chart/palette.ts';
import { verdictPattern } from '../chart/patterns.ts';
import type { VisibleRange } from '../view.ts';
import { element } from './element.ts';

const HEIGHT_PX = 14;

const VERDICT_TEXTS: Readonly<Record<Verdict, string>> = {
  proven: 'proven: every trade is there',
  open: 'open: the trade before or after is not known',
  gap: 'gap: trades are missing',
  unknown: 'unknown: not fetched',
};

/** A run of hours with its edges in CSS pixels. */
export interface PlacedRun {
  readonly run: CoverageRun;
  readonly fromPx: number;
  readonly toPx: number;
}

interface StripEvents {
  /** Tells what is known of an hour that is not proven. */
  readonly evidenceOf: (run: CoverageRun) => Promise<string>;
  readonly timeText: (timeMs: number) => string;
}

export class Strip {
  readonly root: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #tip: HTMLElement;
  readonly #events: StripEvents;
  #runs: readonly PlacedRun[] = [];
  #hovered: CoverageRun | undefined;

  constructor(events: StripEvents) {
    this.#events = events;
    this.#canvas = element('canvas', { role: 'img', tabindex: '0' });
    this.#tip = element('div', { class: 'tip', role: 'tooltip', hidden: '' });
    this.root = element('div', { class: 'strip' }, this.#canvas, this.#tip);
    this.#canvas.addEventListener('pointermove', ({ offsetX }) => this.#hover(offsetX));
    this.#canvas.addEventListener('pointerleave', () => this.#leave());
    // By keyboard, the tip tells the first run that is not proven.
    this.#canvas.addEventListener('focus', () => {
      const first = this.#runs.find(({ run }) => run.verdict !== 'proven');
      if (first !== undefined) this.#hover((first.fromPx + first.toPx) / 2);
    });
    this.#canvas.addEventListener('blur', () => this.#leave());
  }

  get canvas(): HTMLCanvasElement {
    return this.#canvas;
  }

  /** @param runs the visible ones, in order */
  draw(
    runs: readonly PlacedRun[],
    {
      widthPx,
      palette,
      visible,
    }: {
      readonly widthPx: number;
      readonly palette: Palette;
      readonly visible: VisibleRange | undefined;
    },
  ): void {
    this.#runs = runs;
    const ratio = window.devicePixelRatio;
    this.#canvas.width = Math.round(widthPx * ratio);
    this.#canvas.height = Math.round(HEIGHT_PX * ratio);
    this.#canvas.style.width = `${widthPx}px`;
    this.#canvas.style.height = `${HEIGHT_PX}px`;
    this.#canvas.setAttribute('aria-label', `Coverage: ${summary(runs, visible)}`);
    const context = this.#canvas.getContext('2d');
    if (context === null) return;
    context.scale(ratio, ratio);
    for (const { run, fromPx, toPx } of runs) {
      const { verdict } = run;
      // A line of full height is a gap, a thin one is proven: the height tells them apart, too.
      const [top, height] = verdict === 'proven' ? [5, 4] : [1, HEIGHT_PX - 2];
      const widthPx = Math.max(toPx - fromPx, 1.5);
      context.fillStyle = palette[verdict];
      context.globalAlpha = verdict === 'proven' ? 1 : 0.25;
      context.fillRect(fromPx, top, widthPx, height);
      context.globalAlpha = 1;
      const pattern = verdict === 'proven' ? null : verdictPattern(context, verdict, palette);
      if (pattern === null) continue;
      context.fillStyle = pattern;
      context.fillRect(fromPx, top, widthPx, height);
    }
  }

  #hover(x: number): void {
    const placed = this.#runs.find(
      ({ fromPx, toPx }) => x >= fromPx && x < Math.max(toPx, fromPx + 3),
    );
    if (placed === undefined) return this.#leave();
    this.#tip.hidden = false;
    const widthPx = this.#canvas.clientWidth;
    this.#tip.style.left = `${Math.min(Math.max(x, 0), Math.max(widthPx - 300, 0))}px`;
    if (this.#hovered === placed.run) return;
    this.#hovered = placed.run;
    const { run } = placed;
    const text = runText(run, this.#events.timeText);
    this.#tip.replaceChildren(text);
    if (run.verdict === 'proven' || run.verdict === 'unknown') return;
    const add = (evidence: string) => {
      if (this.#hovered === run && evidence !== '')
        this.#tip.replaceChildren(text, element('div', { class: 'evidence' }, evidence));
    };
    this.#events.evidenceOf(run).then(add, (error: unknown) => add(String(error)));
  }

  #leave(): void {
    this.#hovered = undefined;
    this.#tip.hidden = true;
  }
}

/** `22 h proven, 2 h gap`, of what is visible. */
function summary(runs: readonly PlacedRun[], visible: VisibleRange | undefined): string {
  if (visible === undefined) return 'nothing is known';
  const hours = Map.groupBy(runs, ({ run }) => run.verdict);
  const texts = [...hours].map(([verdict, of]) => {
    const ms = of.reduce((sum, { run }) => {
      const toMs = Math.min(run.toMs, visible.toMs);
      return sum + toMs - Math.max(run.fromMs, visible.fromMs);
    }, 0);
    return `${Math.round(ms / HOUR_MS)} h ${verdict}`;
  });
  return texts.length === 0 ? 'nothing is known' : texts.join(', ');
}

function runText(run: CoverageRun, timeText: (timeMs: number) => string): string {
  const hours = Math.round((run.toMs - run.fromMs) / HOUR_MS);
  const missing = run.missing === null || run.missing === 0 ? '' : `, ${run.missing} ids missing`;
  return `${timeText(run.fromMs)} to ${timeText(run.toMs)} (${hours} h), ${VERDICT_TEXTS[run.verdict]}${missing}`;
}
