import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PROJECT, syntheticArgument } from './story.ts';

export interface SimulatedExchange {
  readonly url: string;
  stop(): void;
}

/** In a session of its own: Ctrl-C is for the backfill, which must still finish its hours with an exchange. */
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
  // Its end is only of interest until it listens.
  failed.catch(() => undefined);
  return { url: await Promise.race([listening(child.stdout), failed]), stop };
}

async function listening(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const url = /listening on (\S+)/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('the simulated exchange said no address');
}
