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
    .summary('board of the queues, metrics and health, over HTTP')
    .description(
      'Bull Board at /board, metrics for Prometheus at /metrics, both behind a user and\n' +
        'a password; /healthz and /readyz without. CDVAULT_SERVE_PASSWORD sets the\n' +
        'password; else one is made for this run and shown once, on standard error.\n' +
        'Listens on this machine only, unless told otherwise. SIGTERM or Ctrl-C ends it.',
    )
    .option('--host <address>', 'address to listen on (default 127.0.0.1); others need a password')
    .option('--port <n>', 'port to listen on (default 9180); 0 takes any that is free')
    .option('--user <name>', 'name of the one who may enter (default cdvault)')
    .action(async ({ host, port, user }: ServeOptions) => {
      const { serve: config } = loadConfig({
        ...(host !== undefined && { serveHost: host }),
        ...(port !== undefined && { servePort: port }),
        ...(user !== undefined && { serveUser: user }),
      });
      assertGuarded(config);
      // Nothing but this run knows it, so nothing is served by keeping it.
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

/** @throws CdvaultError USAGE when others could reach it and nobody has chosen a password */
function assertGuarded({ host, password }: ServeConfig): void {
  if (password !== undefined || isLoopback(host)) return;
  throw new CdvaultError('USAGE', `other machines may reach ${host}: that takes a password`, {
    advice: 'Set CDVAULT_SERVE_PASSWORD, or listen on 127.0.0.1.',
  });
}

/** A name other than localhost may be anything, so it counts as not. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function announce({ host, user, password: given }: ServeConfig, port: number, password: string) {
  const place = host.includes(':') ? `[${host}]` : host;
  say(`serve: http://${place}:${port}/board and /metrics, user ${user}`);
  if (given === undefined) {
    say(`serve: password ${password}`);
    say('serve: made for this run and not shown again; CDVAULT_SERVE_PASSWORD sets one');
  }
}

async function abortOf(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
