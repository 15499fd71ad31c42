/** Tokens of links that open `serve` without its password: each works once, within ten minutes. */
export interface LoginLinks {
  /** @throws CdvaultError REDIS_UNREACHABLE, REDIS_REFUSED */
  create(): Promise<string>;
  /**
   * Uses the token up.
   * @returns false when it was used before, is too old or was never created
   * @throws CdvaultError REDIS_UNREACHABLE, REDIS_REFUSED
   */
  redeem(token: string): Promise<boolean>;
}
