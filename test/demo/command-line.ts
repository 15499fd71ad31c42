import { join } from 'node:path';
import { execa } from 'execa';
import { SETTINGS } from '../../src/config.ts';
import { HOME, PROJECT } from './story.ts';

export interface CommandLine {
  /** Runs `bin/cdvault …` in this terminal, after showing it. @throws Error when it fails */
  run(...args: readonly string[]): Promise<void>;
  /** The read-only SQL URL, as `bin/cdvault env` prints it. */
  readonlyUrl(): Promise<string>;
}

/** Also of a command that a signal has ended. */
export const INTERRUPTED = 130;

const EXECUTABLE = join(PROJECT, 'bin', 'cdvault');

export class CommandFailed extends Error {
  readonly exitCode: number;

  constructor(command: string, exitCode: number) {
    super(`${command} ended with exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

export function createCommandLine(exchangeUrl: string): CommandLine {
  const options = { cwd: PROJECT, env: demoEnvironment(exchangeUrl), extendEnv: false } as const;
  return {
    async run(...args) {
      const command = ['bin/cdvault', ...args].join(' ');
      console.log(`$ ${wrapped(command)}`);
      const { exitCode = INTERRUPTED } = await execa(EXECUTABLE, args, {
        ...options,
        // One stream, in the order of events, also into a pipe.
        stdio: ['inherit', 1, 1],
        reject: false,
      });
      if (exitCode !== 0) throw new CommandFailed(command, exitCode);
    },
    async readonlyUrl() {
      const { stdout } = await execa(EXECUTABLE, ['env', '--json'], {
        ...options,
        stderr: 'ignore',
      });
      const { QUESTDB_READONLY_PG_URL: url } = JSON.parse(stdout) as Record<string, string>;
      if (url === undefined) throw new Error('cdvault env names no read-only URL');
      return url;
    },
  };
}

/** As one would type it into 80 columns. */
function wrapped(command: string): string {
  return command.length < 78 ? command : command.replace(/ (?=--\S+ \S+$)/, ' \\\n    ');
}

/** The caller's environment without the caller's cdvault: only the way to run services is taken over. */
function demoEnvironment(exchangeUrl: string): Record<string, string> {
  const ours = new Set<string>(Object.values(SETTINGS).map(({ env }) => env));
  // What Java and the installation need.
  for (const { env } of [SETTINGS.javaHome, SETTINGS.httpsProxy, SETTINGS.httpProxy])
    ours.delete(env);
  const services = process.env[SETTINGS.services.env];
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !ours.has(entry[0]),
  );
  return {
    ...Object.fromEntries(kept),
    ...(services === 'containers' || services === 'native'
      ? { [SETTINGS.services.env]: services }
      : {}),
    [SETTINGS.home.env]: HOME,
    [SETTINGS.spotUrl.env]: exchangeUrl,
    // The exchange is simulated on this machine.
    NO_PROXY: '127.0.0.1',
    no_proxy: '127.0.0.1',
  };
}
