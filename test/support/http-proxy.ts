import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface HttpProxy {
  readonly url: string;
  /** `GET host:port` for forwarded requests, `CONNECT host:port` for tunnels. */
  readonly asked: readonly string[];
  /** The first bytes of each tunnel. */
  readonly tunnelled: readonly Buffer[];
  close(): Promise<void>;
}

/**
 * Starts a small forward proxy.
 * @param hosts the names that it knows and their targets, `host:port` to `host:port`; it answers 502 to others
 */
export async function startHttpProxy(hosts: Readonly<Record<string, string>>): Promise<HttpProxy> {
  const asked: string[] = [];
  const tunnelled: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? '');
    const host = `${url.hostname}:${url.port || '80'}`;
    asked.push(`${incoming.method} ${host}`);
    const target = hosts[host];
    if (target === undefined) response.writeHead(502).end();
    else passOn(incoming, response, new URL(`${url.pathname}${url.search}`, `http://${target}`));
  });
  server.on('connect', (incoming: IncomingMessage, client: Socket) => {
    const host = incoming.url ?? '';
    asked.push(`CONNECT ${host}`);
    sockets.add(client);
    client.on('error', () => undefined);
    const target = hosts[host];
    if (target === undefined) {
      client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      return;
    }
    const { hostname, port } = new URL(`http://${target}`);
    const upstream = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      client.once('data', (chunk: Buffer) => tunnelled.push(chunk));
      client.pipe(upstream).pipe(client);
    });
    // A killed client leaves it open.
    sockets.add(upstream);
    upstream.on('error', () => client.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    tunnelled,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function passOn(incoming: IncomingMessage, response: ServerResponse, target: URL): void {
  const { method = 'GET', headers } = incoming;
  const outgoing = request(target, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.on('error', () => response.destroy());
  incoming.pipe(outgoing);
}
