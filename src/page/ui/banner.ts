import { Refusal } from '../data/source.ts';
import { element } from './element.ts';

/** A line over the chart that says what does not work, and a text in its place when there is nothing to draw. */
export class Banner {
  readonly root = element('div', { class: 'banner', role: 'alert', hidden: '' });
  readonly notice = element('div', { class: 'notice', role: 'status', hidden: '' });
  readonly empty = element('div', { class: 'empty', role: 'status', hidden: '' });

  fail(error: unknown): void {
    this.root.hidden = false;
    const [message, advice] = textsOf(error);
    this.root.replaceChildren(
      element('strong', {}, message),
      ...(advice === '' ? [] : [element('span', {}, advice)]),
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

function textsOf(error: unknown): readonly [message: string, advice: string] {
  if (!(error instanceof Refusal))
    return [error instanceof Error ? error.message : String(error), 'Reload the page.'];
  if (error.status === 401)
    return [
      'Your session has ended.',
      '`bin/cdvault chart SYMBOL` prints a link that opens the page again.',
    ];
  const code =
    error.code.startsWith('HTTP_') || error.code === 'UNREACHABLE' ? '' : ` (${error.code})`;
  return [`${error.message}${code}`, error.advice];
}
