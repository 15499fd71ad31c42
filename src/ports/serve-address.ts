export interface ServePlaces {
  /** Where it listens, as its own machine reaches it. */
  readonly own: string;
  /** Where browsers reach it: the same, or CDVAULT_SERVE_URL. */
  readonly url: string;
}

/** Where the running `serve` of this installation is, for the other commands. */
export interface ServeAddress {
  /**
   * Announces it until the signal aborts, then takes that back. A failure is logged and tried again.
   * When several `serve` run, the one that announced last is found.
   */
  announce(places: ServePlaces, signal: AbortSignal): Promise<void>;
  /**
   * @returns undefined when none is announced; a killed one is found for up to a minute
   * @throws CdvaultError REDIS_UNREACHABLE, REDIS_REFUSED
   */
  find(): Promise<ServePlaces | undefined>;
}
