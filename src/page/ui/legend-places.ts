import type { Panes } from '../chart/panes.ts';

/** Keeps each legend at the top of its pane. Panes can be resized by dragging their edges. */
export function placeLegends(
  chart: HTMLElement,
  panes: Panes,
  legends: readonly HTMLElement[],
): void {
  const place = () => {
    const top = chart.getBoundingClientRect().top;
    for (const [index, legend] of legends.entries()) {
      const pane = panes.pane(index)?.getHTMLElement();
      if (pane === undefined || pane === null) continue;
      const box = pane.getBoundingClientRect();
      legend.style.top = `${Math.round(box.top - top) + 4}px`;
      legend.style.maxHeight = `${Math.max(Math.round(box.height) - 6, 0)}px`;
      legend.style.right = `${chart.clientWidth - panes.chart.timeScale().width() + 4}px`;
    }
  };
  const observer = new ResizeObserver(place);
  observer.observe(chart);
  // Panes get their height after the next frame.
  requestAnimationFrame(() => {
    for (const pane of panes.chart.panes()) {
      const row = pane.getHTMLElement();
      if (row !== null) observer.observe(row);
    }
    place();
  });
}
