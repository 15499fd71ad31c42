/** Colours of the drawing. They are variables of the style sheet, so that text and drawing agree. */

const NAMES = [
  'ground',
  'panel',
  'grid',
  'line',
  'text',
  'muted',
  'up',
  'down',
  'gap',
  'open',
  'unknown',
  'proven',
  'accent',
] as const;

export type Palette = Readonly<Record<(typeof NAMES)[number], string>> & {
  /** Of overlays, in the order in which they were added. */
  readonly overlays: readonly string[];
};

const OVERLAY_COLOURS = 6;

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const colours = Object.fromEntries(NAMES.map((name) => [name, read(name)]));
  return {
    ...(colours as Record<(typeof NAMES)[number], string>),
    overlays: Array.from({ length: OVERLAY_COLOURS }, (_, index) => read(`overlay-${index + 1}`)),
  };
}

/** @param colour as #rrggbb */
export function translucent(colour: string, opacity: number): string {
  return (
    colour +
    Math.round(opacity * 255)
      .toString(16)
      .padStart(2, '0')
  );
}
