import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** `request`: held before the service gets it. `answer`: held after the service has done it, before the client gets it. */
export type Side = 'request' | 'answer';

export interface Hold {
  /** Settles when the bytes are held. */
  readonly reached: Promise<void>;
  /** Delivers them and all bytes that arrived after them. */
  release(): void;
}

export interface TcpProxy {
  readonly port: number;
  /** Drops all connections and refuses new ones, like a service that is down. */
  cut(): Promise<void>;
  /** Keeps connections open and delivers nothing, like a network that drops packets. */
  hang(): void;
  heal(): Promise<void>;
  /**
   * Holds the next request that contains `text`, or the answer to it. Only its connection is held; when its
   * client ends meanwhile, the held bytes are dropped.
   */
  hold(text: string, side: Side): Hold;
  close(): Promise<void>;
}

interface Trap {
  readonly text: Buffer;
  readonly side: Side;
  readonly spring: (gate: Gate) => void;
}

/** A proxy that can fail, between a client under test and a real service. */
export async function startTcpProxy(
  targetPort: number,
  targetHost = '127.0.0.1',
  listenOn = '127.0.0.1',
): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const traps = new Set<Trap>();
  let isHanging = false;
  const server = createServer((client) => {
    const upstream = connect(targetPort, targetHost);
    const gates = { request: new Gate(upstream), answer: new Gate(client) };
    const match = matcher(traps);
    let onAnswer = (): void => undefined;
    client.on('data', (chunk) => {
      if (isHanging) return;
      for (const { side, spring } of match(chunk)) {
        gates[side].shut();
        if (side === 'request') spring(gates.request);
        else onAnswer = () => spring(gates.answer);
      }
      gates.request.pass(chunk);
    });
    upstream.on('data', (chunk) => {
      if (isHanging) return;
      gates.answer.pass(chunk);
      onAnswer();
    });
    tieSockets(sockets, client, upstream);
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, listenOn, resolve);
    });
  const cut = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    cut,
    hang: () => {
      isHanging = true;
    },
    heal: async () => {
      isHanging = false;
      if (!server.listening) await listen(port);
    },
    hold: (text, side) => {
      const held = Promise.withResolvers<void>();
      let isReleased = false;
      let open = (): void => undefined;
      traps.add({
        text: Buffer.from(text),
        side,
        spring: (gate) => {
          open = () => gate.open();
          if (isReleased) open();
          held.resolve();
        },
      });
      return {
        reached: held.promise,
        release: () => {
          isReleased = true;
          open();
        },
      };
    },
    close: async () => {
      if (server.listening) await cut();
    },
  };
}

/** One direction of a connection. */
class Gate {
  readonly #to: Socket;
  #waiting: Buffer[] | undefined;

  constructor(to: Socket) {
    this.#to = to;
  }

  pass(chunk: Buffer): void {
    if (this.#waiting === undefined) this.#to.write(chunk);
    else this.#waiting.push(chunk);
  }

  shut(): void {
    this.#waiting ??= [];
  }

  open(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    if (!this.#to.destroyed) for (const chunk of waiting) this.#to.write(chunk);
  }
}

/** Finds the traps whose text occurs in a connection's bytes, also across two chunks; each trap springs once. */
function matcher(traps: Set<Trap>): (chunk: Buffer) => readonly Trap[] {
  let before = Buffer.alloc(0);
  return (chunk) => {
    const bytes = Buffer.concat([before, chunk]);
    const sprung = [...traps].filter(({ text }) =>
      bytes.includes(text, Math.max(0, before.length - text.length + 1)),
    );
    for (const trap of sprung) traps.delete(trap);
    before = Buffer.from(bytes.subarray(-LONGEST_TEXT));
    return sprung;
  };
}

const LONGEST_TEXT = 200;

/** The end of one ends the other; while they are open, they are among `sockets`. */
export function tieSockets(sockets: Set<Socket>, client: Socket, upstream: Socket): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    sockets.add(from);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  }
}
