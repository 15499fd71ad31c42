import { existsSync } from 'node:fs';
import path from 'node:path';
import { CdvaultError } from '../../domain/errors.ts';
import {
  findContainers,
  hasContainerEngine,
  startContainers,
  stopContainers,
} from './containers.ts';
import { placesOf, requireAnswers, urlsOfElsewhere } from './environment.ts';
import { makeHome, type OwnRung, readRemembered, readSecrets, urlsFor } from './home.ts';
import { withHomeLock } from './home-lock.ts';
import { backgroundServe } from './background-serve.ts';
import { findNative, startNative, stopNative } from './native.ts';
import { takeDown } from './native-service.ts';
import type { ServicesOptions, ServiceUrls, StopReport } from './types.ts';

const FIND = { containers: findContainers, native: findNative } as const;
const START = { containers: startContainers, native: startNative } as const;

/** The URLs from the environment, unless another rung is forced. */
function environmentUrls(options: ServicesOptions): ServiceUrls | undefined {
  if (options.rung === 'containers' || options.rung === 'native') return undefined;
  return urlsOfElsewhere(options, options.rung === 'environment');
}

/**
 * The rung of our own services that is forced, or else was used last. The rung used last has the data:
 * if its container engine is down today, cdvault must not start an empty set on another rung.
 */
function settledRung(options: ServicesOptions): OwnRung | undefined {
  if (options.rung === 'containers' || options.rung === 'native') return options.rung;
  return readRemembered(options.homeDir)?.how;
}

async function decideRung(options: ServicesOptions): Promise<OwnRung> {
  const settled = settledRung(options);
  if (settled === 'native') return settled;
  const engine = await hasContainerEngine(options);
  if (settled === 'containers' && !engine) {
    throw new CdvaultError(
      'SERVICES_MISSING',
      'the services of this home are containers, and no container engine answers',
      {
        advice:
          'Start the engine (docker info and docker compose version must work), or set CDVAULT_SERVICES=native to begin with an empty store.',
      },
    );
  }
  return engine ? 'containers' : 'native';
}

/** Processes that run in other folders get paths of the home, so they must be absolute. */
const absolute = (options: ServicesOptions): ServicesOptions => ({
  ...options,
  homeDir: path.resolve(options.homeDir),
});

const REASON: Readonly<Record<OwnRung, string>> = {
  containers: 'a container engine answers',
  native: 'no service URLs are set and no container engine with compose answers',
};

/**
 * Returns Redis and QuestDB, ready for use: from the environment, as containers, or as processes of this
 * machine, in that order. The choice is made once for each home. Safe to call from many processes at once.
 */
export async function ensureServices(given: ServicesOptions): Promise<ServiceUrls> {
  const options = absolute(given);
  const external = environmentUrls(options);
  if (external !== undefined) {
    await requireAnswers(external);
    return external;
  }
  const running = await findOwn(options);
  if (running !== undefined) return running;
  makeHome(options.homeDir);
  return withHomeLock(options, async () => {
    // The previous holder of the lock may have started them.
    const started = (await findOwn(options)) ?? (await startOwn(options));
    options.say(`services: ${started.how}, ready; ${placesOf(started)}`);
    return started;
  });
}

async function startOwn(options: ServicesOptions): Promise<ServiceUrls> {
  const known = settledRung(options) !== undefined;
  const rung = await decideRung(options);
  if (!known) options.say(`services: ${rung}, because ${REASON[rung]}`);
  return START[rung](options);
}

async function findOwn(options: ServicesOptions): Promise<ServiceUrls | undefined> {
  const rung = settledRung(options);
  return rung === undefined ? undefined : FIND[rung](options.homeDir);
}

/** The URLs of the services, if they are given or already run. Starts nothing. */
export async function findServices(given: ServicesOptions): Promise<ServiceUrls | undefined> {
  const options = absolute(given);
  return environmentUrls(options) ?? findOwn(options);
}

/** The URLs of the services, whether they run or not; undefined when this home never had any. Asks nobody. */
export function knownServices(given: ServicesOptions): ServiceUrls | undefined {
  const options = absolute(given);
  const elsewhere = environmentUrls(options);
  if (elsewhere !== undefined) return elsewhere;
  const how = settledRung(options);
  const ports = how === undefined ? undefined : readRemembered(options.homeDir)?.[how];
  const secrets = readSecrets(options.homeDir);
  if (how === undefined || ports === undefined || secrets === undefined) return undefined;
  return urlsFor(how, ports, secrets);
}

/**
 * Stops this home's own services, and its `serve` in the background, and waits until they are gone. Data
 * stays. Services from the environment are not stopped.
 */
export async function stopServices(given: ServicesOptions): Promise<StopReport> {
  const options = absolute(given);
  if (!existsSync(options.homeDir)) return { stopped: [] };
  return withHomeLock(options, async () => {
    const serve = await takeDown(backgroundServe(options.homeDir), options);
    const native = await stopNative(options);
    const containers = await stopContainers(options);
    return { stopped: [...(serve === undefined ? [] : [serve]), ...native, ...containers] };
  });
}
