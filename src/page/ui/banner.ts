import { Refusal } from '../data/source.ts';
import type { SeriesName } from '../view.ts';
import { element, withCode } from './element.ts';

/** A line over the chart that says what does not work, and a text in its place when there is nothing to draw. */
export class Banner {
  readonly root = element('div', { class: 'banner', role: 'alert', hidden: '' });
  readonly notice = element('div', { class: 'notice', role: 'status', hidden: '' });
  readonly empty = element('div', { class: 'empty', role: 'status', hidden: '' });

  /** @param series that is shown */
  fail(error: unknown, series: SeriesName | undefined): void {
    this.root.hidden = false;
    const [message, advice] = textsOf(error, series);
    this.root.replaceChildren(
      element('strong', {}, ...withCode(message)),
      ...(advice === '' ? [] : [element('span', {}, ...withCode(advice))]),
    );
  }

  get isShown(): boolean {
    return !this.root.hidden;
  }

  /** What failed works again. */
  clear(): void {
    this.root.hidden = true;
  }

  /** Kept until the user chooses something; undefined when there is nothing to report. */
  tell(text: string | undefined): void {
    this.notice.hidden = text === undefined;
    this.notice.textContent = text ?? '';
  }

  say(title: string, ...lines: readonly (Node | string)[]): void {
    this.empty.hidden = false;
    this.empty.replaceChildren(
      element('h2', {}, title),
      ...lines.map((line) => element('p', {}, line)),
    );
  }

  hush(): void {
    this.empty.hidden = true;
  }
}

function textsOf(
  error: unknown,
  series: SeriesName | undefined,
): readonly [message: string, advice: string] {
  if (!(error instanceof Refusal))
    return [error instanceof Error ? error.message : String(error), 'Reload the page.'];
  if (error.status === 401)
    return [
      'Your session has ended.',
      `Run \`bin/cdvault chart ${argumentsOf(series)} --last 1d\` for a link that opens the page again, or reload and use the password.`,
    ];
  const code =
    error.code.startsWith('HTTP_') || error.code === 'UNREACHABLE' ? '' : ` (${error.code})`;
  return [`${error.message}${code}`, error.advice];
}

function argumentsOf(series: SeriesName | undefined): string {
  if (series === undefined) return 'BTCUSDT';
  return series.market === 'spot' ? series.symbol : `${series.symbol} --market ${series.market}`;
}
