import type { SeriesFacts } from './data/answers.ts';
import type { SeriesName } from './view.ts';
import { button, element } from './ui/element.ts';

type Statement = readonly [title: string, ...lines: (Node | string)[]];

export const NO_SERIES: Statement = [
  'Nothing is stored yet',
  'Fetch a day of trades:',
  element('code', {}, 'bin/cdvault backfill BTCUSDT --from 2024-01-01 --to 2024-01-02'),
  'Then reload this page.',
];

export function unknownSeries({ symbol, market }: SeriesName): Statement {
  const option = market === 'spot' ? '' : ` --market ${market}`;
  return [
    `${symbol} is not stored`,
    'Choose another symbol above, or fetch it:',
    element('code', {}, `bin/cdvault backfill ${symbol}${option} --from … --to …`),
  ];
}

export function emptyRange({ symbol, from, to }: SeriesFacts, goThere: () => void): Statement {
  const text = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
  return [
    'No bars in this range',
    `${symbol} is stored from ${text(from)} to ${text(to)} UTC.`,
    button('Go to the last bars', {}, goThere),
  ];
}
