import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';

/**
 * Three hosts on this machine, each a network namespace of its own. `a` and `b` reach the outside through one
 * router that translates addresses, so that they have one address there; `c` has its own.
 *
 *   this machine .1 ── .2 router .9 ── .10 a
 *                             .13 ── .14 b
 *   this machine .5 ── .6 c
 *
 * All packets stay on this machine: the addresses are those that RFC 2544 keeps for benchmarks.
 */
export type HostName = 'a' | 'b' | 'c';
type Place = HostName | 'router';

interface Link {
  readonly from: Place | 'here';
  readonly to: Place;
  /** Last part of the address at `from`; `to` has the next one. */
  readonly host: number;
}

const LINKS: readonly Link[] = [
  { from: 'here', to: 'router', host: 1 },
  { from: 'here', to: 'c', host: 5 },
  { from: 'router', to: 'a', host: 9 },
  { from: 'router', to: 'b', host: 13 },
];
const PLACES = ['router', 'a', 'b', 'c'] as const;
const PREFIX_BITS = 30;

function run(...[command = '', ...args]: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Why there can be no such hosts on this machine; undefined when there can. */
export function whyNoHosts(): string | undefined {
  const probe = `cdv${randomInt(1e6)}p`;
  try {
    run('nft', '--version');
    run('ip', 'netns', 'add', probe);
    run('ip', 'netns', 'del', probe);
    return undefined;
  } catch (error) {
    const [line = ''] = String(error instanceof Error ? error.message : error).split('\n');
    return `network namespaces need root, CAP_NET_ADMIN, iproute2 and nftables: ${line}`;
  }
}

export class HostNetwork {
  readonly #id = `cdv${randomInt(1e6)}`;
  readonly #subnet = `198.18.${randomInt(1, 255)}`;

  /** @throws Error when the machine does not allow it; see whyNoHosts */
  static open(): HostNetwork {
    const network = new HostNetwork();
    try {
      network.#build();
    } catch (error) {
      network.close();
      throw error;
    }
    return network;
  }

  /** The address of this machine, for all hosts. */
  get here(): string {
    return this.#address(1);
  }

  /** The address that this machine sees a host's connections come from. */
  egressOf(host: HostName): string {
    return this.#address(host === 'c' ? 6 : 2);
  }

  /** Runs the rest of the command line on the host. */
  on(host: Place): readonly string[] {
    return ['ip', 'netns', 'exec', `${this.#id}${host}`];
  }

  /** Takes the host's link down: packets are lost, and nobody is told. */
  cut(host: HostName): void {
    this.#setLink(host, 'down');
  }

  heal(host: HostName): void {
    this.#setLink(host, 'up');
  }

  close(): void {
    // The links end with their namespaces.
    for (const place of PLACES) {
      try {
        run('ip', 'netns', 'del', `${this.#id}${place}`);
      } catch {
        // It was never made.
      }
    }
  }

  #build(): void {
    for (const place of PLACES) {
      run('ip', 'netns', 'add', `${this.#id}${place}`);
      run(...this.on(place), 'ip', 'link', 'set', 'lo', 'up');
    }
    for (const link of LINKS) this.#connect(link);
    const inRouter = this.on('router');
    run(...inRouter, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
    const uplink = this.#portOf('router', 'here');
    run(
      ...inRouter,
      'nft',
      `add table ip nat
       add chain ip nat out { type nat hook postrouting priority 100; }
       add rule ip nat out oifname "${uplink}" masquerade`,
    );
  }

  #connect({ from, to, host }: Link): void {
    const [near, far] = [this.#portOf(from, to), this.#portOf(to, from)];
    run('ip', 'link', 'add', near, 'type', 'veth', 'peer', 'name', far);
    run('ip', 'link', 'set', far, 'netns', `${this.#id}${to}`);
    if (from !== 'here') run('ip', 'link', 'set', near, 'netns', `${this.#id}${from}`);
    const ends = [
      [from, near, host],
      [to, far, host + 1],
    ] as const;
    for (const [place, port, last] of ends) {
      const inPlace = place === 'here' ? [] : this.on(place);
      const address = `${this.#address(last)}/${PREFIX_BITS}`;
      run(...inPlace, 'ip', 'address', 'add', address, 'dev', port);
      run(...inPlace, 'ip', 'link', 'set', port, 'up');
    }
    run(...this.on(to), 'ip', 'route', 'add', 'default', 'via', this.#address(host));
  }

  #setLink(host: HostName, state: 'up' | 'down'): void {
    const from = host === 'c' ? 'here' : 'router';
    const inPlace = from === 'here' ? [] : this.on(from);
    run(...inPlace, 'ip', 'link', 'set', this.#portOf(from, host), state);
  }

  /** At most 15 letters, as Linux wants it. */
  #portOf(at: Place | 'here', towards: Place | 'here'): string {
    return `${this.#id}${at.charAt(0)}${towards.charAt(0)}`;
  }

  #address(last: number): string {
    return `${this.#subnet}.${last}`;
  }
}
