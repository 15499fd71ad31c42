/** Who may enter: the host names of this server, its password, its login links, and pages of its own only. */

import { isIP } from 'node:net';
import type { Context, MiddlewareHandler } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import { getCookie, setCookie } from 'hono/cookie';
import { csrf } from 'hono/csrf';
import { HTTPException } from 'hono/http-exception';
import { CdvaultError, classify } from '../../domain/errors.ts';
import type { Log } from '../../ports/log.ts';
import type { LoginLinks } from '../../ports/login-links.ts';
import { failureBody } from './api/failures.ts';
import { localPath } from './login-url.ts';
import { loginPage } from './login-page.ts';
import { createSessions, SESSION_MS, type Sessions } from './sessions.ts';

interface AccessDeps {
  readonly user: string;
  readonly password: string;
  readonly url: string | undefined;
  readonly links: LoginLinks;
  readonly log: Log;
}

export interface Access {
  /** Answers GET of a login link. Its path has a secret: it must not be logged. */
  readonly login: (context: Context) => Promise<Response>;
  /** Lets in who has the cookie of a session or the password. */
  readonly entry: readonly MiddlewareHandler[];
}

export function createAccess({ user, password, url, links, log }: AccessDeps): Access {
  const sessions = createSessions();
  // Compares hashes of the credentials in constant time.
  const withPassword = basicAuth({ username: user, password, realm: 'cdvault' });
  return {
    login: (context) => login(context, { sessions, url, links, log }),
    entry: [
      async (context, next) => {
        if (hasSession(context, sessions)) return next();
        try {
          return await withPassword(context, next);
        } catch (error) {
          // With it, a browser would ask for a password over the page and give its script no answer.
          if (error instanceof HTTPException && isFromScript(context))
            error.res?.headers.delete('WWW-Authenticate');
          throw error;
        }
      },
      async (context, next) => {
        assertOwnPage(context, hasSession(context, sessions));
        await next();
      },
      // Forms, whose browser may not say where they come from.
      csrf(),
    ],
  };
}

/**
 * Refuses names that a stranger could point at this server: through DNS rebinding, a page of such a name
 * would be one of ours to the browser. Addresses are no names, and public names have a dot.
 * @param hosts the names that are allowed besides; lower case
 */
export function knownHosts(hosts: readonly string[]): MiddlewareHandler {
  const allowed = new Set(hosts);
  return async (context, next) => {
    const { hostname } = ownUrl(context);
    const isAddress = isIP(hostname) !== 0 || hostname.startsWith('[');
    if (isAddress || !hostname.includes('.') || allowed.has(hostname)) return next();
    const error = new CdvaultError('USAGE', `${hostname} is not a known name of this server`, {
      advice:
        'Add the name to CDVAULT_SERVE_HOSTS and start serve again, or use an address such as 127.0.0.1.',
    });
    return context.json(failureBody(error), 403);
  };
}

/**
 * As the browser names this server.
 * @throws HTTPException 400 when the request names no valid host
 */
function ownUrl(context: Context): URL {
  const url = `http://${context.req.header('Host')}`;
  if (URL.canParse(url)) return new URL(url);
  throw new HTTPException(400, { message: 'Bad Request' });
}

/** Whether the browser asks by an https URL of this server: its cookie is then for that alone. */
function isBehindTls(context: Context, url: string | undefined): boolean {
  if (url?.startsWith('https:') !== true) return false;
  // A client may name the port that https has anyway.
  return new URL(`https://${context.req.header('Host')}`).host === new URL(url).host;
}

/** Cookies of a host are sent to all of its ports, so that each port needs a name of its own. */
function cookieName(context: Context): string {
  return `cdvault-${ownUrl(context).port || '80'}`;
}

function hasSession(context: Context, sessions: Sessions): boolean {
  return sessions.has(getCookie(context, cookieName(context)));
}

/**
 * A browser sends cookie and password also with requests of other sites, and says where they come from.
 * @throws HTTPException 403 when a request that may change something does not come from our own page
 */
function assertOwnPage(context: Context, hasCookie: boolean): void {
  if (['GET', 'HEAD', 'OPTIONS'].includes(context.req.method)) return;
  // Programs say nothing about that; they have the password.
  const isOwn = comesFromHere(context) ?? !hasCookie;
  if (!isOwn) throw new HTTPException(403, { message: 'Forbidden' });
}

/** Of a page of this server, in a browser. */
function isFromScript({ req }: Context): boolean {
  return req.header('Sec-Fetch-Site') === 'same-origin' && req.header('Sec-Fetch-Dest') === 'empty';
}

/** @returns undefined when the request does not say where it comes from */
function comesFromHere(context: Context): boolean | undefined {
  const site = context.req.header('Sec-Fetch-Site');
  if (site !== undefined) return site === 'same-origin';
  const origin = context.req.header('Origin');
  if (origin === undefined) return undefined;
  // Without the scheme: a proxy may add TLS.
  return URL.canParse(origin) && new URL(origin).host === ownUrl(context).host;
}

async function login(
  context: Context,
  { sessions, url, links, log }: { sessions: Sessions } & Pick<AccessDeps, 'url' | 'links' | 'log'>,
): Promise<Response> {
  context.header('Cache-Control', 'no-store');
  // Hono sends HEAD here, too. What only looks at the link must not use it up.
  if (context.req.method !== 'GET') return context.text('', 405, { Allow: 'GET' });
  if (isPrefetch(context)) return context.text('', 503);
  const path = localPath(context.req.query('to'));
  // A second click on the link should not be an error in the browser that it has let in.
  if (hasSession(context, sessions)) return context.redirect(path, 303);
  try {
    if (!(await links.redeem(context.req.param('token') ?? '')))
      return await context.html(loginPage('refused'), 403);
  } catch (error) {
    const failure = classify(error);
    log.error({ code: failure.code, error: failure }, 'A login link could not be looked up');
    return context.html(loginPage('unknown'), 503);
  }
  setCookie(context, cookieName(context), sessions.begin(), {
    httpOnly: true,
    secure: isBehindTls(context, url),
    sameSite: 'Strict',
    path: '/',
    maxAge: SESSION_MS / 1000,
  });
  const site = context.req.header('Sec-Fetch-Site') ?? 'none';
  // From a page of another site, a browser would follow a redirect without the strict cookie.
  if (site !== 'none' && site !== 'same-origin') return context.html(loginPage({ goTo: path }));
  return context.redirect(path, 303);
}

function isPrefetch({ req }: Context): boolean {
  const purposes = [req.header('Sec-Purpose'), req.header('Purpose'), req.header('X-Moz')];
  return purposes.some((purpose) => purpose?.includes('prefetch') === true);
}
