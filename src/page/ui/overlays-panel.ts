/** What can be drawn beside the CDV and over the prices. */

import { seriesText, type View } from '../view.ts';
import type { SeriesFacts } from '../data/answers.ts';
import { BinChoice } from './bin-choice.ts';
import { button, element } from './element.ts';
import { MARKET_TEXTS, SeriesBox } from './series-box.ts';

/** One colour each. */
export const MAX_OVERLAYS = 6;

export class OverlaysPanel {
  /** Opens the panel. */
  readonly opener: HTMLButtonElement;
  readonly panel: HTMLElement;
  readonly #box: SeriesBox;
  readonly #chips: HTMLElement;
  readonly #tiers: HTMLElement;
  readonly #checks: Readonly<Record<'ownScale' | 'profile' | 'footprint', HTMLInputElement>>;
  readonly #notes: Readonly<Record<'profile' | 'footprint', HTMLElement>>;
  readonly #onChange: (change: Partial<View>) => void;
  readonly #bin: BinChoice;
  #view: View | undefined;

  /** @param onOpen called when the panel opens: what it lists may be needed now */
  constructor(onChange: (change: Partial<View>) => void, onOpen: () => void) {
    this.#onChange = onChange;
    this.opener = element('button', { type: 'button', popovertarget: 'overlays' }, 'Overlays');
    this.#box = new SeriesBox({
      id: 'overlay',
      label: 'Add a series',
      onChoose: (series) => {
        const overlays = this.#view?.overlays ?? [];
        if (!overlays.some((one) => seriesText(one) === seriesText(series)))
          onChange({ overlays: [...overlays, series].slice(-MAX_OVERLAYS) });
      },
    });
    this.#chips = element('div', { class: 'chips' });
    this.#tiers = element('div', { class: 'chips' });
    const check = (name: 'ownScale' | 'profile' | 'footprint') => {
      const input = element('input', { type: 'checkbox' });
      input.addEventListener('change', () => onChange({ [name]: input.checked }));
      return input;
    };
    this.#checks = {
      ownScale: check('ownScale'),
      profile: check('profile'),
      footprint: check('footprint'),
    };
    this.#notes = {
      profile: element('p', { class: 'note' }),
      footprint: element('p', { class: 'note' }),
    };
    this.#bin = new BinChoice((bin) => onChange({ bin }));
    this.panel = element(
      'section',
      { id: 'overlays', class: 'panel', popover: '', 'aria-label': 'Overlays' },
      element('h2', {}, 'CDV of other series'),
      this.#chips,
      this.#box.root,
      element('h2', {}, 'CDV of large trades'),
      element('p', { class: 'note' }, 'Of aggregate trades of this value, in quote currency.'),
      this.#tiers,
      element('label', {}, this.#checks.ownScale, 'Each line has a scale of its own'),
      element('h2', {}, 'Over the prices'),
      element('label', {}, this.#checks.profile, 'Volume profile of the visible range'),
      this.#notes.profile,
      element('label', {}, this.#checks.footprint, 'Footprint when bars are wide enough'),
      this.#bin.root,
      this.#notes.footprint,
    );
    this.panel.addEventListener('toggle', (event) => {
      if (event.newState === 'open') onOpen();
    });
  }

  /** A page that is a file has only the lines that it was made with, and no trades. */
  keepLines(why: string): void {
    this.#box.disable(why);
    for (const name of ['profile', 'footprint'] as const) {
      this.#checks[name].disabled = true;
      this.#checks[name].title = why;
    }
  }

  setSeries(series: readonly SeriesFacts[]): void {
    this.#box.setSeries(series);
  }

  /** @param bin of the cells that are drawn; undefined when there are none */
  setBin(bin: string | undefined): void {
    this.#bin.show(bin);
  }

  setNote(what: 'profile' | 'footprint', text: string): void {
    this.#notes[what].textContent = text;
  }

  /** @param bounds the tiers that exist */
  setTiers(bounds: readonly string[]): void {
    const chosen = this.#view?.tiers ?? [];
    this.#tiers.replaceChildren(
      ...bounds.map((tier) => {
        const input = element('input', { type: 'checkbox' });
        input.checked = chosen.includes(tier);
        input.addEventListener('change', () => {
          const others = (this.#view?.tiers ?? []).filter((one) => one !== tier);
          const tiers = input.checked ? [...others, tier] : others;
          this.#onChange({ tiers });
        });
        return element('label', { class: 'chip' }, input, tierText(tier, bounds));
      }),
    );
  }

  show(view: View): void {
    this.#view = view;
    this.#checks.ownScale.checked = view.ownScale;
    this.#checks.profile.checked = view.profile;
    this.#checks.footprint.checked = view.footprint;
    this.#bin.choose(view.bin);
    const count = view.overlays.length + view.tiers.length;
    this.opener.textContent = count === 0 ? 'Overlays' : `Overlays · ${count}`;
    this.#chips.replaceChildren(
      ...view.overlays.map((series) => {
        const name = `${series.symbol} ${MARKET_TEXTS[series.market]}`;
        const rest = view.overlays.filter((one) => one !== series);
        return button(`${name} ✕`, { class: 'chip', 'aria-label': `Remove ${name}` }, () =>
          this.#onChange({ overlays: rest }),
        );
      }),
    );
  }
}

/** `100k to 1M`: a trade belongs to the highest tier whose bound it reaches. */
export function tierText(tier: string, bounds: readonly string[]): string {
  const next = bounds[bounds.indexOf(tier) + 1];
  return next === undefined ? `from ${short(tier)}` : `${short(tier)} to ${short(next)}`;
}

function short(bound: string): string {
  const value = Number(bound);
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1e3 ? `${value / 1e3}k` : String(value);
}
