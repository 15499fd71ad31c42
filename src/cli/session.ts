import { ensureServices } from '../adapters/services/ladder.ts';
import type { ServicesOptions, ServiceUrls } from '../adapters/services/types.ts';
import { type Config, loadConfig } from '../config.ts';
import { CdvaultError, type ExitCode } from '../domain/errors.ts';
import { MARKET_NAMES, type Market, type MarketName, type Series } from '../domain/market.ts';
import { type App, compose } from './compose.ts';
import { parseSymbols } from './symbols.ts';
import { isoMinute } from './times.ts';

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

/** A longer ban is told at once and not waited for: whoever started the command may have left. */
const BAN_WAIT_MS = 10 * 60_000;

/** @throws CdvaultError EXCHANGE_BANNED while nothing can be asked of the exchange for long */
export async function assertNotBanned({ governor, clock }: App, market: Market): Promise<void> {
  const { pause } = await governor.state(market);
  if (pause?.reason !== 'banned' || pause.untilMs - clock.nowMs() <= BAN_WAIT_MS) return;
  throw new CdvaultError(
    'EXCHANGE_BANNED',
    `this address is banned by the exchange until ${isoMinute(pause.untilMs)}`,
    { untilMs: pause.untilMs },
  );
}

/**
 * A symbol that the ledger has seen counts as known; others are asked for at the exchange. The first
 * step of every command that asks the exchange anything.
 * @throws CdvaultError UNKNOWN_SYMBOL, EXCHANGE_BANNED
 */
export async function assertKnown(
  app: App,
  series: readonly Series[],
  signal: AbortSignal,
): Promise<void> {
  const { ledger, source } = app;
  for (const market of new Set(series.map((one) => one.market))) await assertNotBanned(app, market);
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
