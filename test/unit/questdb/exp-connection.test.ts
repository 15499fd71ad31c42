import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ExpConnection } from '../../../src/adapters/questdb/exp-connection.ts';
import { systemClock } from '../../../src/adapters/system/clock.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** @param answer called with the number of the request, from 0 on */
async function connectionTo(
  answer: (response: ServerResponse, request: number) => void,
): Promise<{ readonly connection: ExpConnection; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(response, asked.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const connection = new ExpConnection(`http://user:secret@127.0.0.1:${port}`, systemClock);
  closers.push(async () => {
    await connection.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { connection, asked };
}

async function textOf(
  connection: ExpConnection,
  signal = new AbortController().signal,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of connection.read('SELECT 1', { fmt: 'parquet' }, signal))
    pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

test('an answer that the server refuses for lack of a place is asked for again', async () => {
  const { connection, asked } = await connectionTo((response, request) => {
    response.writeHead(request < 2 ? 429 : 200).end(request < 2 ? 'busy' : 'rows');
  });
  expect(await textOf(connection)).toBe('rows');
  expect(asked).toEqual(Array.from({ length: 3 }, () => '/exp?query=SELECT+1&fmt=parquet'));
});

test.each([
  [400, 'STORE_REFUSED'],
  [401, 'STORE_REFUSED'],
  [500, 'STORE_UNREACHABLE'],
])('status %i is the error %s, with the words of the server', async (status, code) => {
  const { connection } = await connectionTo((response) => {
    response.writeHead(status).end('table does not exist');
  });
  await expect(textOf(connection)).rejects.toMatchObject({
    code,
    message: expect.stringContaining('table does not exist'),
  });
});

test('an answer that ends in the middle is an error, never fewer rows', async () => {
  const { connection } = await connectionTo((response) => {
    response.writeHead(200).write('half', () => response.destroy());
  });
  await expect(textOf(connection)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
});

test('a server that is not there is unreachable', async () => {
  const connection = new ExpConnection('http://127.0.0.1:1', systemClock);
  await expect(textOf(connection)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
  await connection.close();
});

test('an aborted wait throws the reason of the signal', async () => {
  const { connection } = await connectionTo((response) => {
    response.writeHead(429).end();
  });
  const controller = new AbortController();
  const reading = textOf(connection, controller.signal);
  controller.abort(new Error('enough'));
  await expect(reading).rejects.toThrow('enough');
});

test('at most two answers are read at a time; one that is given up makes room', async () => {
  const { connection, asked } = await connectionTo((response) => {
    response.writeHead(200).write('first');
  });
  const { signal } = new AbortController();
  const readers = [0, 1, 2].map(() => connection.read('SELECT 1', {}, signal));
  const [first, second] = readers.slice(0, 2).map(async (reader) => reader.next());
  await Promise.all([first, second]);
  const third = readers[2]?.next();
  await systemClock.sleep(50, signal);
  expect(asked).toHaveLength(2);
  await readers[0]?.return(undefined);
  expect((await third)?.value).toEqual(Buffer.from('first'));
  for (const reader of readers) await reader.return(undefined);
});
