export const LOGIN_PATH = '/login';

/**
 * The link that opens `serve` once.
 * @param serveUrl without a path
 * @param to the page to open after it, e.g. `/board`; default: `/`
 */
export function loginUrl(serveUrl: string, token: string, to?: string): string {
  const url = new URL(`${LOGIN_PATH}/${token}`, serveUrl);
  if (to !== undefined) url.searchParams.set('to', to);
  return url.href;
}

/** A path of this server, where the browser goes after login; everything else becomes `/`. */
export function localPath(to: string | undefined): string {
  const here = 'http://here.invalid';
  if (to === undefined || !URL.canParse(to, here)) return '/';
  const { origin, pathname, search, hash } = new URL(to, here);
  // Browsers take a path that begins with two slashes as a host: `/.//evil.example` becomes one.
  return origin === here && !pathname.startsWith('//') ? pathname + search + hash : '/';
}
