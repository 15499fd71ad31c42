import { createHash } from 'node:crypto';
import path from 'node:path';
import { execa } from 'execa';
import { CdvaultError } from '../../domain/errors.ts';
import {
  obtainSecrets,
  QUESTDB_READER,
  QUESTDB_USER,
  readRemembered,
  readSecrets,
  rememberPorts,
  urlsFor,
} from './home.ts';
import { choosePort } from './ports.ts';
import { answers, probeQuestdb, probeRedis, waitUntilReady } from './probes.ts';
import { projectRoot } from './project-root.ts';
import type { ServicePorts, ServiceSecrets, ServicesOptions, ServiceUrls } from './types.ts';

const ENGINE_TIMEOUT_MS = 3_000;
const LOG_TAIL_LINES = '20';
const SERVICES = ['redis', 'questdb'];

async function succeeds(args: readonly string[], options: ServicesOptions): Promise<boolean> {
  const { failed } = await execa('docker', args, {
    env: { ...options.childEnv },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: ENGINE_TIMEOUT_MS,
    cancelSignal: options.signal,
  });
  options.signal.throwIfAborted();
  return !failed;
}

/** Whether the compose plugin is installed and the engine answers; a docker client alone is not enough. */
export async function hasContainerEngine(options: ServicesOptions): Promise<boolean> {
  return (
    (await succeeds(['compose', 'version'], options)) &&
    succeeds(['info', '--format', '{{.ServerVersion}}'], options)
  );
}

/** Each home has its own containers and volumes. */
function composeProject(homeDir: string): string {
  return `cdvault-${createHash('sha256').update(path.resolve(homeDir)).digest('hex').slice(0, 8)}`;
}

function composeEnvironment(ports: ServicePorts, secrets: ServiceSecrets): Record<string, string> {
  return {
    CDVAULT_REDIS_PORT: String(ports.redis),
    CDVAULT_QUESTDB_HTTP_PORT: String(ports.questdbHttp),
    CDVAULT_QUESTDB_HEALTH_PORT: String(ports.questdbHealth),
    CDVAULT_QUESTDB_PG_PORT: String(ports.questdbPg),
    CDVAULT_REDIS_PASSWORD: secrets.redis,
    CDVAULT_QUESTDB_USER: QUESTDB_USER,
    CDVAULT_QUESTDB_PASSWORD: secrets.questdb,
    CDVAULT_QUESTDB_READER: QUESTDB_READER,
    CDVAULT_QUESTDB_READER_PASSWORD: secrets.questdbReader,
  };
}

interface ComposeCall {
  readonly args: readonly string[];
  readonly ports: ServicePorts;
  readonly secrets: ServiceSecrets;
}

async function compose(call: ComposeCall, options: ServicesOptions): Promise<string> {
  const file = path.join(projectRoot, 'docker-compose.yml');
  const result = await execa(
    'docker',
    ['compose', '-p', composeProject(options.homeDir), '-f', file, ...call.args],
    {
      env: { ...options.childEnv, ...composeEnvironment(call.ports, call.secrets) },
      extendEnv: false,
      reject: false,
      all: true,
      stdin: 'ignore',
      cancelSignal: options.signal,
    },
  );
  options.signal.throwIfAborted();
  if (result.failed) {
    const tail = result.all.trim().split('\n').slice(-20).join('\n');
    throw new CdvaultError(
      'SERVICE_START_FAILED',
      `docker compose ${call.args.join(' ')} failed:\n${tail}`,
      {
        advice: 'See the output above. Set CDVAULT_SERVICES=native to run without containers.',
      },
    );
  }
  return result.all;
}

/** The URLs, if the containers of this home answer with this home's passwords. */
export async function findContainers(homeDir: string): Promise<ServiceUrls | undefined> {
  const ports = readRemembered(homeDir)?.containers;
  const secrets = readSecrets(homeDir);
  if (ports === undefined || secrets === undefined) return undefined;
  const urls = urlsFor('containers', ports, secrets);
  const up = await Promise.all([
    answers(async () => probeRedis(urls.redisUrl)),
    answers(async () => probeQuestdb(urls)),
  ]);
  return up.every(Boolean) ? urls : undefined;
}

async function choosePorts(): Promise<ServicePorts> {
  const taken: number[] = [];
  const next = async (): Promise<number> => {
    const port = await choosePort(taken);
    taken.push(port);
    return port;
  };
  return {
    redis: await next(),
    questdbHttp: await next(),
    questdbHealth: await next(),
    questdbPg: await next(),
  };
}

/** Starts the containers that do not run. The caller must hold the home's lock. */
export async function startContainers(options: ServicesOptions): Promise<ServiceUrls> {
  const secrets = obtainSecrets(options.homeDir);
  const ports = readRemembered(options.homeDir)?.containers ?? (await choosePorts());
  rememberPorts(options.homeDir, 'containers', ports);
  const urls = urlsFor('containers', ports, secrets);
  const call = { ports, secrets };
  options.say('starting Redis and QuestDB in containers (the first time pulls their images)');
  await compose({ ...call, args: ['up', '-d', '--wait', ...SERVICES] }, options);
  let tail = '';
  try {
    await waitUntilReady(
      {
        name: 'the containers',
        probe: async () => {
          await probeRedis(urls.redisUrl);
          await probeQuestdb(urls);
        },
        dead: () => undefined,
        logTail: () => tail,
        slowBecause: 'QuestDB is opening its tables',
      },
      options,
    );
  } catch (error) {
    options.signal.throwIfAborted();
    tail = await compose(
      { ...call, args: ['logs', '--tail', LOG_TAIL_LINES, ...SERVICES] },
      options,
    );
    throw new CdvaultError(
      'SERVICE_START_FAILED',
      `the containers run but do not answer:\n${tail}`,
      { cause: error },
    );
  }
  return urls;
}

/** Names of the services that were stopped. The volumes stay. */
export async function stopContainers(options: ServicesOptions): Promise<readonly string[]> {
  const ports = readRemembered(options.homeDir)?.containers;
  const secrets = readSecrets(options.homeDir);
  if (ports === undefined || secrets === undefined || !(await hasContainerEngine(options)))
    return [];
  const call = { ports, secrets };
  const running = await compose(
    { ...call, args: ['ps', '--services', '--status', 'running'] },
    options,
  );
  const names = SERVICES.filter((name) => running.split('\n').includes(name));
  options.say('stopping the containers');
  await compose({ ...call, args: ['down'] }, options);
  return names.map((name) => `${name} (container)`);
}
