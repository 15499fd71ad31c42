import { join } from 'node:path';
import { execa } from 'execa';
import { SETTINGS } from '../../src/config.ts';
import { HOME, PROJECT } from './story.ts';

export interface CommandLine {
  /** Runs `bin/cdvault …` in this terminal, after showing it. @throws Error when it fails */
  run(...args: readonly string[]): Promise<void>;
  /** What `bin/cdvault …` prints on standard output. @throws Error when it fails */
  answer(...args: readonly string[]): Promise<string>;
  /** The read-only SQL URL, as `bin/cdvault env` prints it. */
  readonlyUrl(): Promise<string>;
}

/** Exit code after Ctrl-C; also used for a command that a signal has ended. */
export const INTERRUPTED = 130;

const EXECUTABLE = join(PROJECT, 'bin', 'cdvault');

export class CommandFailed extends Error {
  readonly exitCode: number;

  constructor(command: string, exitCode: number) {
    super(`${command} failed with exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

export function createCommandLine(exchangeUrl: string): CommandLine {
  const options = { cwd: PROJECT, env: demoEnvironment(exchangeUrl), extendEnv: false } as const;
  const answer = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await execa(EXECUTABLE, args, options);
    return stdout;
  };
  return {
    answer,
    async run(...args) {
      const command = ['bin/cdvault', ...args].join(' ');
      console.log(`$ ${wrapped(command)}`);
      const { exitCode = INTERRUPTED } = await execa(EXECUTABLE, args, {
        ...options,
        // stdout and stderr in one stream, so that lines keep their order in a pipe too.
        stdio: ['inherit', 1, 1],
        reject: false,
      });
      if (exitCode !== 0) throw new CommandFailed(command, exitCode);
    },
    async readonlyUrl() {
      const variables = await answer('env', '--json');
      const { QUESTDB_READONLY_PG_URL: url } = JSON.parse(variables) as Record<string, string>;
      if (url === undefined) throw new Error('cdvault env printed no read-only URL');
      return url;
    },
  };
}

/** Wrapped to 80 columns. */
function wrapped(command: string): string {
  return command.length < 78 ? command : command.replace(/ (?=--\S+ \S+$)/, ' \\\n    ');
}

/** The caller's environment without its cdvault settings; only the way to run services is kept. */
function demoEnvironment(exchangeUrl: string): Record<string, string> {
  const ours = new Set<string>(Object.values(SETTINGS).map(({ env }) => env));
  // Kept, because Java and the installation need them.
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
