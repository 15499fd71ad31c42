/** The row above the chart: what is shown, and from where it counts. */

import { CHART_INTERVALS } from '../intervals.ts';
import { type View, zoneNamed } from '../view.ts';
import type { SeriesFacts } from '../data/answers.ts';
import { ANCHOR_CHOICES, OTHER_SESSION, OTHER_TIME, ZONE_CHOICES, ZONES } from './anchors.ts';
import { allowOnly, button, choose, element, select } from './element.ts';
import { MARKET_TEXTS, SeriesBox } from './series-box.ts';
import { TimeForm } from './time-form.ts';
import { anchorName, zoneName } from '../time/anchor-text.ts';
import { instantOf } from '../time/level-start.ts';
import { ZoneClock } from '../time/zone-clock.ts';

/** The choices of a page that is a file. */
export interface Held {
  readonly interval: readonly string[];
  readonly anchor: readonly string[];
  readonly open: readonly string[];
}

export const NOT_HELD = 'This file does not hold others: cdvault chart --out makes one that does.';

interface ToolbarEvents {
  readonly onChange: (change: Partial<View>) => void;
  readonly onGoTo: (timeMs: number) => void;
  readonly onTheme: () => void;
  readonly onHelp: () => void;
  readonly onPng: () => void;
  readonly onCsv: () => void;
}

export class Toolbar {
  readonly root: HTMLElement;
  readonly series: SeriesBox;
  readonly #interval: HTMLSelectElement;
  readonly #anchor: HTMLSelectElement;
  readonly #open: HTMLSelectElement;
  readonly #zone: HTMLSelectElement;
  readonly #session: HTMLFormElement;
  readonly #time: TimeForm;
  readonly #date: TimeForm;
  /** For an anchor that is not in the list: new bars do not close its form. */
  #isAsking = false;
  #view: View | undefined;
  readonly #held: Held | undefined;

