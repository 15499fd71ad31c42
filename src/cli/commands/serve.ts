import { randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Command } from 'commander';
import { loadConfig, type ServeConfig } from '../../config.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { say, withApp } from '../session.ts';

interface ServeOptions {
  readonly host?: string;
  readonly port?: string;
  readonly user?: string;
}

export function registerServe(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('serve')
    .summary('serve the queue board, metrics and health over HTTP')
    .description(
      'Serves Bull Board at /board and Prometheus metrics at /metrics, which require a user name ' +
        'and a password, and /healthz and /readyz, which do not. CDVAULT_SERVE_PASSWORD sets the ' +
        'password; without it, one is generated for this run and shown once on standard error. ' +
        'Listens on 127.0.0.1 unless --host is given. SIGTERM or Ctrl-C stops the server.',
    )
    .option(
      '--host <address>',
      'address to listen on (default: 127.0.0.1); one that other machines can reach requires CDVAULT_SERVE_PASSWORD',
    )
    .option('--port <n>', 'port to listen on (default: 9180); 0 selects a free port')
    .option('--user <name>', 'user name (default: cdvault)')
    .action(async ({ host, port, user }: ServeOptions) => {
      const { serve: config } = loadConfig({
        ...(host !== undefined && { serveHost: host }),
        ...(port !== undefined && { servePort: port }),
        ...(user !== undefined && { serveUser: user }),
      });
      assertGuarded(config);
      // Only this run uses it, so it is not stored.
      const password = config.password ?? randomBytes(24).toString('base64url');
      finish(
        await withApp({ drains: true }, async ({ app, signal }) => {
          const server = await app.startServer({ ...config, password });
          try {
            announce(config, server.port, password);
            await abortOf(signal);
          } finally {
            await server.close();
          }
          return EXIT.ok;
        }),
      );
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

function announce({ host, user, password: given }: ServeConfig, port: number, password: string) {
  const place = host.includes(':') ? `[${host}]` : host;
  say(`serve: http://${place}:${port}/board and /metrics, user ${user}`);
  if (given === undefined) {
    say(`serve: password ${password}`);
    say(
      'serve: generated for this run and not shown again; set CDVAULT_SERVE_PASSWORD to choose one',
    );
  }
}

async function abortOf(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
