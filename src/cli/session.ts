import type { ServicesOptions, ServiceUrls } from '../adapters/services/types.ts';
import { type Config, loadConfig } from '../config.ts';
import { CdvaultError } from '../domain/errors.ts';
import { EXIT, type ExitCode } from '../domain/exit-codes.ts';
import { MARKET_NAMES, type Market, type MarketName, type Series } from '../domain/market.ts';
import { isFilesOnly, type SourceChoice, sourceFolder } from '../domain/plan/source-choice.ts';
import type { JobWorkers } from '../ports/job-queue.ts';
import type { App } from './compose.ts';
import { parseSymbols } from './input/symbols.ts';
import { isoMinute } from './input/times.ts';

/** A line for a person; standard output is for results. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A result. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A slice of the busiest hour takes some ten seconds at a small weight share. */
const DRAIN_MS = 60_000;

export function servicesOptions(config: Config, signal: AbortSignal): ServicesOptions {
  return { ...config.services, say, signal };
}

interface Signals {
  /** Aborted by the first Ctrl-C or SIGTERM: finish what is in flight. */
  readonly signal: AbortSignal;
  /** Aborted by the second: stop at once. A third ends the process. */
  readonly stopNow: AbortSignal;
}

export interface Session extends Signals {
  readonly app: App;
  readonly urls: ServiceUrls;
}

interface SessionOptions {
  /** What flags say. */
  readonly overrides?: Parameters<typeof loadConfig>[0];
  /** True for commands that finish what is in flight at the first signal; others end there. */
  readonly drains?: boolean;
}

/**
 * Brings services up if need be, wires the application, runs `work`, and closes everything whatever
 * happens. Adapters are loaded here and not before, so that `--help` and bad input answer at once.
 */
export async function withApp(
  { overrides, drains = false }: SessionOptions,
  work: (session: Session) => Promise<ExitCode>,
): Promise<ExitCode> {
  const config = loadConfig(overrides);
  const { ensureServices } = await import('../adapters/services/ladder.ts');
  const { compose } = await import('./compose.ts');
  // Not all that a command waits for can be told to stop.
  const { unlessAborted } = await import('../adapters/system/within.ts');
  return listeningForSignals(async ({ signal, stopNow }) => {
    const urls = await unlessAborted(ensureServices(servicesOptions(config, signal)), signal);
    const app = compose(config, urls);
    try {
      const applied = await unlessAborted(app.prepare(signal), signal);
      if (applied.length > 0) say(`schema: ${applied.length} migrations applied`);
      const done = work({ app, urls, signal, stopNow });
      return await (drains ? done : unlessAborted(done, signal));
    } finally {
      await app.close();
    }
  });
}

/**
 * One listener for the whole session: the live line's library ends the process at a signal that
 * nobody else seems to listen to.
 */
export async function listeningForSignals<T>(work: (signals: Signals) => Promise<T>): Promise<T> {
  const first = new AbortController();
  const second = new AbortController();
  const onSignal = () => {
    if (second.signal.aborted) process.exit(EXIT.interrupted);
    const controller = first.signal.aborted ? second : first;
    controller.abort(new CdvaultError('INTERRUPTED', 'interrupted'));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    return await work({ signal: first.signal, stopNow: second.signal });
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** Finishes running jobs after the first signal, and stops them at the second. */
export async function drainWorkers(workers: JobWorkers, stopNow: AbortSignal): Promise<void> {
  const onSecond = () => void workers.stop();
  stopNow.addEventListener('abort', onSecond, { once: true });
  await workers.drain(DRAIN_MS);
  stopNow.removeEventListener('abort', onSecond);
}

/** @throws CdvaultError USAGE */
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
 * A symbol that the ledger has seen counts as known; others are asked for at the exchange, which may
 * still have trades or files of one that it no longer lists. The first step of every command that asks the exchange anything.
 * @throws CdvaultError UNKNOWN_SYMBOL, EXCHANGE_BANNED
 */
export async function assertKnown(
  app: App,
  series: readonly Series[],
  signal: AbortSignal,
  choice: SourceChoice = 'rest',
): Promise<void> {
  // The folder was looked at: it has files of all of them.
  if (sourceFolder(choice) !== undefined) return;
  const { ledger, source } = app;
  for (const market of isFilesOnly(choice) ? [] : new Set(series.map((one) => one.market)))
    await assertNotBanned(app, market);
  for (const one of series) {
    if (choice === 'archive' && (await hasFiles(app, one, signal))) continue;
    if ((await ledger.knows(one)) || (await source.isListed(one, signal))) continue;
    if (await hasTrades(source, one, signal)) continue;
    if (choice === 'auto' && (await hasFiles(app, one, signal))) continue;
    throw new CdvaultError('UNKNOWN_SYMBOL', `the exchange does not list ${one.symbol}`);
  }
}

/**
 * For commands that read the store and never ask the exchange.
 * @throws CdvaultError UNKNOWN_SYMBOL
 */
export async function assertStored({ ledger }: App, series: Series): Promise<void> {
  if (await ledger.knows(series)) return;
  throw new CdvaultError('UNKNOWN_SYMBOL', `nothing of ${series.symbol} is stored`, {
    advice: 'Fetch it first: cdvault backfill; cdvault status lists what is stored.',
  });
}

/** When the exchange opened: no file is older. */
const OPENED_MS = Date.UTC(2017, 6, 1);

/** Files of symbols that the exchange no longer knows are kept. */
async function hasFiles({ archive, clock }: App, series: Series, signal: AbortSignal) {
  const listing = await archive.list(series, { startMs: OPENED_MS, endMs: clock.nowMs() }, signal);
  return listing !== undefined && listing.days.size + listing.months.size > 0;
}

async function hasTrades(
  source: App['source'],
  series: Series,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return (await source.newest(series, signal)) !== undefined;
  } catch (error) {
    if (error instanceof CdvaultError && error.code === 'UNKNOWN_SYMBOL') return false;
    throw error;
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
