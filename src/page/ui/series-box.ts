/** A search field with the stored series: type a part of a name, choose by arrows and Enter or by a click. */

import type { SeriesFacts } from '../data/answers.ts';
import type { SeriesName } from '../view.ts';
import { element } from './element.ts';

/** More than anybody reads; the list says how many are left out. */
const MAX_SHOWN = 60;

export const MARKET_TEXTS: Readonly<Record<SeriesName['market'], string>> = {
  spot: 'spot',
  um: 'USD-M',
  cm: 'COIN-M',
};

interface SeriesBoxOptions {
  readonly id: string;
  readonly label: string;
  readonly onChoose: (series: SeriesName) => void;
}

export class SeriesBox {
  readonly root: HTMLElement;
  readonly #input: HTMLInputElement;
  readonly #list: HTMLElement;
  readonly #options: SeriesBoxOptions;
  #series: readonly SeriesFacts[] = [];
  #found: readonly SeriesFacts[] = [];
  #active = 0;
  #text = '';

  constructor(options: SeriesBoxOptions) {
    this.#options = options;
    const { id, label } = options;
    this.#input = element('input', {
      id,
      type: 'text',
      role: 'combobox',
      'aria-label': label,
      'aria-expanded': 'false',
      'aria-autocomplete': 'list',
      'aria-controls': `${id}-list`,
      placeholder: label,
      autocomplete: 'off',
      spellcheck: 'false',
    });
    this.#list = element('ul', {
      id: `${id}-list`,
      role: 'listbox',
      'aria-label': label,
      hidden: '',
    });
    this.root = element('div', { class: 'series-box' }, this.#input, this.#list);
    this.#input.addEventListener('focus', () => this.#input.select());
    this.#input.addEventListener('click', () => this.#open(''));
    this.#input.addEventListener('input', () => this.#open(this.#input.value));
    this.#input.addEventListener('keydown', (event) => this.#onKey(event));
    this.#input.addEventListener('blur', () => this.#close());
  }

  setSeries(series: readonly SeriesFacts[]): void {
    this.#series = series;
  }

  /** Shows what is chosen. */
  setText(text: string): void {
    this.#text = text;
    if (this.#list.hidden) this.#input.value = text;
  }

  /** @param why for the title */
  disable(why: string): void {
    this.#input.disabled = true;
    this.#input.title = why;
  }

  focus(): void {
    if (this.#input.disabled) return;
    this.#input.focus();
    this.#open('');
  }

  #open(wanted: string): void {
    const words = wanted.toUpperCase().split(/[\s/-]+/);
    const all = this.#series.filter((one) => {
      const name = `${one.symbol} ${one.market} ${MARKET_TEXTS[one.market]}`.toUpperCase();
      return words.every((word) => name.includes(word));
    });
    this.#found = all.slice(0, MAX_SHOWN);
    this.#active = 0;
    const items = this.#found.map((facts, index) => this.#item(facts, index));
    const left = all.length - items.length;
    const note = left > 0 ? `${left} more: type a part of the name` : 'No such series is stored.';
    if (left > 0 || items.length === 0)
      items.push(element('li', { class: 'note', role: 'option', 'aria-disabled': 'true' }, note));
    this.#list.replaceChildren(...items);
    this.#list.hidden = false;
    this.#input.setAttribute('aria-expanded', 'true');
    this.#mark();
  }

  #item(facts: SeriesFacts, index: number): HTMLElement {
    const { symbol, market, from, to } = facts;
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
    const item = element(
      'li',
      { id: `${this.#options.id}-${index}`, role: 'option', 'aria-selected': 'false' },
      element('span', { class: 'symbol' }, symbol),
      element('span', { class: 'market' }, MARKET_TEXTS[market]),
      element('span', { class: 'span' }, `${day(from)} – ${day(to - 1)}`),
    );
    // Before the field loses the focus.
    item.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      this.#choose(index);
    });
    return item;
  }

  #onKey(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      if (this.#list.hidden) return this.#open('');
      const count = Math.max(this.#found.length, 1);
      this.#active = (this.#active + step + count) % count;
      this.#mark();
    } else if (event.key === 'Enter' && !this.#list.hidden) this.#choose(this.#active);
    else if (event.key === 'Escape') {
      this.#close();
      this.#input.blur();
    }
  }

  #mark(): void {
    for (const [index, item] of [...this.#list.children].entries()) {
      item.setAttribute('aria-selected', String(index === this.#active));
      if (index === this.#active) item.scrollIntoView({ block: 'nearest' });
    }
    const has = this.#found.length > 0;
    this.#input.setAttribute(
      'aria-activedescendant',
      has ? `${this.#options.id}-${this.#active}` : '',
    );
  }

  #choose(index: number): void {
    const chosen = this.#found[index];
    if (chosen === undefined) return;
    this.#close();
    this.#input.blur();
    this.#options.onChoose({ market: chosen.market, symbol: chosen.symbol });
  }

  #close(): void {
    this.#list.hidden = true;
    this.#input.setAttribute('aria-expanded', 'false');
    this.#input.removeAttribute('aria-activedescendant');
    this.#input.value = this.#text;
  }
}
