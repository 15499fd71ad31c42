/**
 * What is odd about the way from one trade to the next although no id lies between them: a silence as
 * of a halted market, and raw trade ids that don't go on. Worth knowing, but no proof of anything:
 * verdicts go by aggregate ids alone.
 */

import { MINUTE_MS } from '../time/hour.ts';
import type { Neighbour } from './ledger.ts';

/** From one trade to the one with the next id. */
export interface Jump {
  readonly from: Neighbour;
  readonly to: Neighbour;
  /** Of a halt, its microseconds; of raw ids, how many were left out, negative when they overlap. */
  readonly size: number;
}

export interface Jumps {
  readonly count: number;
  readonly longest: Jump;
}

/** Shorter silences are never a halt: a busy symbol may pause for seconds, a quiet one for minutes. */
const HALT_US = 5 * MINUTE_MS * 1000;

/**
 * How many times longer than the mean spacing of its hour's other trades a silence must be. If trades
 * came independently, one in e^100 silences would be. Measured: the longest silence of the real day
 * (BTCUSDT 2024-01-01) is 6.0 s, 54 times its hour's mean; of 100,000 simulated hours of a symbol with
 * 10 independent trades an hour none is flagged, with 1 an hour 2 in 10,000.
 */
const HALT_SPACINGS = 100;

/**
 * Trades of one span of this length count as one, since the many fills of a sweep say nothing about
 * how often somebody trades. So the mean spacing is at least this, and its hundredfold HALT_US.
 * Measured on simulated symbols whose trades come in bursts of 30 within a second, 3 bursts an hour:
 * without this 22 of 100 hours would be called halted, with it 6 of 10,000 are.
 */
const BURST_US = HALT_US / HALT_SPACINGS;

/** What of a row is looked at: no whole trade, since a block of an archive file makes none. */
export interface SeenRow {
  readonly id: number;
  readonly timeUs: number;
  readonly firstId: number;
  readonly lastId: number;
  readonly isValid: boolean;
}

/** Watches the trades of one hour's run, and the one behind it, in id order. */
export class JumpWatch {
  /** Of the trade before; ids begin at 0. */
  #id = -2;
  #timeUs = 0;
  #lastRawId = 0;
  #isValid = false;
  /** The latest time so far: a time that runs backwards and forwards again is no silence. */
  #latestUs = 0;
  #firstUs = Infinity;
  #bursts = 0;
  #burst: number | undefined;
  /** No more than thirteen, all but the last one inside the hour. */
  readonly #silences: Jump[] = [];
  #rawIdGaps: Jumps | undefined;

  see({ id, timeUs, firstId, lastId, isValid }: SeenRow): void {
    if (id === this.#id + 1) {
      if (timeUs - this.#latestUs >= HALT_US) this.#noteSilence(id, timeUs);
      if (isValid && this.#isValid && firstId !== this.#lastRawId + 1)
        this.#noteRawIdGap(id, timeUs, firstId);
    }
    this.#id = id;
    this.#timeUs = timeUs;
    this.#lastRawId = lastId;
    this.#isValid = isValid;
    if (timeUs > this.#latestUs) this.#latestUs = timeUs;
    if (this.#firstUs === Infinity) this.#firstUs = timeUs;
    const burst = Math.floor(this.#latestUs / BURST_US);
    if (burst !== this.#burst) this.#bursts += 1;
    this.#burst = burst;
  }

  get rawIdGaps(): Jumps | undefined {
    return this.#rawIdGaps;
  }

  /**
   * The longest first: each is measured against what is left when the halts before it are taken away.
   * @param sinceUs time of the trade before the run: how long ago it was counts as a spacing too;
   *   undefined when it is not known, so that the run alone says how often somebody trades
   */
  haltsSince(sinceUs: number | undefined): Jumps | undefined {
    let halts: Jumps | undefined;
    let othersUs = this.#latestUs - (sinceUs ?? this.#firstUs);
    let otherSpacings = sinceUs === undefined ? this.#bursts - 1 : this.#bursts;
    for (const silence of this.#silences.toSorted((one, other) => other.size - one.size)) {
      othersUs -= silence.size;
      otherSpacings -= 1;
      if (otherSpacings < 1 || silence.size * otherSpacings < HALT_SPACINGS * othersUs) break;
      halts = withJump(halts, silence);
    }
    return halts;
  }

  #noteSilence(id: number, timeUs: number): void {
    const from = { id: this.#id, timeUs: this.#latestUs };
    this.#silences.push({ from, to: { id, timeUs }, size: timeUs - this.#latestUs });
  }

  #noteRawIdGap(id: number, timeUs: number, firstId: number): void {
    const from = { id: this.#id, timeUs: this.#timeUs };
    const jump = { from, to: { id, timeUs }, size: firstId - this.#lastRawId - 1 };
    this.#rawIdGaps = withJump(this.#rawIdGaps, jump);
  }
}

function withJump(jumps: Jumps | undefined, jump: Jump): Jumps {
  if (jumps === undefined) return { count: 1, longest: jump };
  const isLonger = Math.abs(jump.size) > Math.abs(jumps.longest.size);
  return { count: jumps.count + 1, longest: isLonger ? jump : jumps.longest };
}
