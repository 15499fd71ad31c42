import { rmSync } from 'node:fs';
import path from 'node:path';
import { CdvaultError } from '../../domain/errors.ts';
import { makeHome } from './home.ts';
import { withHomeLock } from './home-lock.ts';
import { bringUp, type NativeService } from './native-service.ts';
import { probeServe } from './probes.ts';
import { livePid } from './processes.ts';
import type { Env, ServicesOptions } from './types.ts';

/** TypeScript in a checkout, JavaScript in the package: as this file is. */
const MAIN = path.join(import.meta.dirname, `../../cli/main${path.extname(import.meta.filename)}`);

/** The `serve` of a home that runs in the background. */
export function backgroundServe(
  homeDir: string,
): Pick<NativeService, 'name' | 'mark' | 'pidFile' | 'logFile'> {
  const dir = path.join(homeDir, 'serve');
  return {
    name: 'serve',
    mark: `cdvault serve of ${homeDir}`,
    pidFile: path.join(dir, 'serve.pid'),
    logFile: path.join(dir, 'serve.log'),
  };
}

export interface ServeLaunch {
  /** Of `cdvault serve`. */
  readonly args: readonly string[];
  readonly env: Env;
  /** Where the running `serve` listens, as it has announced. */
  readonly findUrl: () => Promise<string | undefined>;
}

/**
 * Starts `serve` as a process that outlives this one, unless one of this installation answers.
 * @returns its URL
 * @throws CdvaultError SERVICE_START_FAILED with the end of its log
 */
export async function startBackgroundServe(
  given: ServicesOptions,
  { args, env, findUrl }: ServeLaunch,
): Promise<{ readonly url: string; readonly started: boolean }> {
  const options = { ...given, homeDir: path.resolve(given.homeDir) };
  const probe = async (): Promise<string> => {
    const url = await findUrl();
    if (url === undefined) throw new CdvaultError('SERVE_NOT_RUNNING', 'no serve is announced');
    // A killed one stays announced for a while.
    await probeServe(url);
    return url;
  };
  makeHome(options.homeDir);
  return withHomeLock(options, async () => {
    const running = await probe().catch(() => undefined);
    if (running !== undefined) return { url: running, started: false };
    const serve = backgroundServe(options.homeDir);
    if (livePid(serve.pidFile, serve.mark) === undefined) rmSync(serve.pidFile, { force: true });
    await bringUp(
      {
        ...serve,
        // Relative paths of settings stay right.
        dir: process.cwd(),
        portNames: [],
        slowBecause: 'it bundles the chart page and announces its address',
        prepare: () => makeHome(path.dirname(serve.pidFile)),
        command: process.execPath,
        // The title names the home, so that `down` recognizes the process.
        args: [`--title=${serve.mark}`, MAIN, 'serve', ...args],
        env: { ...env, CDVAULT_HOME: options.homeDir },
        probe: async () => void (await probe()),
      },
      options,
    );
    return { url: await probe(), started: true };
  });
}
