import { z } from 'zod';
import { CdvaultError } from '../../../domain/errors.ts';
import { MARKET_NAMES, type MarketName, type Series } from '../../../domain/market.ts';
import { parseSymbol } from '../../../domain/symbols.ts';
import { floorTo, MINUTE_MS, type TimeRange } from '../../../domain/time/hour.ts';
import { parseInstant } from '../../../domain/instant.ts';
import type { Style } from './columns.ts';

const MARKETS = Object.keys(MARKET_NAMES) as [MarketName, ...MarketName[]];
export const FLAG = z.enum(['true', 'false']).default('false');

export const MARKET = z.enum(MARKETS).default('spot').describe('`spot`, `um` or `cm`.');
export const TIMES = z
  .enum(['ms', 'iso'])
  .default('ms')
  .describe('Times as epoch ms, or as ISO text in UTC.');

export const WITH_SQL = FLAG.describe(
  '`true`: the answer has a statement of SQL that gives the same rows.',
);

/** What every question about a range of one series takes. */
export const RANGE_PARAMETERS = {
  market: MARKET,
  symbol: z.string().describe('`BTCUSDT`, `btcusdt` or `BTC/USDT`.'),
  from: z.string().describe('Start: an ISO instant, a date or a month in UTC, or epoch ms.'),
  to: z
    .string()
    .describe(
      'End, exclusive, in the same forms. Where it is later than now, it means the end of this minute.',
    ),
  exact: FLAG.describe('`true`: decimals as text with all digits; `false`: as numbers.'),
  times: TIMES,
  sql: WITH_SQL,
};

/** The parameters of one question as the URL has them. */
type RangeText = Readonly<Record<'market' | 'symbol' | 'from' | 'to' | 'exact' | 'times', string>>;

/** The exchange opened in July 2017. */
const OPENED_MS = Date.UTC(2017, 0, 1);

/**
 * The parameters of a URL, checked against a schema.
 * @throws CdvaultError USAGE for an unknown, repeated or missing parameter, or one with a value that it can't have
 */
export function parseParameters<Shape extends z.ZodObject>(
  schema: Shape,
  given: URLSearchParams,
): z.output<Shape> {
  const repeated = [...given.keys()].find((name) => given.getAll(name).length > 1);
  if (repeated !== undefined)
    throw usage(`the parameter ${JSON.stringify(shortened(repeated))} is given twice`);
  const unknown = [...given.keys()].find((name) => !Object.hasOwn(schema.shape, name));
  if (unknown !== undefined) {
    throw usage(
      `there is no parameter ${JSON.stringify(shortened(unknown))} here`,
      `Parameters: ${Object.keys(schema.shape).join(', ') || 'none'}.`,
    );
  }
  const long = [...given].find(([, value]) => value.length > MAX_CHARS);
  if (long !== undefined) throw usage(`${long[0]} has more than ${MAX_CHARS} characters`);
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const name = String(parsed.error.issues[0]?.path[0] ?? '');
  const value = given.get(name);
  const rule: unknown = schema.shape[name];
  const about = rule instanceof z.ZodType ? rule.description : undefined;
  throw value === null
    ? usage(`the parameter ${name} is missing`, about)
    : usage(`${name} ${JSON.stringify(shortened(value))} is not possible`, about);
}

export function usage(message: string, advice?: string): CdvaultError {
  return new CdvaultError('USAGE', message, {
    advice: advice ?? 'docs/api.md lists the parameters of each path.',
  });
}

/** All columns of an answer together have some 300 characters. */
const MAX_CHARS = 1_000;

/** Longer than every valid value but a list of columns. */
const MAX_SHOWN = 60;

export function shortened(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** @throws CdvaultError USAGE */
export function seriesOf({ market, symbol }: Pick<RangeText, 'market' | 'symbol'>): Series {
  const name = MARKETS.find((known) => known === market) ?? 'spot';
  return { market: MARKET_NAMES[name], symbol: parseSymbol(symbol) };
}

export function styleOf({ exact, times }: Pick<RangeText, 'exact' | 'times'>): Style {
  return { exact: exact === 'true', iso: times === 'iso' };
}

/**
 * The range that was asked for, up to the end of the current minute.
 * @throws CdvaultError BAD_TIME, BAD_RANGE
 */
export function rangeOf({ from, to }: Pick<RangeText, 'from' | 'to'>, nowMs: number): TimeRange {
  const startMs = timeOf('from', from);
  const minuteEndMs = floorTo(nowMs, MINUTE_MS) + MINUTE_MS;
  const endMs = Math.min(timeOf('to', to), minuteEndMs);
  if (startMs < OPENED_MS)
    throw badRange(`from ${shortened(from)} is before 2017, when the exchange was not open yet`);
  if (startMs >= minuteEndMs) throw badRange(`from ${shortened(from)} lies in the future`);
  if (startMs >= endMs) throw badRange(`from ${shortened(from)} is not before to ${shortened(to)}`);
  return { startMs, endMs };
}

function timeOf(name: string, text: string): number {
  if (!/^-?\d{5,}$/.test(text)) return parseInstant(name, shortened(text));
  const timeMs = Number(text);
  // The farthest times that a Date can hold.
  if (Math.abs(timeMs) <= 8.64e15) return timeMs;
  throw new CdvaultError('BAD_TIME', `${name} ${shortened(text)} is no time`);
}

function badRange(message: string): CdvaultError {
  return new CdvaultError('BAD_RANGE', message, {
    advice: 'Set from to a time before to, and not in the future.',
  });
}
