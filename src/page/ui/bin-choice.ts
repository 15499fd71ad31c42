import { besideBin } from '../chart/price-bins.ts';
import { button, element } from './element.ts';

/** How high the cells of the footprint are, in prices: `auto`, or steps from there. */
export class BinChoice {
  readonly root: HTMLElement;
  readonly #text = element('output', { 'data-field': 'bin' });
  readonly #buttons: readonly HTMLButtonElement[];
  #chosen = 'auto';
  #shown: string | undefined;

  constructor(onChoose: (bin: string) => void) {
    const beside = (step: 'finer' | 'coarser') => () =>
      onChoose(besideBin(this.#chosen === 'auto' ? (this.#shown ?? '1') : this.#chosen, step));
    this.#buttons = [
      button('Finer', {}, beside('finer')),
      button('Coarser', {}, beside('coarser')),
      button('Auto', {}, () => onChoose('auto')),
    ];
    this.root = element(
      'div',
      { class: 'chips', role: 'group', 'aria-label': 'Height of its cells' },
      'Cells of',
      this.#text,
      ...this.#buttons,
    );
  }

  choose(bin: string): void {
    this.#chosen = bin;
    this.#write();
  }

  /** @param bin of the cells that are drawn; undefined when there are none */
  show(bin: string | undefined): void {
    this.#shown = bin;
    this.#write();
  }

  #write(): void {
    const auto = this.#shown === undefined ? 'auto' : `auto · ${this.#shown}`;
    this.#text.textContent = this.#chosen === 'auto' ? auto : this.#chosen;
    // Without cells there is nothing to be finer than.
    const isUnknown = this.#chosen === 'auto' && this.#shown === undefined;
    for (const one of this.#buttons) one.disabled = isUnknown;
  }
}
