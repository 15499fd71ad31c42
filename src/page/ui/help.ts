import { button, element } from './element.ts';

const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ['← →', 'move the picture'],
  ['Shift ← →', 'move the cursor by one bar; its values are read out'],
  ['+ −', 'zoom'],
  ['Home, End', 'go to the first or the last stored bar'],
  ['d', 'go to a date'],
  ['g, Shift g', 'go to the next or the previous gap'],
  ['/', 'search a symbol'],
  ['?', 'this help'],
];

const SIGNS: readonly (readonly [sign: string, what: string])[] = [
  ['Hollow bar', 'not final: not over yet, or not all of its trades are proven'],
  ['Crossed hatch', 'gap: trade ids are missing'],
  ['Hatch', 'open: the trade before or after the hour is not known'],
  ['Dots', 'unknown: not fetched'],
  ['missing ids', 'how many trade ids are missing between the zero of the level and the bar'],
];

export function helpDialog(): HTMLDialogElement {
  const list = (rows: readonly (readonly [string, string])[]) =>
    element(
      'dl',
      {},
      ...rows.flatMap(([term, text]) => [element('dt', {}, term), element('dd', {}, text)]),
    );
  const dialog = element(
    'dialog',
    { class: 'help', 'aria-label': 'Help' },
    element('h2', {}, 'Keys'),
    list(KEYS),
    element('h2', {}, 'Signs'),
    list(SIGNS),
    element(
      'p',
      {},
      'Numbers in the legend are exact, as they are stored. The address of the page is a link to what you see.',
    ),
  );
  dialog.append(button('Close', { class: 'close' }, () => dialog.close()));
  return dialog;
}
