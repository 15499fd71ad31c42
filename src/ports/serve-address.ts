/** The URL of the running `serve` of this installation, for the other commands. */
export interface ServeAddress {
  /**
   * Announces the URL until the signal aborts, then removes it. A failure is logged and tried again.
   * When several `serve` run, the one that announced last is found.
   */
  announce(url: string, signal: AbortSignal): Promise<void>;
  /**
   * @returns undefined when none is announced; the URL of a killed one is found for up to a minute
   * @throws CdvaultError REDIS_UNREACHABLE, REDIS_REFUSED
   */
  find(): Promise<string | undefined>;
}
