/** The exact numbers of the bar under the cursor, over each pane. */

import type { Bar, Point } from '../data/bar.ts';
import type { BarStatus } from '../data/answers.ts';
import type { LevelTexts } from '../levels.ts';
import { CellLegend } from './cell-legend.ts';
import { element } from './element.ts';

export interface LegendContent {
  readonly title: string;
  readonly time: string;
  readonly anchor: string;
  readonly unit: string;
  readonly point: Point | undefined;
  readonly levels: LevelTexts | undefined;
  /** What is known of the hour when no bar is stored. */
  readonly absence: string;
  readonly lines: readonly LegendLine[];
}

export interface LegendLine {
  readonly name: string;
  readonly colour: string;
  readonly close: string | undefined;
}

const STATUS_TEXTS: Readonly<Record<BarStatus, string>> = {
  final: 'final',
  partial: 'partial: not all of its trades are proven',
  forming: 'forming: it is not over',
};

type Field = readonly [label: string, name: string, value: string | undefined];

export class Legend {
  /** One for each pane. */
  readonly roots: readonly [HTMLElement, HTMLElement, HTMLElement];

  /** Below the prices. */
  readonly cells = new CellLegend();

  /** From when to when the picture is: the axis need not have a whole date. */
  readonly range = element('div', { class: 'range', 'data-field': 'range' });

  constructor() {
    const root = (name: string) => element('div', { class: 'legend', 'data-legend': name });
    this.roots = [root('price'), root('cdv'), root('delta')];
  }

  show(content: LegendContent): void {
    const [price, cdv, delta] = this.roots;
    const { point, levels } = content;
    const bar = point?.bar;
    price.replaceChildren(
      row(element('strong', {}, content.title), named('time', content.time), statusOf(content)),
      fields(priceFields(bar)),
      this.cells.root,
    );
    cdv.replaceChildren(
      row(element('strong', {}, 'CDV'), element('span', { class: 'hint' }, content.anchor)),
      fields([
        ['O', 'open', levels?.open],
        ['H', 'high', levels?.high],
        ['L', 'low', levels?.low],
        ['C', 'close', levels?.close],
        ['missing ids', 'levelMissing', levels === undefined ? undefined : missingText(levels)],
      ]),
      ...content.lines.map(lineRow),
    );
    delta.replaceChildren(
      row(element('strong', {}, 'Delta'), element('span', { class: 'hint' }, content.unit)),
      fields(deltaFields(bar)),
    );
  }

  clear(): void {
    for (const root of [...this.roots, this.range]) root.replaceChildren();
  }
}

function priceFields(bar: Bar | undefined): Field[] {
  return [
    ['O', 'priceOpen', bar?.price?.open],
    ['H', 'priceHigh', bar?.price?.high],
    ['L', 'priceLow', bar?.price?.low],
    ['C', 'priceClose', bar?.price?.close],
  ];
}

function deltaFields(bar: Bar | undefined): Field[] {
  const ids =
    bar === undefined || bar.firstId === null ? undefined : `${bar.firstId}–${bar.lastId}`;
  return [
    ['Δ', 'delta', bar?.delta],
    ['buy', 'buyVolume', bar?.buyVolume],
    ['sell', 'sellVolume', bar?.sellVolume],
    ['quote Δ', 'quoteDelta', bar?.quoteDelta?.replace(/(\.\d\d.*?)0+$/, '$1')],
    ['trades', 'aggTrades', bar === undefined ? undefined : String(bar.aggTrades)],
    ['ids', 'ids', ids],
  ];
}

function missingText({ levelMissing }: LevelTexts): string {
  return levelMissing === null ? 'unknown' : String(levelMissing);
}

function statusOf({ point, absence }: LegendContent): HTMLElement {
  if (point === undefined) return element('span');
  const status = point.bar?.status;
  const text = status === undefined ? absence : STATUS_TEXTS[status];
  return element('span', { class: `status ${status ?? 'absent'}`, 'data-field': 'status' }, text);
}

function row(...children: HTMLElement[]): HTMLElement {
  return element('div', { class: 'row' }, ...children);
}

function named(name: string, text: string): HTMLElement {
  return element('span', { 'data-field': name }, text);
}

/** Fields without a value are left out. */
function fields(list: readonly Field[]): HTMLElement {
  return row(
    ...list.flatMap(([label, name, value]) => {
      if (value === undefined) return [];
      const sign = name === 'delta' ? (value.startsWith('-') ? ' down' : ' up') : '';
      return element(
        'span',
        { class: `field${sign}` },
        element('span', { class: 'label' }, label),
        named(name, value),
      );
    }),
  );
}

function lineRow({ name, colour, close }: LegendLine): HTMLElement {
  const swatch = element('span', { class: 'swatch' });
  swatch.style.background = colour;
  const value = element('span', { 'data-line': name }, close ?? '–');
  return row(swatch, element('span', { class: 'label' }, name), value);
}
