import { ZoneClock } from '../time/zone-clock.ts';
import { element } from './element.ts';

/** Fields for a date and a time of day on the clocks of a zone. */
export class TimeForm {
  readonly root: HTMLFormElement;
  readonly #field: HTMLInputElement;
  readonly #zoneOf: () => string;

  /** @param zoneOf the zone when the form is opened, and when it is sent: it may change meanwhile */
  constructor(
    { label, submit, zoneOf }: { label: string; submit: string; zoneOf: () => string },
    onChoose: (timeMs: number) => void,
  ) {
    this.#zoneOf = zoneOf;
    const bounds = { min: '2017-07-01T00:00', max: '2099-12-31T23:59' };
    const attributes = { type: 'datetime-local', required: '', 'aria-label': label, ...bounds };
    this.#field = element('input', attributes);
    this.root = element(
      'form',
      { class: 'fields', hidden: '', 'aria-label': label },
      this.#field,
      element('button', { type: 'submit' }, submit),
    );
    this.root.addEventListener('submit', (event) => {
      event.preventDefault();
      // The field has no zone: its text is what the clocks show.
      onChoose(new ZoneClock(this.#zoneOf()).instantMs(Date.parse(`${this.#field.value}Z`)));
    });
  }

  /** Opens it at a time, or closes it when it is open. */
  toggle(timeMs: number): void {
    this.root.hidden = !this.root.hidden;
    const wallMs = new ZoneClock(this.#zoneOf()).wallMs(timeMs);
    this.#field.value = new Date(wallMs).toISOString().slice(0, 16);
    if (!this.root.hidden) this.#field.focus();
  }

  close(): void {
    this.root.hidden = true;
  }
}
