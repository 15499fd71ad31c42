import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { CdvaultError } from '../../domain/errors.ts';

/**
 * Ports below the range from which systems take ports for outgoing connections: our ports stay free while
 * the services are down.
 */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const TRIES = 200;

export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}

/**
 * A free loopback port that is not in `taken`. It is chosen at random, so that two homes that start at
 * the same time get different ones.
 */
export async function choosePort(taken: readonly number[]): Promise<number> {
  for (let i = 0; i < TRIES; i += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (!taken.includes(port) && (await isFree(port))) return port;
  }
  throw new CdvaultError(
    'SERVICE_START_FAILED',
    `no free port between ${LOWEST} and ${HIGHEST} on 127.0.0.1`,
  );
}
