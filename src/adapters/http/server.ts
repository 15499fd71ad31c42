import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { CdvaultError, classify } from '../../domain/errors.ts';
import type { Log } from '../../ports/log.ts';
import type { LoginLinks } from '../../ports/login-links.ts';
import type { Watch } from '../../ports/watch.ts';
import { createAccess, knownHosts } from './access.ts';
import { API_PATH } from './api/routes.ts';
import { LOGIN_PATH } from './login-url.ts';
import type { ChartPage } from './page.ts';
import { createProcessMetrics, METRICS_CONTENT_TYPE, renderMetrics } from './metrics.ts';

export const BOARD_PATH = '/board';

/** Far more than the board sends: a job's payload has a few hundred bytes. */
const MAX_BODY_BYTES = 64 * 1024;

export interface ServerDeps {
  readonly watch: Watch;
  /** Answers everything under BOARD_PATH. */
  readonly board: Hono;
  /** Answers everything under API_PATH. */
  readonly api: Hono;
  /** Answers `/`. */
  readonly page: ChartPage;
  readonly user: string;
  readonly password: string;
  readonly links: LoginLinks;
  /** Names of this server, besides addresses and names without a dot; lower case. */
  readonly hosts: readonly string[];
  /** Where browsers reach it besides, such as behind a proxy with TLS. */
  readonly url: string | undefined;
  readonly version: string;
  readonly log: Log;
}

export interface RunningServer {
  /** The port that the system chose, if 0 was given. */
  readonly port: number;
  /** Stops at once and breaks off running requests. */
  close(): Promise<void>;
}

/**
 * @param port 0 for any free port
 * @throws CdvaultError USAGE when the server can't listen there
 */
export async function startServer(
  deps: ServerDeps,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<RunningServer> {
  const app = createPages(deps);
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer((request, response) => void answer(request, response));
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      await closed;
    },
  };
}

/**
 * /healthz and /readyz are public; everything else, including unknown paths, needs the password or the
 * session that a login link began.
 */
function createPages({ watch, board, api, page, hosts, version, log, ...guard }: ServerDeps): Hono {
  const access = createAccess({ ...guard, log });
  const processMetrics = createProcessMetrics();
  const pages = new Hono({ strict: false });
  // What comes first has the last word.
  pages.use(`${BOARD_PATH}/*`, headers(["'unsafe-inline'"]));
  pages.use(headers(page.styleSources));
  pages.get('/healthz', (context) => context.json({ alive: true }));
  pages.get('/readyz', async (context) => {
    const { reasons } = await watch.readiness();
    const ready = reasons.length === 0;
    return context.json(ready ? { ready } : { ready, reasons }, ready ? 200 : 503);
  });
  pages.use(knownHosts(hosts));
  pages.get(`${LOGIN_PATH}/:token`, access.login);
  pages.use(...access.entry, bodyLimit({ maxSize: MAX_BODY_BYTES }));
  pages.get('/metrics', async (context) => {
    const texts = [renderMetrics(await watch.facts(), version), processMetrics.metrics()];
    const body = (await Promise.all(texts)).join('\n');
    return context.body(body, 200, { 'Content-Type': METRICS_CONTENT_TYPE });
  });
  pages.route(BOARD_PATH, board);
  pages.route(API_PATH, api);
  pages.route('/', page.routes);
  pages.notFound((context) => context.json({ error: 'Not found.' }, 404));
  pages.onError((error, context) => {
    if (error instanceof HTTPException) return error.getResponse();
    const failure = classify(error);
    // What follows in the path of a login link is a secret.
    const path = context.req.path.startsWith(LOGIN_PATH) ? LOGIN_PATH : context.req.path;
    log.error({ path, code: failure.code, error: failure }, 'A request failed');
    return context.json({ error: failure.code }, 500);
  });
  return pages;
}

/**
 * The board's page loads its typeface from a font host: the policy blocks requests to other hosts. That page
 * sets styles on its elements, so it is allowed inline styles. Strict-Transport-Security is left to a proxy
 * that adds TLS.
 */
function headers(styleSources: readonly string[]): MiddlewareHandler {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'self'"],
      styleSrc: ["'self'", ...styleSources],
      imgSrc: ["'self'", 'data:'],
      objectSrc: ["'none'"],
      frameAncestors: ["'none'"],
      formAction: ["'self'"],
      baseUri: ["'self'"],
    },
    strictTransportSecurity: false,
    xFrameOptions: 'DENY',
  });
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CdvaultError('USAGE', `can't listen on ${host} port ${port}: ${message}`, {
      advice: 'Set another --port (0 takes any free port) or --host.',
      cause: error,
    });
  }
}