  /**
   * @param overlays the button that opens the panel of overlays
   * @param held undefined: all
   */
  constructor(events: ToolbarEvents, overlays: HTMLElement, held?: Held) {
    this.#held = held;
    const { onChange } = events;
    this.series = new SeriesBox({
      id: 'symbol',
      label: 'Symbol',
      onChoose: (series) => onChange({ series }),
    });
    this.#interval = select('Interval', INTERVAL_CHOICES, (value) =>
      onChange({ interval: CHART_INTERVALS.find((known) => known === value) ?? 'auto' }),
    );
    this.#session = sessionForm((anchor) => {
      this.#isAsking = false;
      onChange({ anchor });
    });
    const zoneOf = () => this.#view?.zone ?? 'UTC';
    const forAnchor = { label: 'CDV counts from this time', submit: 'Set', zoneOf };
    this.#time = new TimeForm(forAnchor, (timeMs) => {
      this.#isAsking = false;
      onChange({ anchor: new Date(timeMs).toISOString().replace(':00.000Z', 'Z') });
    });
    this.#anchor = select('CDV counts from', ANCHOR_CHOICES, (anchor) => {
      this.#isAsking = anchor === OTHER_SESSION || anchor === OTHER_TIME;
      this.#closeForms();
      if (!this.#isAsking) return onChange({ anchor });
      if (anchor === OTHER_SESSION) this.#session.hidden = false;
      else this.#time.toggle(this.#middleMs());
    });
    this.#date = new TimeForm({ label: 'Go to a date', submit: 'Go', zoneOf }, (timeMs) => {
      this.#date.close();
      events.onGoTo(timeMs);
    });
    this.#open = select('A bar opens', OPEN_CHOICES, (open) =>
      onChange({ open: open === 'previous' ? 'previous' : 'first' }),
    );
    this.#zone = select('Time zone', ZONE_CHOICES, (zone) => onChange({ zone }));
    this.root = element(
      'header',
      { class: 'toolbar' },
      element('span', { class: 'brand' }, 'cdvault'),
      this.series.root,
      this.#interval,
      this.#anchor,
      this.#session,
      this.#time.root,
      this.#open,
      this.#zone,
      overlays,
      this.#date.root,
      this.#toolsOf(events),
    );
  }

  #toolsOf(events: ToolbarEvents): HTMLElement {
    return element(
      'div',
      { class: 'tools' },
      button('Go to', { title: 'Go to a date (d)' }, () => this.askDate()),
      button('PNG', { title: 'Download a picture' }, events.onPng),
      button('CSV', { title: 'Download the visible bars, exact' }, events.onCsv),
      button('◐', { 'aria-label': 'Dark or light', title: 'Dark or light' }, events.onTheme),
      button('?', { 'aria-label': 'Help', title: 'Keys (?)' }, events.onHelp),
    );
  }

  /** @param shown the interval that `auto` has chosen */
  show(view: View, shown: string): void {
    this.#view = view;
    const { series } = view;
    if (series !== undefined)
      this.series.setText(`${series.symbol} ${MARKET_TEXTS[series.market]}`);
    const auto = this.#interval.options[0];
    if (auto !== undefined)
      auto.text = view.interval === 'auto' && shown !== '' ? `auto · ${shown}` : 'auto';
    choose(this.#interval, view.interval);
    if (!this.#isAsking) this.#chooseAnchor(view);
    if (!this.#isAsking) this.#closeForms();
    choose(this.#open, view.open);
    choose(this.#zone, view.zone, zoneName(view.zone));
    if (this.#held === undefined) return;
    allowOnly(this.#interval, this.#held.interval, NOT_HELD);
    allowOnly(this.#anchor, this.#held.anchor, NOT_HELD);
    allowOnly(this.#open, this.#held.open, NOT_HELD);
    this.series.disable(NOT_HELD);
  }

  askDate(): void {
    this.#date.toggle(this.#middleMs());
  }

  #chooseAnchor({ anchor, zone }: View): void {
    const clock = new ZoneClock(zone);
    choose(this.#anchor, anchor, anchorName(anchor, clock));
    // The zone may be another one since they were added.
    for (const option of this.#anchor.options)
      if (instantOf(option.value) !== undefined) option.text = anchorName(option.value, clock);
  }

  #closeForms(): void {
    this.#session.hidden = true;
    this.#time.close();
  }

  #middleMs(): number {
    const range = this.#view?.range;
    return range === undefined ? Date.now() : (range.fromMs + range.toMs) / 2;
  }

  setSeries(series: readonly SeriesFacts[]): void {
    this.series.setSeries(series);
  }
}

const INTERVAL_CHOICES = [
  { choices: [['auto', 'auto'] as const, ...CHART_INTERVALS.map((one) => [one, one] as const)] },
];

const OPEN_CHOICES = [
  {
    choices: [
      ['first', 'Opens after first trade'],
      ['previous', 'Opens at previous close'],
    ] as const,
  },
];

/** Time and zone of a session that is not in the list. */
function sessionForm(onChoose: (anchor: string) => void): HTMLFormElement {
  const time = element('input', {
    type: 'time',
    value: '09:30',
    required: '',
    'aria-label': 'Start of session',
  });
  const zone = element('input', {
    type: 'text',
    list: 'zones',
    value: 'America/New_York',
    'aria-label': 'Time zone of session',
    size: '16',
  });
  const zones = element(
    'datalist',
    { id: 'zones' },
    ...['UTC', ...ZONES].map((value) => element('option', { value })),
  );
  const problem = element('span', { role: 'alert', class: 'problem' });
  const form = element(
    'form',
    { class: 'fields', hidden: '', 'aria-label': 'Session' },
    time,
    zone,
    zones,
    element('button', { type: 'submit' }, 'Set'),
    problem,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const name = zoneNamed(zone.value);
    problem.textContent =
      name === undefined ? `No time zone is named ${JSON.stringify(zone.value)}.` : '';
    if (name !== undefined) onChoose(`session:${time.value}@${name}`);
  });
  return form;
}
