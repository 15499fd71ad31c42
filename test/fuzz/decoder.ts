import { isDeepStrictEqual } from 'node:util';
import { hashText, uniformSequence } from '../exchange/random.ts';
import { CdvaultError } from '../../src/domain/errors.ts';
import type { ErrorCode } from '../../src/domain/error-catalogue.ts';
import { mutated, type Random } from './mutations.ts';

/** What reads bytes of the network or of a disk. */
export interface Decoder {
  readonly name: string;
  /** Its code runs in a process that may end by its memory or time: neither is a finding. */
  readonly isApart?: boolean;
  /** Valid inputs, each of which must be accepted. */
  readonly samples: readonly Buffer[];
  /** The codes of its refusals. */
  readonly codes: readonly ErrorCode[];
  /** Makes an input in its own way; default: mutated(). */
  readonly make?: (samples: readonly Buffer[], random: Random) => Buffer;
  /** @throws CdvaultError to refuse the input */
  readonly decode: (bytes: Buffer, random: Random) => unknown;
  /**
   * Throws unless this is what a simple check, which shares no code with the decoder, makes of the input.
   * @param value what the decoder has accepted
   */
  readonly check: (bytes: Buffer, value: never) => void;
}

export type Outcome =
  | { readonly is: 'accepted' | 'refused' }
  | { readonly is: 'finding'; readonly why: string };

/** Far above what any input takes: none is larger than a few megabytes. */
const MOST_CPU_MS = 1_000;

/** The input of a number: the same on every machine and in every run. */
export function inputOf(decoder: Decoder, seed: number, index: number): [Buffer, Random] {
  // One generator an input, so that a run can go on anywhere.
  const random = uniformSequence(hashText(`${decoder.name} ${seed} ${index}`));
  return [(decoder.make ?? mutated)(decoder.samples, random), random];
}

export async function outcomeOf(decoder: Decoder, bytes: Buffer, random: Random): Promise<Outcome> {
  const before = process.cpuUsage();
  let value: unknown;
  try {
    value = await decoder.decode(bytes, random);
  } catch (error) {
    if (!(error instanceof CdvaultError)) return finding(`threw ${describe(error)}`);
    if (!decoder.codes.includes(error.code))
      return finding(`threw ${error.code}: ${error.message}`);
    return slowness(before) ?? { is: 'refused' };
  }
  try {
    decoder.check(bytes, value as never);
  } catch (error) {
    return finding(`accepted: ${describe(error)}`);
  }
  return slowness(before) ?? { is: 'accepted' };
}

function slowness(before: NodeJS.CpuUsage): Outcome | undefined {
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / 1000;
  return cpuMs > MOST_CPU_MS ? finding(`took ${Math.round(cpuMs)} ms of CPU`) : undefined;
}

function finding(why: string): Outcome {
  return { is: 'finding', why: why.slice(0, 400) };
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** @throws Error when an accepted value is not the expected one; undefined: nothing was to be accepted */
export function assertSame(value: unknown, expected: unknown): void {
  if (expected === undefined) throw new Error('it was to be refused');
  if (!isDeepStrictEqual(value, expected))
    throw new Error(`${text(value)} instead of ${text(expected)}`);
}

export function assert(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'bigint' ? `${each}n` : each,
  ).slice(0, 150);
}
