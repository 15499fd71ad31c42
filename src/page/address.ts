import { Delayed } from './delayed.ts';
import { type View, viewQuery } from './view.ts';

/** Calm enough for the browser's limit of changes. */
const CALM_MS = 400;

/** The address of the page, which holds the view. */
export class Address {
  readonly #isWritable: boolean;
  readonly #later = new Delayed(CALM_MS);

  /** @param isWritable a page that is a file keeps its address */
  constructor(isWritable: boolean) {
    this.#isWritable = isWritable;
  }

  /** The picture has moved. */
  replaceSoon(view: () => View): void {
    this.#later.whenQuiet(() => this.#replace(view()));
  }

  /** The user has chosen another view: the back button returns to the one before. */
  push(before: View, after: View): void {
    this.cancel();
    this.#replace(before);
    if (this.#isWritable && viewQuery(after) !== viewQuery(before))
      history.pushState(null, '', addressOf(after));
  }

  cancel(): void {
    this.#later.cancel();
  }

  #replace(view: View): void {
    if (this.#isWritable) history.replaceState(null, '', addressOf(view));
  }
}

function addressOf(view: View): string {
  const query = viewQuery(view);
  return `${location.pathname}${query === '' ? '' : `?${query}`}`;
}
