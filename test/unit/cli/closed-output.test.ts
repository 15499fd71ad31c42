import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const MAIN = path.join(import.meta.dirname, '../../../src/cli/main.ts');

interface Ended {
  readonly exitCode: number;
  /** The output of the stream that stayed open. */
  readonly text: string;
}

/** Runs a command with one of its outputs closed by the reader. */
async function run(args: readonly string[], closed: 'stdout' | 'stderr'): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // No services are set, so that commands that need them fail before any request.
    env: { CDVAULT_SERVICES: 'environment' },
  });
  child[closed].destroy();
  let text = '';
  const open = closed === 'stdout' ? child.stderr : child.stdout;
  open.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [exitCode] = (await once(child, 'close')) as [number];
  return { exitCode, text };
}

const QUIET: Ended = { exitCode: 141, text: '' };

test('help into a closed output ends quietly', async () => {
  expect(await run(['--help'], 'stdout')).toEqual(QUIET);
});

describe('audit', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'cdvault-closed-'));
    for (const day of ['01', '02', '03'])
      writeFileSync(
        path.join(folder, `TESTUSDT-aggTrades-2024-03-${day}.csv`),
        `1${day},42000.1,0.001,1,1,17094${day}000000,True,True\n`,
      );
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([[], ['--json']])('results into a closed output end quietly %j', async (...more) => {
    expect(await run(['audit', folder, ...more], 'stdout')).toEqual(QUIET);
  });

  test('results into a full disk are an error', async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [MAIN, 'audit', folder], {
      stdio: ['ignore', full, 'pipe'],
    });
    let text = '';
    child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const [exitCode] = (await once(child, 'close')) as [number];
    expect(text).toMatch(/^error EXPORT_UNWRITABLE: standard output: ENOSPC/);
    expect(exitCode).toBe(7);
  });
});

test.each(['show', 'backfill'])('%s: an error into a closed stderr ends quietly', async (verb) => {
  expect(await run([verb, 'BTCUSDT', '--last', '1d'], 'stderr')).toEqual(QUIET);
});
