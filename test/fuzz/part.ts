/**
 * A part of the inputs of one decoder, in a process of its own: DECODER SEED FROM COUNT SECONDS FILE. The number of
 * the input at hand is in the file, where the parent finds it when this process hangs or crashes.
 */

import { openSync, writeSync } from 'node:fs';
import { inputOf, outcomeOf } from './decoder.ts';
import { DECODERS } from './decoders.ts';

export interface PartResult {
  readonly done: number;
  readonly accepted: number;
  readonly findings: readonly { readonly index: number; readonly why: string }[];
  readonly peakBytes: number;
}

const [name, seed = '', from = '', count = '', seconds = '', file = ''] = process.argv.slice(2);
const MOST_FINDINGS = 20;

async function main(): Promise<void> {
  const decoder = DECODERS.find((each) => each.name === name);
  if (decoder === undefined) throw new Error(`there is no decoder ${name}`);
  const place = openSync(file, 'w');
  const endMs = performance.now() + Number(seconds) * 1_000;
  const findings: { index: number; why: string }[] = [];
  let [done, accepted] = [0, 0];
  // Number -1 - n is the valid sample n, which must be accepted.
  const first = Number(from) === 0 ? -decoder.samples.length : 0;
  for (let at = first; at < Number(count); at += 1) {
    const index = Number(from) + at;
    if (index >= 0) writeSync(place, `${index}`.padEnd(12), 0);
    const [bytes, random] = inputOf(decoder, Number(seed), index);
    const sample = index < 0 ? decoder.samples[-1 - index] : undefined;
    const outcome = await outcomeOf(decoder, sample ?? bytes, random);
    if (outcome.is === 'accepted') accepted += 1;
    if (outcome.is === 'finding') findings.push({ index, why: outcome.why });
    if (outcome.is === 'refused' && index < 0)
      findings.push({ index, why: 'a valid sample was refused' });
    if (index >= 0) done += 1;
    if (findings.length >= MOST_FINDINGS || performance.now() > endMs) break;
  }
  const peakBytes = process.resourceUsage().maxRSS * 1_024;
  const result: PartResult = { done, accepted, findings, peakBytes };
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
}

await main();
