/** An element with attributes and children. Texts become text nodes, never markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function button(
  label: string,
  attributes: Readonly<Record<string, string>>,
  onClick: () => void,
): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, label);
  made.addEventListener('click', onClick);
  return made;
}

/** A text whose parts in backticks are commands. */
export function withCode(text: string): (HTMLElement | string)[] {
  return text.split('`').map((part, index) => (index % 2 === 0 ? part : element('code', {}, part)));
}

/** A select with its label; `onChoose` gets the value. */
export function select(
  label: string,
  groups: readonly ChoiceGroup[],
  onChoose: (value: string) => void,
): HTMLSelectElement {
  const made = element('select', { 'aria-label': label, title: label });
  for (const { name, choices } of groups) {
    const options = choices.map(([value, text]) => element('option', { value }, text));
    if (name === undefined) made.append(...options);
    else made.append(element('optgroup', { label: name }, ...options));
  }
  made.addEventListener('change', () => onChoose(made.value));
  return made;
}

export interface ChoiceGroup {
  readonly name?: string;
  readonly choices: readonly (readonly [value: string, text: string])[];
}

/** Leaves only some values to choose; the title says why. */
export function allowOnly(select: HTMLSelectElement, values: readonly string[], why: string): void {
  for (const option of select.options) option.disabled = !values.includes(option.value);
  select.title = `${select.ariaLabel ?? ''}. ${why}`;
}

/** Selects a value; one that is not in the list is added to its end. */
export function choose(select: HTMLSelectElement, value: string, text = value): void {
  if (![...select.options].some((option) => option.value === value))
    select.append(element('option', { value }, text));
  select.value = value;
}
