/** The exact values of the footprint cell and of the row of the profile under the cursor. */

import type { CellTexts } from '../chart/cells.ts';
import { element } from './element.ts';

export class CellLegend {
  readonly root = element('div', { class: 'cells' });

  show(cell: CellTexts | undefined, profileRow: CellTexts | undefined): void {
    this.root.replaceChildren(...line('cell', cell), ...line('profile', profileRow));
  }
}

function line(name: string, texts: CellTexts | undefined): HTMLElement[] {
  if (texts === undefined) return [];
  const field = (label: string, value: string, part: string) =>
    element(
      'span',
      { class: 'field' },
      element('span', { class: 'label' }, label),
      element('span', { 'data-field': `${name}-${part}` }, value),
    );
  return [
    element(
      'div',
      { class: 'row' },
      element('strong', {}, name),
      field('from', texts.from, 'from'),
      field('below', texts.to, 'to'),
      field('sold', texts.sell, 'sell'),
      field('bought', texts.buy, 'buy'),
    ),
  ];
}
