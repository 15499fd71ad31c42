import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DECODERS } from '../fuzz/decoders.ts';

/** `make fuzz` feeds a hundred times as many, with other seeds. */
const INPUTS = 10_000;
const SEED = 20_240_101;

interface Fed {
  readonly done: number;
  readonly accepted: number;
  readonly findings: readonly unknown[];
}

let folder: string;
let decoders: Readonly<Record<string, Fed>>;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cdvault-fuzz-'));
  const state = path.join(folder, 'state.json');
  const main = path.join(import.meta.dirname, '../fuzz/main.ts');
  const args = [main, '--inputs', String(INPUTS), '--seed', String(SEED), '--state', state];
  // It fails when there are findings, which the tests show.
  await promisify(execFile)(process.execPath, args).catch(() => undefined);
  ({ decoders } = JSON.parse(readFileSync(state, 'utf8')) as { decoders: typeof decoders });
}, 400_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(DECODERS.map(({ name }) => name))(
  'damaged inputs are refused with a code, or taken for what they are: %s',
  (name) => {
    expect(decoders[name]?.findings).toEqual([]);
    expect(decoders[name]?.done).toBe(INPUTS);
    // Or the inputs would be too broken to get anywhere.
    expect(decoders[name]?.accepted).toBeGreaterThan(INPUTS / 200);
  },
);
