import { type Command, Option } from 'commander';

/** Options that several verbs share, spelled and explained once. */

export interface RangeOptions {
  readonly market: string;
  readonly from?: string;
  readonly to?: string;
  readonly last?: string;
  readonly json?: boolean;
}

export function withRange(
  command: Command,
  defaultTo = 'now, the end of the last closed hour',
): Command {
  return command
    .option('--from <time>', 'start: 2024-01-01, 2024-01, 2024-01-01T10:00Z (UTC)')
    .option('--to <time>', `end, exclusive; default: ${defaultTo}`)
    .option('--last <length>', 'instead of --from: 12h, 30d, 6w')
    .addOption(marketOption());
}

export function marketOption(): Option {
  return new Option('--market <name>', 'spot, um (USD-M futures) or cm (COIN-M futures)').default(
    'spot',
  );
}

/** What the flag says, for the settings. */
export function weightShareOf({ weightShare }: { readonly weightShare?: string }): {
  weightShare?: string;
} {
  return weightShare === undefined ? {} : { weightShare };
}

export function jsonOption(): Option {
  return new Option('--json', 'JSON lines for machines');
}

export function weightShareOption(): Option {
  return new Option(
    '--weight-share <part>',
    'part of the exchange’s weight limit to use, 0.01 to 1 (default 0.6)',
  );
}

export function archivesOption(): Option {
  return new Option(
    '--no-archives',
    'don’t ask whether files that days were taken from have been replaced',
  );
}

export function klinesOption(): Option {
  return new Option(
    '--no-klines',
    'don’t compare with the exchange’s candles (spot only; 2 questions of weight 2 a day)',
  );
}
