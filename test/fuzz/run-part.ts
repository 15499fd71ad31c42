import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { PartResult } from './part.ts';

export interface Part {
  readonly name: string;
  readonly seed: number;
  readonly from: number;
  readonly count: number;
  readonly seconds: number;
  /** Where the number of the input at hand is written. */
  readonly placeFile: string;
  /** Decoder.isApart. */
  readonly isApart: boolean;
}

/** No decoder needs more: what allocates as much as an input claims to have ends its process. */
const HEAP_MB = 256;
const MOST_BYTES = 700e6;

/** Two minutes at the same input: it hangs. On a busy machine a process of low priority may wait for half a minute. */
const LOOK_MS = 10_000;
const LOOKS = 12;

/** A process that hangs or crashes counts as one finding, and the part ends at its input. */
export async function runPart(part: Part): Promise<PartResult> {
  const { name, seed, from, count, seconds, placeFile } = part;
  const args = [name, seed, from, count, seconds, placeFile].map(String);
  const child = spawn(
    process.execPath,
    [`--max-old-space-size=${HEAP_MB}`, path.join(import.meta.dirname, 'part.ts'), ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const ended = new Promise<string>((resolve) => {
    child.once('close', (code, signal) => resolve(`ended with ${signal ?? code}`));
  });
  const texts = Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const watching = new AbortController();
  const hung = killIfHung(
    () => placeOf(placeFile),
    () => child.kill('SIGKILL'),
    watching.signal,
  );
  const how = await ended;
  watching.abort();
  const [out, errors] = await texts;
  if (how === 'ended with 0') return checked(JSON.parse(out) as PartResult);
  const index = placeOf(placeFile) ?? from;
  const isHung = await hung;
  const why = isHung ? 'hangs' : `${how}: ${errors.slice(0, 300)}`;
  const isFinding = !part.isApart || !(isHung || errors.includes('heap out of memory'));
  const findings = isFinding ? [{ index, why }] : [];
  return { done: index + 1 - from, accepted: 0, findings, peakBytes: 0 };
}

function checked(result: PartResult): PartResult {
  if (result.peakBytes < MOST_BYTES) return result;
  const why = `needed ${Math.round(result.peakBytes / 1e6)} MB`;
  return { ...result, findings: [...result.findings, { index: -1, why }] };
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const piece of stream) text += String(piece);
  return text;
}

function placeOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

async function killIfHung(
  place: () => number | undefined,
  kill: () => void,
  signal: AbortSignal,
): Promise<boolean> {
  let [before, same] = [place(), 0];
  try {
    for (;;) {
      await delay(LOOK_MS, undefined, { signal });
      const now = place();
      same = now === before ? same + 1 : 0;
      before = now;
      if (same < LOOKS) continue;
      kill();
      return true;
    }
  } catch {
    return false;
  }
}
