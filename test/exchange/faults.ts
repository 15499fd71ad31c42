import type { FaultKind, FaultParameters } from './fault-kinds.ts';
import { hashText, uniformOf } from './random.ts';

/** All given conditions must hold. `request`, `everyNth` and `probability` count only requests that meet the others. */
export interface FaultCondition {
  readonly path?: string;
  readonly symbol?: string;
  /** `fromId` within these, both inclusive */
  readonly fromIdRange?: readonly [number, number];
  /** exchange time within [from, to) */
  readonly clockMs?: readonly [number, number];
  /** the n-th of them, from 1 */
  readonly request?: number;
  readonly everyNth?: number;
  /** seeded, so the same run gives the same faults */
  readonly probability?: number;
  /** at most this many times */
  readonly times?: number;
}

export interface Fault extends FaultParameters {
  readonly name: string;
  readonly when: FaultCondition;
  readonly kind: FaultKind;
}

/** The schedule of faults and how far it has run. */
export class FaultPlan {
  readonly #seed: number;
  readonly #faults: { readonly fault: Fault; readonly salt: number; seen: number; fired: number }[];

  constructor(faults: readonly Fault[], seed: number) {
    this.#seed = seed;
    this.#faults = faults.map((fault) => ({
      fault,
      salt: hashText(fault.name),
      seen: 0,
      fired: 0,
    }));
  }

  /** The first fault that is due. Every fault counts every request that its path, symbol, ids and clock match. */
  match(url: URL, nowMs: number): Fault | undefined {
    let due: Fault | undefined;
    for (const state of this.#faults) {
      const { when } = state.fault;
      if (!addressed(when, url, nowMs)) continue;
      state.seen++;
      if (due !== undefined || (when.times !== undefined && state.fired >= when.times)) continue;
      if (when.request !== undefined && when.request !== state.seen) continue;
      if (when.everyNth !== undefined && state.seen % when.everyNth !== 0) continue;
      if (
        when.probability !== undefined &&
        uniformOf(this.#seed, state.salt, state.seen) >= when.probability
      )
        continue;
      state.fired++;
      due = state.fault;
    }
    return due;
  }
}

function addressed(when: FaultCondition, url: URL, nowMs: number): boolean {
  if (when.path !== undefined && when.path !== url.pathname) return false;
  if (when.symbol !== undefined && when.symbol !== url.searchParams.get('symbol')) return false;
  if (when.clockMs !== undefined && !(nowMs >= when.clockMs[0] && nowMs < when.clockMs[1]))
    return false;
  if (when.fromIdRange === undefined) return true;
  const fromId = url.searchParams.get('fromId');
  return (
    fromId !== null &&
    Number(fromId) >= when.fromIdRange[0] &&
    Number(fromId) <= when.fromIdRange[1]
  );
}
