import type { Command } from 'commander';
import { CdvaultError } from '../../domain/errors.ts';
import { tradesContracts } from '../../domain/market.ts';
import type { ScheduleRule } from '../../domain/plan/schedule-rule.ts';
import { parseMarket } from '../session.ts';

export interface RuleOptions {
  readonly market: string;
  readonly all?: boolean;
  readonly quote?: string;
  readonly top?: string;
}

const MOST = 1_000;

export function withRule(command: Command, { top = true } = {}): Command {
  command
    .option('--all', 'instead of symbols: all that the exchange trades against --quote')
    .option('--quote <asset>', 'quote asset of --all: USDT; on COIN-M: USD');
  return top
    ? command.option('--top <n>', 'of --all, only so many, by the volume of the last 24 hours')
    : command;
}

/**
 * @returns the rule that is asked for; undefined when symbols are named
 * @throws CdvaultError USAGE
 */
export function ruleOf(
  symbols: readonly string[],
  { market, all = false, quote, top }: RuleOptions,
): Omit<ScheduleRule, 'fromMs'> | undefined {
  if (!all) {
    if (quote === undefined && top === undefined) return undefined;
    throw usage('--quote and --top need --all', 'Add --all, or name symbols without them.');
  }
  if (symbols.length > 0)
    throw usage('--all takes no symbols', 'Name symbols, or give --all and --quote.');
  if (quote === undefined || !/^[\p{L}\p{N}]{1,20}$/u.test(quote))
    throw usage('--all needs --quote', 'Add the quote asset, such as --quote USDT.');
  const rule = { market: parseMarket(market), quote: quote.toUpperCase(), top: topOf(top) };
  if (rule.top !== undefined && tradesContracts(rule.market))
    throw usage(
      '--top is not possible on COIN-M: its ticker has no volume in the quote asset',
      'Leave --top out, or name symbols.',
    );
  return rule;
}

function topOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const top = Number(text);
  if (/^\d+$/.test(text) && top >= 1 && top <= MOST) return top;
  throw usage(`--top ${text} is not a number from 1 to ${MOST}`, 'Give a whole number: --top 100.');
}

function usage(message: string, advice: string): CdvaultError {
  return new CdvaultError('USAGE', message, { advice });
}
