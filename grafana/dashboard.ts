import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  type AnnotationQuery,
  type Dashboard,
  DashboardCursorSync,
  defaultDashboard,
  type GridPos,
  type Panel,
  type RowPanel,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard';

/** A panel, or a collapsed row with panels. Both get their id and position here. */
export type Part = Builder<Panel> | Builder<RowPanel>;

export interface DashboardParts {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly time: { readonly from: string; readonly to: string };
  /** Interval of refreshes while the dashboard is open; hours become proven once an hour. */
  readonly refresh: string;
  readonly variables: readonly Builder<VariableModel>[];
  readonly annotations?: readonly Builder<AnnotationQuery>[];
  /** In order from left to right, from top to bottom. */
  readonly panels: readonly Part[];
}

const COLUMNS = 24;

export function dashboard(parts: DashboardParts): Dashboard {
  const { uid, title, description, time, refresh, variables, annotations = [], panels } = parts;
  return {
    ...defaultDashboard(),
    uid,
    title,
    description,
    tags: ['cdvault'],
    timezone: 'utc',
    time: { ...time },
    refresh,
    graphTooltip: DashboardCursorSync.Crosshair,
    templating: { list: variables.map((variable) => variable.build()) },
    annotations: { list: annotations.map((annotation) => annotation.build()) },
    panels: placed(panels.map((panel) => panel.build())),
  };
}

function placed(panels: (Panel | RowPanel)[]): (Panel | RowPanel)[] {
  const grid = new Grid();
  for (const panel of panels) {
    grid.place(panel);
    if ('panels' in panel) for (const inner of panel.panels) grid.place(inner);
  }
  return panels;
}

/** Fills lines of 24 columns; a line is as high as its highest panel. */
class Grid {
  #id = 0;
  #x = 0;
  #y = 0;
  #lineHeight = 0;

  place(panel: Panel | RowPanel): void {
    const { h, w } = 'panels' in panel ? { h: 1, w: COLUMNS } : sizeOf(panel);
    if (this.#x + w > COLUMNS) this.#newLine();
    this.#id += 1;
    panel.id = this.#id;
    panel.gridPos = { h, w, x: this.#x, y: this.#y };
    this.#x += w;
    this.#lineHeight = Math.max(this.#lineHeight, h);
  }

  #newLine(): void {
    this.#x = 0;
    this.#y += this.#lineHeight;
    this.#lineHeight = 0;
  }
}

function sizeOf({ title, gridPos }: Panel): GridPos {
  if (gridPos === undefined) throw new Error(`panel without a size: ${title}`);
  return gridPos;
}
