import { performance } from 'node:perf_hooks';

export interface WeightWindow {
  readonly interval: 'SECOND' | 'MINUTE';
  readonly intervalNum: number;
}

export interface WeightOptions {
  readonly limit: number;
  readonly window: WeightWindow;
  readonly enforced: boolean;
  readonly banSeconds: readonly number[];
  /** calls over the limit in one window that still get 429 before the ban */
  readonly toleratedOverLimit: number;
  /** a call this soon after the reply that forbids it counts as already on its way: no violation */
  readonly inFlightMs: number;
}

export interface Verdict {
  readonly kind: 'served' | 'limited' | 'banned';
  readonly retryAfterSeconds: number;
  /** the client had been told to wait */
  readonly violation?: 'during-ban' | 'during-back-off';
}

/**
 * A wait that a reply demanded, on two clocks: the exchange's decides how long it lasts, the machine's whether
 * the client could have known of it when it called.
 */
interface Notice {
  readonly untilMs: number;
  readonly saidAtMs: number;
}

/** The weight used by one address in windows aligned to the clock, and the refusals and bans that follow. */
export class WeightMeter {
  readonly #options: WeightOptions;
  #windowIndex = 0;
  #used = 0;
  #callsOverLimit = 0;
  #bans = 0;
  #banUntilMs = 0;
  #banNotice: Notice | undefined;
  #backOffNotice: Notice | undefined;

  constructor(options: WeightOptions) {
    this.#options = options;
  }

  get windowMs(): number {
    const { interval, intervalNum } = this.#options.window;
    return intervalNum * (interval === 'SECOND' ? 1000 : 60_000);
  }

  /** `1M`, `10S`: the suffix of the header. */
  get windowName(): string {
    return `${this.#options.window.intervalNum}${this.#options.window.interval.charAt(0)}`;
  }

  get limitText(): string {
    const { interval, intervalNum } = this.#options.window;
    return `${this.#options.limit} request weight per ${intervalNum} ${interval}`;
  }

  get banUntilMs(): number {
    return this.#banUntilMs;
  }

  used(nowMs: number): number {
    this.#roll(nowMs);
    return this.#used;
  }

  add(weight: number, nowMs: number): void {
    this.#roll(nowMs);
    this.#used += weight;
  }

  ban(seconds: number, nowMs: number): void {
    this.#banUntilMs = Math.max(this.#banUntilMs, nowMs + seconds * 1000);
  }

  pardon(): void {
    this.#banUntilMs = 0;
  }

  /** Records that a reply told the client to wait. */
  tellBackOff(seconds: number, nowMs: number): void {
    this.#backOffNotice = { untilMs: nowMs + seconds * 1000, saidAtMs: performance.now() };
  }

  admit(weight: number, nowMs: number): Verdict {
    if (nowMs < this.#banUntilMs) return this.#refuseBanned(nowMs);
    this.#banNotice = undefined;
    const violation = this.#ignored(this.#backOffNotice, nowMs)
      ? { violation: 'during-back-off' as const }
      : {};
    this.add(weight, nowMs);
    if (!this.#options.enforced || this.#used <= this.#options.limit)
      return { kind: 'served', retryAfterSeconds: 0, ...violation };
    this.#callsOverLimit++;
    if (this.#callsOverLimit > this.#options.toleratedOverLimit + 1) {
      this.#banUntilMs = nowMs + this.#nextBanSeconds() * 1000;
      this.#bans++;
      return { ...this.#sayBanned(nowMs), ...violation };
    }
    const retryAfterSeconds = Math.ceil((this.windowMs - (nowMs % this.windowMs)) / 1000);
    if (this.#backOffNotice === undefined || nowMs >= this.#backOffNotice.untilMs)
      this.tellBackOff(retryAfterSeconds, nowMs);
    return { kind: 'limited', retryAfterSeconds, ...violation };
  }

  #refuseBanned(nowMs: number): Verdict {
    const knew = this.#ignored(this.#banNotice, nowMs);
    // Each call of a client that knows of the ban restarts it, with the length of the next ban.
    if (knew) this.#banUntilMs = Math.max(this.#banUntilMs, nowMs + this.#nextBanSeconds() * 1000);
    return { ...this.#sayBanned(nowMs), ...(knew ? { violation: 'during-ban' as const } : {}) };
  }

  #sayBanned(nowMs: number): Verdict {
    this.#banNotice = {
      untilMs: this.#banUntilMs,
      saidAtMs: this.#banNotice?.saidAtMs ?? performance.now(),
    };
    return { kind: 'banned', retryAfterSeconds: Math.ceil((this.#banUntilMs - nowMs) / 1000) };
  }

  #ignored(notice: Notice | undefined, nowMs: number): boolean {
    return (
      notice !== undefined &&
      nowMs < notice.untilMs &&
      performance.now() - notice.saidAtMs > this.#options.inFlightMs
    );
  }

  #nextBanSeconds(): number {
    const { banSeconds } = this.#options;
    return banSeconds[Math.min(this.#bans, banSeconds.length - 1)] ?? 120;
  }

  #roll(nowMs: number): void {
    const index = Math.floor(nowMs / this.windowMs);
    if (index === this.#windowIndex) return;
    this.#windowIndex = index;
    this.#used = 0;
    this.#callsOverLimit = 0;
  }
}
