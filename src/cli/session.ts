import { isRestoreUnfinished } from '../adapters/backup/restore-home.ts';
import type { ServicesOptions, ServiceUrls } from '../adapters/services/types.ts';
import { type Config, loadConfig } from '../config.ts';
import { CdvaultError } from '../domain/errors.ts';
import { EXIT, type ExitCode } from '../domain/exit-codes.ts';
import {
  type Market,
  MARKET_NAMES,
  marketName,
  type MarketName,
  type Series,
} from '../domain/market.ts';
import { isFilesOnly, type SourceChoice, sourceFolder } from '../domain/plan/source-choice.ts';
import type { JobWorkers } from '../ports/job-queue.ts';
import type { App } from './compose.ts';
import type { RunningTracing } from '../adapters/tracing/otel-tracing.ts';
import { VERSION } from '../version.ts';
import { parseSymbols } from '../domain/symbols.ts';
import { isoMinute } from './print/format.ts';

/** Prints a line of progress or a message on standard error; results go to standard output. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Prints a line of the result on standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The busiest hour takes about ten seconds to fetch at a small weight share. */
const DRAIN_MS = 60_000;

export function servicesOptions(config: Config, signal: AbortSignal): ServicesOptions {
  return { ...config.services, say, signal };
}

interface Signals {
  /** Aborted by the first Ctrl-C or SIGTERM: finish what is in progress. */
  readonly signal: AbortSignal;
  /** Aborted by the second signal: stop at once. A third signal ends the process. */
  readonly stopNow: AbortSignal;
}

export interface Session extends Signals {
  readonly app: App;
  readonly urls: ServiceUrls;
}

interface SessionOptions {
  /** Settings given as flags. */
  readonly overrides?: Parameters<typeof loadConfig>[0];
  /** True for commands that finish what is in progress at the first signal; others end at once. */
  readonly drains?: boolean;
  /** True for the restore itself. */
  readonly isRestore?: boolean;
}

/**
 * Starts services if needed, wires the application, runs `work`, and closes everything in any case.
 * Adapters are loaded only here, so that `--help` and usage errors answer at once.
 */
export async function withApp(
  { overrides, drains = false, isRestore = false }: SessionOptions,
  work: (session: Session) => Promise<ExitCode>,
): Promise<ExitCode> {
  const config = loadConfig(overrides);
  // Services elsewhere have nothing to do with the home.
  if (!isRestore && config.services.redisUrl === '') assertRestored(config.homeDir);
  const { ensureServices } = await import('../adapters/services/ladder.ts');
  const { compose } = await import('./compose.ts');
  // Not everything that a command waits for takes an abort signal.
  const { unlessAborted } = await import('../adapters/system/within.ts');
  return listeningForSignals(async ({ signal, stopNow }) => {
    const urls = await unlessAborted(ensureServices(servicesOptions(config, signal)), signal);
    const tracing = await openTracing(config);
    const app = compose(config, urls, undefined, tracing);
    try {
      const applied = await unlessAborted(app.prepare(signal), signal);
      if (applied.length > 0) say(`schema: ${applied.length} migrations applied`);
      const done = work({ app, urls, signal, stopNow });
      return await (drains ? done : unlessAborted(done, signal));
    } finally {
      await app.close();
      await tracing?.close();
    }
  });
}

/** The packages of OpenTelemetry are loaded only when somebody collects traces. */
async function openTracing({ otlpUrl }: Config): Promise<RunningTracing | undefined> {
  if (otlpUrl === undefined) return undefined;
  const { createOtelTracing } = await import('../adapters/tracing/otel-tracing.ts');
  return createOtelTracing(otlpUrl, VERSION);
}

/** @throws CdvaultError RESTORE_UNFINISHED */
function assertRestored(homeDir: string): void {
  if (isRestoreUnfinished(homeDir))
    throw new CdvaultError('RESTORE_UNFINISHED', `a restore into ${homeDir} was not finished`);
}

/**
 * Listens to signals during the whole session: the library of the live line ends the process at a
 * signal that has no other listener.
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

/** Waits for running jobs after the first signal, and stops them at the second. */
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
      advice: 'Use spot, um or cm.',
    });
  }
  return MARKET_NAMES[name];
}

export function parseSeries(symbols: readonly string[], market: string): Series[] {
  const parsed = parseMarket(market);
  return parseSymbols(symbols).map((symbol) => ({ market: parsed, symbol }));
}

/** A longer ban is reported at once instead of waited for: the user may not be watching any more. */
const BAN_WAIT_MS = 10 * 60_000;

/** @throws CdvaultError EXCHANGE_BANNED during a ban that lasts longer than BAN_WAIT_MS */
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
 * A symbol in the ledger counts as known. For others the exchange is asked, which may still have trades
 * or files of a symbol that it no longer lists. Backfill, plan, repair and schedule call this first.
 * @throws CdvaultError UNKNOWN_SYMBOL, EXCHANGE_BANNED
 */
export async function assertKnown(
  app: App,
  series: readonly Series[],
  signal: AbortSignal,
  choice: SourceChoice = 'rest',
): Promise<void> {
  // lookAtFolder has found files of every series.
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
 * For commands that need stored data.
 * @throws CdvaultError UNKNOWN_SYMBOL
 */
export async function assertStored({ ledger }: App, series: Series): Promise<void> {
  if (await ledger.knows(series)) return;
  throw new CdvaultError(
    'UNKNOWN_SYMBOL',
    `no data of ${series.symbol} (${marketName(series.market)}) is stored`,
    {
      advice: 'Run cdvault backfill to fetch it, or cdvault status to list stored series.',
    },
  );
}

/** When the exchange opened; no archive file is older. */
const OPENED_MS = Date.UTC(2017, 6, 1);

/** The exchange keeps archive files of symbols that it no longer knows. */
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

/** Prints an error: code, message and advice, or one JSON object. */
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
