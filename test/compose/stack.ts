import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { execa } from 'execa';
import { choosePort } from '../../src/adapters/services/ports.ts';

/** Separates these containers from all others on the same engine. */
const PROJECT = 'cdvault-compose-test';
const ROOT = path.resolve(import.meta.dirname, '..', '..');
const FILES = ['docker-compose.yml', 'test/compose/exchange.yml'];

export interface Ended {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Ports {
  readonly redis: number;
  readonly questdbHttp: number;
  readonly questdbHealth: number;
  readonly questdbPg: number;
  readonly serve: number;
}

export interface Stack {
  /** Ports on this machine's loopback. */
  readonly ports: Ports;
  readonly redisUrl: string;
  readonly readonlyPgUrl: string;
  readonly servePassword: string;
  /** Runs `docker compose …` on this stack. @returns standard output @throws Error with its output when it fails */
  compose(...args: readonly string[]): Promise<string>;
  /** Runs a command of cdvault in a new container. */
  cdvault(...args: readonly string[]): Promise<Ended>;
  /** The containers of a service, including those that have ended. */
  containers(service: string): Promise<readonly string[]>;
  /** Runs `docker inspect --format` for a container. */
  inspect(container: string, format: string): Promise<string>;
  /** Removes all containers and their data. */
  down(): Promise<void>;
}

/** The caller's environment with its engine, without its settings for cdvault. */
export function engineEnv(): Record<string, string> {
  const ours = /^(CDVAULT|BINANCE|REDIS|QUESTDB|COMPOSE)_|^(HTTPS?|NO)_PROXY$/;
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !ours.test(entry[0]),
    ),
  );
}

export async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await execa('docker', args, { env: engineEnv(), extendEnv: false });
  return stdout;
}

async function choosePorts(): Promise<Ports> {
  const ports: number[] = [];
  while (ports.length < 5) ports.push(await choosePort(ports));
  const [redis = 0, questdbHttp = 0, questdbHealth = 0, questdbPg = 0, serve = 0] = ports;
  return { redis, questdbHttp, questdbHealth, questdbPg, serve };
}

/**
 * Describes a stack; starts nothing.
 * @param image the image of cdvault
 * @param exchangeTrades trades of the simulated exchange, in the form of its `--synthetic`
 */
export async function createStack(image: string, exchangeTrades: string): Promise<Stack> {
  const ports = await choosePorts();
  const [redis, questdb, reader, serve] = Array.from({ length: 4 }, () =>
    randomBytes(16).toString('hex'),
  );
  const env = {
    ...engineEnv(),
    CDVAULT_IMAGE: image,
    CDVAULT_REDIS_PASSWORD: `${redis}`,
    CDVAULT_QUESTDB_PASSWORD: `${questdb}`,
    CDVAULT_QUESTDB_READER_PASSWORD: `${reader}`,
    CDVAULT_SERVE_PASSWORD: `${serve}`,
    CDVAULT_REDIS_PORT: String(ports.redis),
    CDVAULT_QUESTDB_HTTP_PORT: String(ports.questdbHttp),
    CDVAULT_QUESTDB_HEALTH_PORT: String(ports.questdbHealth),
    CDVAULT_QUESTDB_PG_PORT: String(ports.questdbPg),
    CDVAULT_SERVE_PORT: String(ports.serve),
    CDVAULT_WEIGHT_SHARE: '1',
    BINANCE_SPOT_URL: 'http://exchange:8080',
    EXCHANGE_TRADES: exchangeTrades,
  };
  // Without the checkout's .env, which belongs to the user.
  const before = ['compose', '--env-file', '/dev/null', '-p', PROJECT];
  const files = FILES.flatMap((file) => ['-f', file]);
  const run = (args: readonly string[], reject: boolean) =>
    execa('docker', [...before, ...files, ...args], {
      cwd: ROOT,
      env,
      extendEnv: false,
      reject,
      stdin: 'ignore',
    });
  const compose = async (...args: readonly string[]) => (await run(args, true)).stdout;
  return {
    ports,
    redisUrl: `redis://:${redis}@127.0.0.1:${ports.redis}/0`,
    readonlyPgUrl: `postgresql://reader:${reader}@127.0.0.1:${ports.questdbPg}/qdb`,
    servePassword: `${serve}`,
    compose,
    async cdvault(...args) {
      const { exitCode, stdout, stderr } = await run(
        ['run', '--rm', '-T', 'worker', ...args],
        false,
      );
      return { exitCode, stdout, stderr };
    },
    async containers(service) {
      const filters = [`project=${PROJECT}`, `service=${service}`, 'oneoff=False'];
      const ids = await docker(
        'ps',
        '--all',
        '--quiet',
        '--no-trunc',
        ...filters.map((filter) => `--filter=label=com.docker.compose.${filter}`),
      );
      return ids.split('\n').filter((id) => id !== '');
    },
    inspect: (container, format) => docker('inspect', '--format', format, container),
    down: async () =>
      void (await compose('--profile', '*', 'down', '--volumes', '--remove-orphans', '-t', '10')),
  };
}
