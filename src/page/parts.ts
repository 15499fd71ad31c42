import type { Drawing } from './drawing.ts';
import type { Layers } from './layers.ts';
import type { Palette } from './chart/palette.ts';
import type { Banner } from './ui/banner.ts';
import type { OverlaysPanel } from './ui/overlays-panel.ts';
import type { StatusCorner } from './ui/status-corner.ts';
import type { Toolbar } from './ui/toolbar.ts';

/** What the page is made of. */
export interface Parts {
  readonly drawing: Drawing;
  readonly layers: Layers;
  readonly toolbar: Toolbar;
  readonly overlays: OverlaysPanel;
  readonly banner: Banner;
  readonly status: StatusCorner;
  readonly readPalette: () => Palette;
}
