import { obtainSecrets, readRemembered, readSecrets, rememberPorts, urlsFor } from './home.ts';
import { nativeQuestdb } from './native-questdb.ts';
import { nativeRedis } from './native-redis.ts';
import { bringUp, takeDown, type NativeService, type NativeSet } from './native-service.ts';
import { obtainTools, type NativeTools } from './native-tools.ts';
import { choosePort, isFree } from './ports.ts';
import { answers } from './probes.ts';
import { letGo, livePid } from './processes.ts';
import type { ServicePorts, ServicesOptions, ServiceUrls } from './types.ts';

/** Placeholder: the tools are needed only to start services, not to find or stop them. */
const NO_TOOLS: NativeTools = { redisServer: '', java: '', javaMajor: 0, questdbJar: '' };
const NO_PORTS: ServicePorts = { redis: 0, questdbHttp: 0, questdbHealth: 0, questdbPg: 0 };

function servicesOf(set: NativeSet): readonly NativeService[] {
  return [nativeRedis(set), nativeQuestdb(set)];
}

function setOf(homeDir: string, ports: ServicePorts, tools: NativeTools): NativeSet | undefined {
  const secrets = readSecrets(homeDir);
  return secrets === undefined
    ? undefined
    : { homeDir, ports, secrets, tools, urls: urlsFor('native', ports, secrets) };
}

/** The URLs, if both servers of this home answer with this home's passwords. */
export async function findNative(homeDir: string): Promise<ServiceUrls | undefined> {
  const ports = readRemembered(homeDir)?.native;
  const set = ports === undefined ? undefined : setOf(homeDir, ports, NO_TOOLS);
  if (set === undefined) return undefined;
  const all = await Promise.all(servicesOf(set).map(async (service) => answers(service.probe)));
  return all.every(Boolean) ? set.urls : undefined;
}

/** QuestDB as a process of this home: its id, undefined while it does not run, and the folder of its data. */
export function ownQuestdb(homeDir: string): {
  readonly pid: number | undefined;
  readonly dir: string;
} {
  const { pidFile, mark, dir } = nativeQuestdb(placeholder(homeDir));
  return { pid: livePid(pidFile, mark), dir };
}

/** The remembered ports; those that another program took while our service was down are replaced. */
async function settlePorts(options: ServicesOptions): Promise<ServicePorts> {
  const remembered = readRemembered(options.homeDir)?.native;
  const ports: Record<keyof ServicePorts, number> = { ...(remembered ?? NO_PORTS) };
  for (const service of servicesOf(placeholder(options.homeDir))) {
    const running = livePid(service.pidFile, service.mark) !== undefined;
    // Its port is unknown (services.json was deleted), and two servers on one folder would corrupt it.
    if (running && remembered === undefined) await takeDown(service, options);
    if (running && remembered !== undefined) continue;
    await letGo(service.pidFile, service.mark, options.signal);
    for (const name of service.portNames) {
      const before = ports[name];
      if (before !== 0 && (await isFree(before))) continue;
      ports[name] = await choosePort(Object.values(ports));
      if (before !== 0)
        options.say(
          `port ${before} is used by another program; ${service.name} moves to ${ports[name]}`,
        );
    }
  }
  rememberPorts(options.homeDir, 'native', ports);
  return ports;
}

/** For file names only: recognizing our own processes needs no passwords. */
function placeholder(homeDir: string): NativeSet {
  const secrets = { redis: '', questdb: '', questdbReader: '' };
  return {
    homeDir,
    ports: NO_PORTS,
    secrets,
    tools: NO_TOOLS,
    urls: urlsFor('native', NO_PORTS, secrets),
  };
}

/** Starts the servers that do not answer. The caller must hold the home's lock. */
export async function startNative(options: ServicesOptions): Promise<ServiceUrls> {
  const tools = await obtainTools(options);
  const secrets = obtainSecrets(options.homeDir);
  const ports = await settlePorts(options);
  const urls = urlsFor('native', ports, secrets);
  const set: NativeSet = { homeDir: options.homeDir, ports, secrets, tools, urls };
  const outcomes = await Promise.allSettled(
    servicesOf(set).map(async (service) => bringUp(service, options)),
  );
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
  return urls;
}

/** Stops both servers; returns the names of those that were running. */
export async function stopNative(options: ServicesOptions): Promise<readonly string[]> {
  const names = await Promise.all(
    servicesOf(placeholder(options.homeDir)).map(async (service) => takeDown(service, options)),
  );
  return names.filter((name) => name !== undefined);
}
