import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, createSecureContext, TLSSocket } from 'node:tls';
import type { Certificates } from './certificates.ts';
import { tieSockets } from './tcp-proxy.ts';

export interface TlsProxy {
  readonly port: number;
  /** Connections that came through a complete handshake. */
  readonly accepted: () => number;
  close(): Promise<void>;
}

/** What a client of PostgreSQL sends before it speaks TLS: its length, and a number that no version has. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/**
 * Ends TLS before a service that has none, as haproxy, nginx or stunnel would.
 * @param kind `postgresql`: TLS begins when the client asks for it
 */
export async function startTlsProxy(
  kind: 'tls' | 'postgresql',
  { pem }: Pick<Certificates, 'pem'>,
  targetPort: number,
): Promise<TlsProxy> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const join = (client: Socket) => {
    accepted += 1;
    const upstream = connect(targetPort, '127.0.0.1');
    tieSockets(sockets, client, upstream);
    client.pipe(upstream);
    upstream.pipe(client);
  };
  const asked = (plain: Socket) => {
    sockets.add(plain);
    plain.on('error', () => plain.destroy());
    plain.on('close', () => sockets.delete(plain));
    plain.once('data', (first) => {
      if (!first.equals(SSL_REQUEST)) return void plain.destroy();
      plain.write('S');
      const secured = new TLSSocket(plain, {
        isServer: true,
        secureContext: createSecureContext(pem),
      });
      secured.on('error', () => plain.destroy());
      secured.once('secure', () => join(secured));
      return undefined;
    });
  };
  const server = kind === 'tls' ? createTlsServer(pem, join) : createServer(asked);
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
