import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ArchiveHost } from '../../../src/adapters/archive/archive-host.ts';
import { NO_PROXIES } from '../../../src/adapters/system/proxies.ts';

/** A host whose answers never end. */
let server: Server;
let host: ArchiveHost;
let sentBytes = 0;

beforeAll(async () => {
  const piece = Buffer.alloc(256 * 1024, 'x');
  server = createServer((_, response) => {
    void (async () => {
      while (!response.closed && !response.destroyed) {
        sentBytes += piece.length;
        if (!response.write(piece)) await turn();
      }
    })();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  host = new ArchiveHost(`http://127.0.0.1:${port}`, NO_PROXIES);
});

afterAll(async () => {
  await host.close();
  server.closeAllConnections();
  server.close();
});

const signal = AbortSignal.timeout(20_000);

test.each([
  ['checksum', async () => host.text('data/spot/x.zip.CHECKSUM', signal)],
  ['listing', async () => host.listPage('data/spot/', '', signal)],
])('a %s without an end is refused, and no more of it is read', async (_, ask) => {
  const before = sentBytes;
  await expect(ask()).rejects.toMatchObject({
    code: 'ARCHIVE_UNREACHABLE',
    message: expect.stringContaining('has more than 4194304 bytes') as string,
  });
  // The rest is in buffers of the two sockets.
  expect(sentBytes - before).toBeLessThan(64 * 2 ** 20);
});
