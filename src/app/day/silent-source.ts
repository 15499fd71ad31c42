import { CdvaultError } from '../../domain/errors.ts';
import type { TradeSource } from '../../ports/trade-source.ts';

/** A view of the exchange that may withhold requests for trades. */
export interface DaySource extends TradeSource {
  /** Whether the exchange has answered that it does not know the symbol. */
  readonly isForgotten: boolean;
  /** @returns `otherwise` if the exchange answers that it does not know the symbol */
  unlessUnknown<T>(asked: Promise<T>, otherwise: T): Promise<T>;
}

/**
 * A view of the exchange that never asks it for trades: what only the exchange could prove stays
 * unproven. It reports every symbol as trading, so that no symbol counts as ended.
 */
export function silentSource(source: TradeSource): DaySource {
  return {
    isForgotten: false,
    unlessUnknown: (asked) => asked,
    pageRows: source.pageRows,
    pageWeight: (market) => source.pageWeight(market),
    historyMs: () => 0,
    firstAtOrAfter: async () => undefined,
    page: async () => [],
    newest: async () => undefined,
    minuteKlines: async () => [],
    contractSize: async () => undefined,
    isListed: async () => true,
    isTrading: async () => true,
  };
}

/**
 * The exchange until it answers that it does not know the symbol: REST drops symbols that are no longer
 * listed, but their files remain. From then on it behaves as if it served no history, so that only files
 * are used.
 */
export function untilForgotten(source: TradeSource): DaySource {
  let isForgotten = false;
  async function unlessUnknown<T>(asked: Promise<T>, otherwise: T): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      if (!(error instanceof CdvaultError) || error.code !== 'UNKNOWN_SYMBOL') throw error;
      isForgotten = true;
      return otherwise;
    }
  }
  return {
    get isForgotten() {
      return isForgotten;
    },
    unlessUnknown,
    pageRows: source.pageRows,
    pageWeight: (market) => source.pageWeight(market),
    historyMs: (market) => (isForgotten ? 0 : source.historyMs(market)),
    firstAtOrAfter: (...asked) => source.firstAtOrAfter(...asked),
    page: (...asked) => unlessUnknown(source.page(...asked), []),
    newest: (...asked) => source.newest(...asked),
    minuteKlines: (...asked) => source.minuteKlines(...asked),
    contractSize: (...asked) => source.contractSize(...asked),
    isListed: (...asked) => source.isListed(...asked),
    isTrading: (...asked) => source.isTrading(...asked),
  };
}
