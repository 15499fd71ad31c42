/** What runs behind the page: jobs, lag, last error. */

import type { StatusAnswer } from '../data/answers.ts';
import { element } from './element.ts';

export class StatusCorner {
  readonly root: HTMLElement;
  readonly #dot = element('span', { class: 'dot', 'aria-hidden': 'true' });
  readonly #text = element('span', { 'data-field': 'server' }, '…');
  readonly #error = element('span', { class: 'error' });

  constructor() {
    this.root = element(
      'div',
      { class: 'status-corner', role: 'status', 'aria-label': 'Server' },
      this.#dot,
      this.#text,
      this.#error,
      element('a', { href: '/board' }, 'Queue'),
      element('a', { href: '/api/v1/openapi.json' }, 'API'),
    );
  }

  show({ services, jobs, lag, lastError }: StatusAnswer): void {
    const isWell = services.redis && services.store;
    this.#dot.className = `dot ${isWell ? (lastError === null ? 'well' : 'warned') : 'ill'}`;
    const away = [services.store ? '' : 'QuestDB is away', services.redis ? '' : 'Redis is away'];
    const running =
      jobs === null ? 'jobs unknown' : `${jobs.active} running, ${jobs.waiting} waiting`;
    const parts = [...away, running, lag === null ? '' : `lag ${spanText(lag.ms)} (${lag.symbol})`];
    this.#text.textContent = parts.filter((part) => part !== '').join(' · ');
    this.#error.textContent = lastError === null ? '' : `last error: ${lastError.message}`;
    this.#error.title =
      lastError === null ? '' : `${new Date(lastError.at).toISOString()} ${lastError.message}`;
  }

  /** @param why in two words */
  unknown(why: string): void {
    this.#dot.className = 'dot ill';
    this.#text.textContent = why;
  }
}

/** `12 s`, `3 min`, `5 h`, `2 d`. */
export function spanText(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.round(seconds / 3_600)} h`
    : `${Math.round(seconds / 86_400)} d`;
}
