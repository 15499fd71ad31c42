import { randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Command } from 'commander';
import { loadConfig, type ServeConfig, SETTINGS } from '../../config.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { loginUrl } from '../../adapters/http/login-url.ts';
import { say, servicesOptions, withApp } from '../session.ts';

interface ServeOptions {
  readonly host?: string;
  readonly port?: string;
  readonly user?: string;
  readonly background?: true;
}

export function registerServe(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('serve')
    .summary('serve the chart page, the HTTP API, the queue board, metrics and health')
    .description(
      'Serves the chart page at /, the API at /api/v1, Bull Board at /board and Prometheus metrics at ' +
        '/metrics, which require a user name and a password, and /healthz and /readyz, which do not. ' +
        'CDVAULT_SERVE_PASSWORD sets the password; without it, one is generated for this run and shown ' +
        'once on standard error, with a link that opens the pages without it, once and within ten ' +
        'minutes. Listens on 127.0.0.1 unless --host is given. SIGTERM or Ctrl-C stops the server. ' +
        'With --background it runs on after the command, with its log in CDVAULT_HOME: cdvault chart ' +
        'prints a link to it, and cdvault down stops it, together with the services.',
    )
    .option(
      '--host <address>',
      'address to listen on (default: 127.0.0.1); one that other machines can reach requires CDVAULT_SERVE_PASSWORD',
    )
    .option('--port <n>', 'port to listen on (default: 9180); 0 selects a free port')
    .option('--user <name>', 'user name (default: cdvault)')
    .option('--background', 'start it, unless it runs, wait until it answers, and leave it running')
    .action(async (options: ServeOptions) => {
      const { host, port, user } = options;
      const { serve: config } = loadConfig({
        ...(host !== undefined && { serveHost: host }),
        ...(port !== undefined && { servePort: port }),
        ...(user !== undefined && { serveUser: user }),
      });
      assertGuarded(config);
      // Only this run uses it, so it is not stored.
      const password = config.password ?? randomBytes(24).toString('base64url');
      const run = options.background === true ? startInBackground : serve;
      finish(await run(config, password));
    });
}

async function serve(config: ServeConfig, password: string): Promise<ExitCode> {
  return withApp({ drains: true }, async ({ app, signal }) => {
    const server = await app.startServer({ ...config, password });
    try {
      const own = reachableUrl(config.host, server.port);
      const url = config.url ?? own;
      printAccess(config, server.port, password);
      // A log that others may read should hold no link.
      if (config.password === undefined || process.stderr.isTTY)
        sayLink(loginUrl(url, await app.loginLinks.create()));
      await app.serveAddress.announce({ own, url }, signal);
    } finally {
      await server.close();
    }
    return EXIT.ok;
  });
}

async function startInBackground(config: ServeConfig, password: string): Promise<ExitCode> {
  const { host, port, user } = config;
  const { startBackgroundServe } = await import('../../adapters/services/background-serve.ts');
  return withApp({}, async ({ app, signal }) => {
    const services = servicesOptions(app.config, signal);
    const { url, started } = await startBackgroundServe(services, {
      args: ['--host', host, '--port', String(port), '--user', user],
      // Given a password, serve writes neither it nor a link to its log.
      env: { ...services.childEnv, [SETTINGS.servePassword.env]: password },
      findUrl: async () => (await app.serveAddress.find())?.own,
    });
    say(
      started
        ? `serve: ${url}/ runs in the background until cdvault down`
        : `serve: ${url}/ was already running`,
    );
    if (!started && config.password !== undefined)
      say('serve: its password stays; run cdvault down first to start it with another');
    if (started && config.password === undefined)
      say(`serve: programs use the user ${user} and the password ${password}, not shown again`);
    say('serve: cdvault chart prints a link that opens it');
    return EXIT.ok;
  });
}

/** @throws CdvaultError USAGE when other machines could reach the server and no password is set */
function assertGuarded({ host, password }: ServeConfig): void {
  if (password !== undefined || isLoopback(host)) return;
  throw new CdvaultError(
    'USAGE',
    `listening on ${host} requires a password: other machines may reach it`,
    {
      advice: 'Set CDVAULT_SERVE_PASSWORD, or listen on 127.0.0.1.',
    },
  );
}

/** Host names other than localhost may resolve to anything, so they do not count as loopback. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function printAccess({ host, user, password: given }: ServeConfig, port: number, password: string) {
  const url = urlOf(host, port);
  say(`serve: ${url}/  (the chart page; also /board, /metrics, /api/v1), user ${user}`);
  if (given === undefined) {
    say(`serve: password ${password}`);
    say(
      'serve: generated for this run and not shown again; set CDVAULT_SERVE_PASSWORD to choose one',
    );
  }
}

function sayLink(link: string): void {
  say(`serve: ${link}  (works once, within 10 minutes)`);
}

/** A server that listens on all addresses is reached on this machine by its loopback address. */
function reachableUrl(host: string, port: number): string {
  const loopbacks: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  return urlOf(loopbacks[host] ?? host, port);
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
