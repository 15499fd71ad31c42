/** A calendar that runs fast, the same in every process of a soak. */
export interface FastClock {
  /** Its time when the machine's was `realStartMs`. */
  readonly startMs: number;
  readonly realStartMs: number;
  /** A whole number, so that times stay whole milliseconds. */
  readonly speed: number;
}

export function fastNowMs({ startMs, realStartMs, speed }: FastClock, realNowMs: number): number {
  return startMs + (realNowMs - realStartMs) * speed;
}

/** The environment that gives a program this clock. */
export function clockEnv(clock: FastClock): Record<string, string> {
  const preload = new URL('fast-clock.ts', import.meta.url).href;
  return { NODE_OPTIONS: `--import=${preload}`, SOAK_CLOCK: JSON.stringify(clock) };
}
