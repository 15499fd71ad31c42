import { ensureServices } from '../adapters/services/ladder.ts';
import type { ServicesOptions, ServiceUrls } from '../adapters/services/types.ts';
import { type Config, loadConfig } from '../config.ts';
import { CdvaultError, type ExitCode } from '../domain/errors.ts';
import { MARKET_NAMES, type Market, type MarketName, type Series } from '../domain/market.ts';
import { type App, compose } from './compose.ts';
import { parseSymbols } from './symbols.ts';

/** A line for a person; standard output is for results. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A result. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function servicesOptions(config: Config): ServicesOptions {
  return { env: config.env, homeDir: config.homeDir, say };
}

export interface Session {
  readonly app: App;
  readonly urls: ServiceUrls;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}

type Overrides = Parameters<typeof loadConfig>[0];

/**
 * Brings services up if need be, wires the application, runs `work`, and closes everything whatever
 * happens.
 */
export async function withApp(
  overrides: Overrides,
  work: (session: Session) => Promise<ExitCode>,
): Promise<ExitCode> {
  const config = loadConfig(overrides);
  const urls = await ensureServices(servicesOptions(config));
  const app = compose(config, urls);
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort(new CdvaultError('INTERRUPTED', 'interrupted'));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    const applied = await app.prepare(interrupt.signal);
    if (applied.length > 0) say(`schema: ${applied.length} migrations applied`);
    return await work({ app, urls, signal: interrupt.signal });
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    await app.close();
  }
}

/** @throws CdvaultError USAGE, UNSUPPORTED_MARKET */
export function parseMarket(text: string): Market {
  const name = (Object.keys(MARKET_NAMES) as MarketName[]).find((known) => known === text);
  if (name === undefined) {
    throw new CdvaultError('USAGE', `unknown market ${JSON.stringify(text)}`, {
      advice: 'It is one of spot, um, cm.',
    });
  }
  return MARKET_NAMES[name];
}

export function parseSeries(symbols: readonly string[], market: string): Series[] {
  const parsed = parseMarket(market);
  return parseSymbols(symbols).map((symbol) => ({ market: parsed, symbol }));
}

/**
 * A symbol that the ledger has seen counts as known; others are asked for at the exchange.
 * @throws CdvaultError UNKNOWN_SYMBOL
 */
export async function assertKnown(
  { ledger, source }: App,
  series: readonly Series[],
  signal: AbortSignal,
): Promise<void> {
  for (const one of series) {
    if ((await ledger.knows(one)) || (await source.isListed(one, signal))) continue;
    throw new CdvaultError('UNKNOWN_SYMBOL', `the exchange does not list ${one.symbol}`);
  }
}

/** Prints an error as people need it: code, sentence, what to do next, causes. */
export function report(error: CdvaultError, json: boolean): ExitCode {
  if (json) {
    const { code, message, advice, retryable, exitCode } = error;
    print(JSON.stringify({ type: 'error', code, message, advice, retryable, exitCode }));
  } else {
    say(`error ${error.code}: ${error.message}`);
    say(`  ${error.advice}`);
    if (error.code === 'INTERNAL' && error.cause instanceof Error) say(error.cause.stack ?? '');
  }
  return error.exitCode;
}
