import { z } from 'zod';
import { CdvaultError } from '../../domain/errors.ts';

const INTERVAL_MS = { SECOND: 1_000, MINUTE: 60_000, HOUR: 3_600_000, DAY: 86_400_000 } as const;
const HEADER_INTERVAL_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** As the store has it. Small and large numbers would be written with an exponent. */
const DECIMAL = /^\d{1,20}(?:\.\d{1,8})?$/;

const exchangeInfo = z.object({
  rateLimits: z.array(
    z.object({
      rateLimitType: z.string(),
      interval: z.enum(['SECOND', 'MINUTE', 'HOUR', 'DAY']),
      intervalNum: z.int().positive(),
      limit: z.int().positive(),
    }),
  ),
});

const symbols = z.object({
  symbols: z.array(
    z.object({
      symbol: z.string(),
      status: z.string().optional(),
      contractStatus: z.string().optional(),
      contractSize: z.number().positive().optional(),
    }),
  ),
});

const time = z.object({ serverTime: z.int().positive() });

export interface RequestLimits {
  readonly weightLimit: number;
  readonly windowMs: number;
}

/**
 * The limit of request weight with the shortest window, to which the used-weight header belongs.
 * @throws CdvaultError EXCHANGE_BAD_BODY
 */
export function decodeLimits(body: unknown, request: string): RequestLimits {
  const parsed = exchangeInfo.safeParse(body);
  const limits = (parsed.data?.rateLimits ?? [])
    .filter((limit) => limit.rateLimitType === 'REQUEST_WEIGHT')
    .map((limit) => ({
      weightLimit: limit.limit,
      windowMs: limit.intervalNum * INTERVAL_MS[limit.interval],
    }))
    .sort((one, other) => one.windowMs - other.windowMs);
  const [shortest] = limits;
  if (shortest !== undefined) return shortest;
  throw new CdvaultError(
    'EXCHANGE_BAD_BODY',
    `${request}: no REQUEST_WEIGHT among its rateLimits`,
    { cause: parsed.error },
  );
}

export interface SymbolFacts {
  /** TRADING, HALT, BREAK, …; a halted symbol keeps its trades. */
  readonly status: string;
  /** COIN-M: value of one contract in quote currency, as decimal text. */
  readonly contractSize: string | undefined;
}

export type SymbolList = ReadonlyMap<string, SymbolFacts>;

/**
 * @param statusField field of the market's reply with a symbol's status
 * @throws CdvaultError EXCHANGE_BAD_BODY
 */
export function decodeSymbols(
  body: unknown,
  statusField: 'status' | 'contractStatus',
  request: string,
): SymbolList {
  const parsed = symbols.safeParse(body);
  if (!parsed.success)
    throw new CdvaultError('EXCHANGE_BAD_BODY', `${request}: no symbols`, { cause: parsed.error });
  const list = new Map<string, SymbolFacts>();
  for (const { symbol, contractSize, [statusField]: status } of parsed.data.symbols) {
    if (status === undefined)
      throw new CdvaultError('EXCHANGE_BAD_BODY', `${request}: ${symbol} has no ${statusField}`);
    const size = contractSize?.toString();
    if (size !== undefined && !DECIMAL.test(size))
      throw new CdvaultError(
        'EXCHANGE_BAD_BODY',
        `${request}: ${symbol} has a contractSize of ${size}`,
      );
    list.set(symbol, { status, contractSize: size });
  }
  return list;
}

/**
 * The exchange's clock, in epoch ms.
 * @throws CdvaultError EXCHANGE_BAD_BODY
 */
export function decodeServerTime(body: unknown, request: string): number {
  const parsed = time.safeParse(body);
  if (parsed.success) return parsed.data.serverTime;
  throw new CdvaultError('EXCHANGE_BAD_BODY', `${request}: no serverTime`, { cause: parsed.error });
}

/**
 * The used weight of the shortest window. Headers like `X-MBX-USED-WEIGHT-1M` have the window in their name.
 * Undefined when there is no such header (a firewall's page).
 */
export function usedWeight(headers: ReadonlyMap<string, string>): number | undefined {
  let used: number | undefined;
  let shortestMs = Infinity;
  for (const [name, value] of headers) {
    const [, count, letter] = /^x-mbx-used-weight-(\d+)([smhd])$/.exec(name) ?? [];
    if (count === undefined || letter === undefined || !/^\d+$/.test(value)) continue;
    const windowMs = Number(count) * HEADER_INTERVAL_MS[letter as keyof typeof HEADER_INTERVAL_MS];
    if (windowMs >= shortestMs) continue;
    shortestMs = windowMs;
    used = Number(value);
  }
  return used;
}
