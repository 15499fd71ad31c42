/**
 * Oddities between two trades with consecutive ids: a silence that looks like a halted market, and raw
 * trade ids that are not consecutive. They are recorded for information. Verdicts depend on aggregate
 * ids alone.
 */

import { MINUTE_MS } from '../time/hour.ts';
import type { Neighbour } from './ledger.ts';

/** From one trade to the one with the next id. */
export interface Jump {
  readonly from: Neighbour;
  readonly to: Neighbour;
  /** For a halt: its length in µs. For raw ids: how many were skipped; negative when they overlap. */
  readonly size: number;
}

export interface Jumps {
  readonly count: number;
  readonly longest: Jump;
}

/** Shorter silences never count as a halt: a busy symbol may pause for seconds, a quiet one for minutes. */
const HALT_US = 5 * MINUTE_MS * 1000;

/**
 * How many times longer than the mean spacing of its hour's other trades a silence must be. If trades
 * were independent, one in e^100 silences would be that long. Measured: the longest silence of the real day
 * (BTCUSDT 2024-01-01) is 6.0 s, 54 times its hour's mean; of 100,000 simulated hours of a symbol with
 * 10 independent trades an hour none is flagged, with 1 an hour 2 in 10,000.
 */
const HALT_SPACINGS = 100;

/**
 * Trades within one span of this length count as one: the many fills of a sweep say nothing about how
 * often the symbol trades. The mean spacing is therefore at least this, and a hundred times it is HALT_US.
 * Measured on simulated symbols whose trades come in bursts of 30 within a second, 3 bursts an hour:
 * without this 22 of 100 hours would be called halted, with it 6 of 10,000 are.
 */
const BURST_US = HALT_US / HALT_SPACINGS;

/** Finds jumps between the trades of one hour's run and the trade after it, given in id order. */
export class JumpWatch {
  /** Id of the previous trade; initially one that no trade follows, since ids begin at 0. */
  #id = -2;
  #timeUs = 0;
  #lastRawId = 0;
  #isValid = false;
  /** The latest time so far: a time that runs backwards and then forwards is no silence. */
  #latestUs = 0;
  #firstUs = Infinity;
  #bursts = 0;
  #burst: number | undefined;
  /** At most thirteen, because all but the last one lie inside the hour. */
  readonly #silences: Jump[] = [];
  #rawIdGaps: Jumps | undefined;

  /** Takes numbers instead of a trade for speed: it is called for every row of an archive file. */
  // oxlint-disable-next-line max-params -- numbers: it is called for every row of a file, and makes no object
  see(aggId: number, timeUs: number, firstId: number, lastId: number, isValid: boolean): void {
    if (aggId === this.#id + 1) {
      if (timeUs - this.#latestUs >= HALT_US) this.#noteSilence(aggId, timeUs);
      if (isValid && this.#isValid && firstId !== this.#lastRawId + 1)
        this.#noteRawIdGap(aggId, timeUs, firstId);
    }
    this.#id = aggId;
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
   * Silences are checked longest first; each is compared with the mean spacing of what remains without it
   * and the longer ones.
   * @param sinceUs time of the trade before the run, whose distance counts as a spacing too; undefined
   *   when it is unknown, so that only the run's own spacings count
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
