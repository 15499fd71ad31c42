import { type View, viewQuery } from './view.ts';

/** @param how `push`: the back button returns to the view before */
export function writeAddress(view: View, how: 'push' | 'replace'): void {
  const query = viewQuery(view);
  const address = `${location.pathname}${query === '' ? '' : `?${query}`}`;
  if (how === 'push') history.pushState(null, '', address);
  else history.replaceState(null, '', address);
}
