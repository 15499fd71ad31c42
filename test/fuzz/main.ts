/**
 * Feeds damaged inputs to every decoder and prints a table. Its state is in a file: the next run goes on where this
 * one ended, with other inputs. A new file begins with another seed; `--seed` chooses it.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import pLimit from 'p-limit';
import { z } from 'zod';
import { DECODERS } from './decoders.ts';
import { runPart } from './run-part.ts';

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    minutes: { type: 'string', default: '100' },
    state: { type: 'string', default: '.cdvault/fuzz/state.json' },
    seed: { type: 'string' },
    decoder: { type: 'string' },
    parallel: { type: 'string', default: '2' },
  },
});

const stateSchema = z.object({
  seed: z.number(),
  decoders: z.record(
    z.string(),
    z.object({
      done: z.number(),
      accepted: z.number(),
      seconds: z.number(),
      peakBytes: z.number(),
      findings: z.array(z.object({ index: z.number(), why: z.string() })),
    }),
  ),
});

type State = z.infer<typeof stateSchema>;

/** Between two notes of the state. */
const PART_SECONDS = 60;

const file = path.resolve(values.state);
mkdirSync(path.dirname(file), { recursive: true });
const state = readState();
const endMs = performance.now() + Number(values.minutes) * 60_000;
const limit = pLimit(Number(values.parallel));

function readState(): State {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
    return { seed, decoders: {} };
  }
}

async function feed(name: string): Promise<void> {
  const of = (state.decoders[name] ??= {
    done: 0,
    accepted: 0,
    seconds: 0,
    peakBytes: 0,
    findings: [],
  });
  const most = Number(values.inputs);
  while (of.done < most && performance.now() < endMs) {
    const startedMs = performance.now();
    const seconds = Math.min(PART_SECONDS, (endMs - startedMs) / 1_000);
    const part = await runPart({
      name,
      isApart: DECODERS.some((each) => each.name === name && each.isApart === true),
      seed: state.seed,
      from: of.done,
      count: most - of.done,
      seconds,
      placeFile: `${file}.${DECODERS.findIndex((each) => each.name === name)}`,
    });
    of.done += part.done;
    of.accepted += part.accepted;
    of.seconds += (performance.now() - startedMs) / 1_000;
    of.peakBytes = Math.max(of.peakBytes, part.peakBytes);
    of.findings.push(...part.findings);
    writeFileSync(file, JSON.stringify(state, undefined, 1));
  }
}

const names = DECODERS.map(({ name }) => name).filter(
  (name) => values.decoder === undefined || name === values.decoder,
);
await Promise.all(names.map((name) => limit(() => feed(name))));

console.log(`seed ${state.seed}`);
console.log('| Decoder | Inputs | Accepted | Seconds | Peak MB | Findings |');
console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
for (const name of names) {
  const of = state.decoders[name];
  if (of === undefined) continue;
  const cells = [of.done, of.accepted, Math.round(of.seconds), Math.round(of.peakBytes / 1e6)];
  console.log(`| ${[name, ...cells, of.findings.length].join(' | ')} |`);
}
for (const name of names)
  for (const { index, why } of state.decoders[name]?.findings ?? [])
    console.log(`${name}, input ${index}: ${why}`);
const isClean = names.every((name) => state.decoders[name]?.findings.length === 0);
process.exit(isClean ? 0 : 1);
