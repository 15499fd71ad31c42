import { existsSync } from 'node:fs';
import { CdvaultError } from '../../domain/errors.ts';
import { systemClock } from '../system/clock.ts';
import type { NativeTools } from './native-tools.ts';
import { answers, waitUntilReady } from './probes.ts';
import { launchDetached, livePid, serverEnvironment, tailOf, terminate } from './processes.ts';
import type { Env, ServicePorts, ServiceSecrets, ServicesOptions, ServiceUrls } from './types.ts';

/** Time for QuestDB to commit and for Redis to sync its append-only file. */
const STOP_GRACE_MS = 30_000;
/** A process that runs but does not answer may be loading its data; after this time it counts as stuck. */
const STUCK_MS = 60_000;
const LOG_TAIL_LINES = 20;

/** The configuration of the two servers of one home. */
export interface NativeSet {
  readonly homeDir: string;
  readonly ports: ServicePorts;
  readonly secrets: ServiceSecrets;
  readonly tools: NativeTools;
  readonly urls: ServiceUrls;
}

export interface NativeService {
  readonly name: string;
  readonly dir: string;
  /** A part of its command line that no other process has in its own. */
  readonly mark: string;
  readonly pidFile: string;
  readonly logFile: string;
  readonly portNames: readonly (keyof ServicePorts)[];
  readonly slowBecause: string;
  /** Writes the configuration. */
  readonly prepare: () => void;
  readonly command: string;
  readonly args: readonly string[];
  /** Default: what a server gets of ours. */
  readonly env?: Env;
  readonly probe: () => Promise<void>;
}

/** Starts the service unless it answers; returns true if it was started. */
export async function bringUp(service: NativeService, options: ServicesOptions): Promise<boolean> {
  if (livePid(service.pidFile, service.mark) !== undefined) {
    const deadline = Date.now() + STUCK_MS;
    while (livePid(service.pidFile, service.mark) !== undefined && Date.now() < deadline) {
      if (await answers(service.probe)) return false;
      await systemClock.sleep(100, options.signal);
    }
    if (livePid(service.pidFile, service.mark) !== undefined) {
      options.say(`${service.name} runs but does not answer; restarting it`);
      await terminate(service.pidFile, service.mark, STOP_GRACE_MS, options.signal);
    }
  }
  const again = existsSync(service.pidFile) ? ' again with its existing data' : '';
  options.say(`starting ${service.name}${again} (log: ${service.logFile})`);
  service.prepare();
  const pid = await launchDetached({
    command: service.command,
    args: service.args,
    cwd: service.dir,
    env: service.env ?? serverEnvironment(options.childEnv),
    logFile: service.logFile,
    pidFile: service.pidFile,
  });
  await waitUntilReady(
    {
      name: service.name,
      probe: service.probe,
      dead: () =>
        livePid(service.pidFile, service.mark) === pid
          ? undefined
          : `it ended at once; the last lines of ${service.logFile}:`,
      logTail: () => tailOf(service.logFile, LOG_TAIL_LINES),
      slowBecause: service.slowBecause,
    },
    options,
  );
  return true;
}

/**
 * Stops the service; its data stays.
 * @returns its name, or undefined if it was not running
 * @throws CdvaultError INTERNAL when the process does not end
 */
export async function takeDown(
  service: Pick<NativeService, 'name' | 'pidFile' | 'mark'>,
  options: ServicesOptions,
): Promise<string | undefined> {
  const pid = livePid(service.pidFile, service.mark);
  if (pid === undefined) return undefined;
  options.say(`stopping ${service.name} (process ${pid})`);
  if (!(await terminate(service.pidFile, service.mark, STOP_GRACE_MS, options.signal))) {
    options.say(
      `${service.name} did not end in ${STOP_GRACE_MS / 1000} s and was killed; it recovers acknowledged data from its log`,
    );
  }
  if (livePid(service.pidFile, service.mark) !== undefined) {
    throw new CdvaultError('INTERNAL', `${service.name} (process ${pid}) cannot be stopped`);
  }
  return service.name;
}
