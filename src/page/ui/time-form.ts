import { ZoneClock } from '../time/zone-clock.ts';
import { element } from './element.ts';

/** Fields for a date and a time of day on the clocks of a zone. */
export class TimeForm {
  readonly root: HTMLFormElement;
  readonly #field: HTMLInputElement;
  #zone = 'UTC';

  constructor(label: string, submit: string, onChoose: (timeMs: number) => void) {
    this.#field = element('input', { type: 'datetime-local', required: '', 'aria-label': label });
    this.root = element(
      'form',
      { class: 'fields', hidden: '', 'aria-label': label },
      this.#field,
      element('button', { type: 'submit' }, submit),
    );
    this.root.addEventListener('submit', (event) => {
      event.preventDefault();
      // The field has no zone: its text is what the clocks show.
      onChoose(new ZoneClock(this.#zone).instantMs(Date.parse(`${this.#field.value}Z`)));
    });
  }

  /** Opens it at a time, or closes it when it is open. */
  toggle(timeMs: number, zone: string): void {
    this.root.hidden = !this.root.hidden;
    this.#zone = zone;
    this.#field.value = new Date(new ZoneClock(zone).wallMs(timeMs)).toISOString().slice(0, 16);
    if (!this.root.hidden) this.#field.focus();
  }

  close(): void {
    this.root.hidden = true;
  }
}
