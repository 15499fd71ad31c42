import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PROJECT, syntheticArgument } from './story.ts';

export interface SimulatedExchange {
  readonly url: string;
  stop(): void;
}

/**
 * Runs in its own session: Ctrl-C must reach only the backfill, which still needs the exchange to finish
 * its hours. @throws Error when the exchange ends before it listens
 */
export async function startSimulatedExchange(): Promise<SimulatedExchange> {
  const script = join(PROJECT, 'test', 'exchange', 'main.ts');
  const child = spawn(process.execPath, [script, '--synthetic', syntheticArgument()], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = (): void => void child.kill('SIGTERM');
  process.once('exit', stop);
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the simulated exchange ended (${code})`)));
  });
  // Nobody awaits this after the exchange listens: its end must not be an unhandled rejection.
  failed.catch(() => undefined);
  return { url: await Promise.race([listening(child.stdout), failed]), stop };
}

async function listening(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const url = /listening on (\S+)/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('the simulated exchange printed no address');
}
