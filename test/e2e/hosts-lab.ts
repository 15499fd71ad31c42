import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import type { ErrorCode } from '../../src/domain/error-catalogue.ts';
import type { RequestEntry } from '../exchange/request-log.ts';
import { type CliProcess, type CliResult, cliEnv, startCli } from '../support/command-line.ts';
import type { HostName, HostNetwork } from '../support/host-network.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/** The line that a worker writes at the end of each run of a job, and other lines of its log. */
export interface LogLine {
  readonly level: number;
  readonly msg?: string;
  readonly kind?: string;
  readonly symbol?: string;
  readonly part?: string;
  readonly outcome?: string;
  readonly code?: ErrorCode;
}

/** Redis and QuestDB as the hosts reach them: this machine's address, where relays listen. */
export class HostsLab {
  readonly network: HostNetwork;
  readonly services: ServiceUrls;
  readonly #relays: readonly TcpProxy[];
  readonly #homes: string[] = [];
  readonly #commands: CliProcess[] = [];

  static async open(network: HostNetwork, services: ServiceUrls): Promise<HostsLab> {
    const relays: TcpProxy[] = [];
    const relayed = async (text: string): Promise<string> => {
      const url = new URL(text);
      const relay = await startTcpProxy(Number(url.port), url.hostname, network.here);
      relays.push(relay);
      url.host = `${network.here}:${relay.port}`;
      return url.href;
    };
    const urls = {
      how: services.how,
      redisUrl: await relayed(services.redisUrl),
      questdbHttpUrl: await relayed(services.questdbHttpUrl),
      questdbPgUrl: await relayed(services.questdbPgUrl),
      questdbReadonlyPgUrl: await relayed(services.questdbReadonlyPgUrl),
    };
    return new HostsLab(network, urls, relays);
  }

  private constructor(network: HostNetwork, services: ServiceUrls, relays: readonly TcpProxy[]) {
    this.network = network;
    this.services = services;
    this.#relays = relays;
  }

  /** A command on a host that has URLs, a name, and an empty home of its own. */
  start(
    host: HostName,
    args: readonly string[],
    of: { readonly exchangeUrl: string; readonly name: string } & Record<string, string>,
    onLine?: (line: string) => void,
  ): CliProcess {
    const { exchangeUrl, name, ...more } = of;
    const home = mkdtempSync(path.join(tmpdir(), `cdvault-host-${host}-`));
    this.#homes.push(home);
    const command = startCli(args, {
      env: cliEnv(this.services, exchangeUrl, name, { HOME: home, CDVAULT_HOME: home, ...more }),
      within: this.network.on(host),
      ...(onLine === undefined ? {} : { onLine }),
    });
    this.#commands.push(command);
    return command;
  }

  async close(): Promise<void> {
    for (const command of this.#commands) command.kill('SIGKILL');
    await Promise.all(this.#commands.map(async ({ done }) => done));
    await Promise.all(this.#relays.map(async (relay) => relay.close()));
    this.network.close();
    for (const home of this.#homes) rmSync(home, { recursive: true, force: true });
  }
}

export function logLines({ stderr }: Pick<CliResult, 'stderr'>): LogLine[] {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine);
}

/** The most weight that one address used in one window. */
export function mostWeight(
  entries: readonly RequestEntry[],
  windowMs: number,
): ReadonlyMap<string, number> {
  const most = new Map<string, number>();
  const used = new Map<string, number>();
  for (const { address, atMs, weight } of entries) {
    const key = `${address} ${Math.floor(atMs / windowMs)}`;
    const sum = (used.get(key) ?? 0) + weight;
    used.set(key, sum);
    most.set(address, Math.max(most.get(address) ?? 0, sum));
  }
  return most;
}
