import { CdvaultError } from '../../domain/errors.ts';
import type { TradeSource } from '../../ports/trade-source.ts';

/** The exchange as it looks to those who may ask it for trades only sometimes. */
export interface DaySource extends TradeSource {
  /** Whether it has said that it does not know the symbol. */
  readonly isForgotten: boolean;
  /** @returns `otherwise` where the exchange says that it does not know the symbol */
  unlessUnknown<T>(asked: Promise<T>, otherwise: T): Promise<T>;
}

/**
 * The exchange as it looks to somebody who asks it for no trades: what only its word could prove stays
 * unproven. It is not said to have ended anything either.
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
 * The exchange until it says that it does not know the symbol: REST forgets what is no longer listed,
 * while its files stay. From then on it is as if it served nothing, so that files alone tell.
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
