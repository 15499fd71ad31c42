import { type Command, Option } from 'commander';

/** Options that several verbs share. */

export interface RangeOptions {
  readonly market: string;
  readonly from?: string;
  readonly to?: string;
  readonly last?: string;
  readonly json?: boolean;
}

export function withRange(command: Command, defaultTo = 'end of the last closed hour'): Command {
  return command
    .option('--from <time>', 'start (UTC): 2024-01-01, 2024-01 or 2024-01-01T10:00Z')
    .option('--to <time>', `end, exclusive, or now (default: ${defaultTo})`)
    .option('--last <length>', 'length of the range, instead of --from: 12h, 30d or 6w')
    .addOption(marketOption());
}

export function marketOption(): Option {
  return new Option('--market <name>', 'spot, um (USD-M futures) or cm (COIN-M futures)').default(
    'spot',
  );
}

/** The flag as an override of the settings. */
export function weightShareOf({ weightShare }: { readonly weightShare?: string }): {
  weightShare?: string;
} {
  return weightShare === undefined ? {} : { weightShare };
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON lines');
}

export function weightShareOption(): Option {
  return new Option(
    '--weight-share <part>',
    'share of the exchange’s weight limit to use, 0.01 to 1 (default: 0.6)',
  );
}

export function archivesOption(): Option {
  return new Option(
    '--no-archives',
    'do not check whether the exchange has replaced archive files that were read',
  );
}

export function klinesOption(): Option {
  return new Option(
    '--no-klines',
    'do not compare with the exchange’s candles (spot only; two requests of weight 2 per day)',
  );
}
