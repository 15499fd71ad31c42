import type { SeriesFacts } from './data/answers.ts';
import type { ChartInterval } from './intervals.ts';
import type { Refusal } from './data/source.ts';
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

/**
 * @param anchorText when levels are 0
 * @param fitting intervals with a bar that begins there
 */
export function misfit(
  anchorText: string,
  fitting: readonly ChartInterval[],
  chooseAuto: () => void,
): Statement {
  if (fitting.length === 0)
    return [
      `No bar begins at ${anchorText}`,
      'CDV can count from the begin of a bar only. Choose a time on a whole minute.',
    ];
  return [
    `No bar of this interval begins at ${anchorText}`,
    `CDV can count from the begin of a bar only. Intervals that fit: ${fitting.join(', ')}.`,
    button('Choose an interval that fits', {}, chooseAuto),
  ];
}

export function refused({ message, code, advice }: Refusal): Statement {
  return [`${message} (${code})`, advice];
}
