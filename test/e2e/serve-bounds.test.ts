import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Served, startServe } from '../support/served.ts';
import { Rig } from './rig.ts';

let rig: Rig;
let served: Served;

beforeAll(async () => {
  rig = await Rig.start({});
  served = await startServe(rig);
});

afterAll(async () => rig.dispose());

/** The start of the answer to bytes that no client of ours would send. */
async function answerTo(bytes: string): Promise<string> {
  const { port, hostname } = new URL(served.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.write(bytes);
  return text(socket);
}

test('a request line or headers of more than 16 KB are refused before anything reads them', async () => {
  const long = 'x'.repeat(17 * 1024);
  for (const head of [`GET /${long} HTTP/1.1\r\n`, `GET / HTTP/1.1\r\nX: ${long}\r\n`])
    expect(await answerTo(`${head}Host: localhost\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
});

test('what is no HTTP is refused', async () => {
  for (const noise of ['\0\x01\x02\r\n\r\n', 'GET\r\n\r\n', '\x16\x03\x01\x02\0\x01\0\r\n\r\n'])
    expect(await answerTo(noise)).toMatch(/^HTTP\/1\.1 400 /);
});

test.each([['whole'], ['in pieces without a length']])(
  'a body of more than 64 KB is refused, %s',
  async (how) => {
    const body = 'x'.repeat(65 * 1024);
    const pieces = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(body));
        controller.close();
      },
    });
    const { status } = await served.ask('/board/api/queues/slice/pause', {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      ...(how === 'whole' ? { body } : { body: pieces, duplex: 'half' as const }),
    });
    expect(status).toBe(413);
  },
);

test('it still answers', async () => {
  expect((await served.ask('/healthz')).status).toBe(200);
});
