import { expect } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import { HOUR_MS, type TimeRange } from '../../src/domain/time/hour.ts';
import { startArchiveServer } from '../exchange/archive-server.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import type { TradeSeries } from '../exchange/trade-series.ts';
import { eventually, Rig, spot } from '../e2e/rig.ts';
import { type CliProcess, type CliResult, unique } from '../support/command-line.ts';
import { tablesWith } from '../support/exports.ts';
import { type ProxiedServices, proxyServices } from '../support/proxied-services.ts';
import { expectNothingLost } from './fault.ts';

const DAY = Date.UTC(2024, 8, 2);

/** The set-up of one fault: its own symbol on its own exchange, with proxies before the services. */
export interface Place {
  readonly services: ProxiedServices;
  readonly rig: Rig;
  readonly app: App;
  readonly symbol: string;
  readonly trades: TradeSeries;
  readonly range: TimeRange;
  /** Arguments of the command that the operator runs and repeats. */
  readonly backfill: readonly string[];
}

interface PlaceOptions {
  readonly services: ServiceUrls;
  readonly hours: number;
  readonly tradesPerHour: number;
  readonly concurrency?: number;
  /** Whether the exchange has the range in archive files; else all hours come by REST. */
  readonly isArchived?: boolean;
  /** Delay of each answer of the exchange: long enough for the fault to happen during the run. */
  readonly latencyMs?: number;
}

/** Runs the body of a fault, then checks that nothing was lost. */
export async function inPlace(
  { hours, tradesPerHour, isArchived = false, ...options }: PlaceOptions,
  body: (place: Place) => Promise<void>,
): Promise<void> {
  const range = { startMs: DAY, endMs: DAY + hours * HOUR_MS };
  const trades = syntheticTrades({
    seed: 101,
    fromMs: range.startMs - HOUR_MS,
    toMs: range.endMs + HOUR_MS,
    tradesPerHour,
  });
  const services = await proxyServices(options.services);
  const symbol = unique('FAULT');
  const [from, to] = [range.startMs, range.endMs].map((timeMs) => new Date(timeMs).toISOString());
  const source = isArchived ? 'auto' : 'rest';
  const args = ['--from', from ?? '', '--to', to ?? '', '--source', source];
  const backfill = ['backfill', symbol, ...args];
  const server = isArchived ? await startArchiveServer([{ symbol, trades }]) : undefined;
  const rig = await Rig.start({
    ...options,
    symbols: [{ symbol, trades }],
    services: services.urls,
    ...(server === undefined ? {} : { archiveUrl: server.url }),
  });
  try {
    const app = await rig.app();
    await body({ services, rig, app, symbol, trades, range, backfill });
    await expectNothingLost({ rig, app, symbol, trades, range });
  } finally {
    await rig.dispose();
    await server?.close();
    await services.close();
  }
}

export interface Started {
  readonly command: CliProcess;
  /** Waits for a line that contains `text`. */
  readonly said: (text: string) => Promise<void>;
}

/** Starts the operator's command. */
export function startedCommand({ rig, backfill }: Place, args = backfill): Started {
  const lines: string[] = [];
  const command = rig.startCli(args, (line) => void lines.push(line), { CDVAULT_LOG: 'info' });
  const said = async (text: string) =>
    eventually(`it says ${text}`, () => lines.some((line) => line.includes(text)), 200_000);
  return { command, said };
}

/** Starts the operator's command and waits until its first hour is proven. */
export async function startedBackfill(place: Place): Promise<CliProcess> {
  const { command } = startedCommand(place);
  await untilProven(place, 1);
  return command;
}

export async function untilProven({ app, symbol, range }: Place, hours: number): Promise<void> {
  await eventually(
    `${hours} hours are proven`,
    async () => (await app.ledger.totals(spot(symbol), range)).proven >= hours,
  );
}

/** Waits for `reached`. @throws Error when the command ends first */
export async function untilReached(command: CliProcess, reached: Promise<void>): Promise<void> {
  const ended = command.done.then(({ stderr }) => {
    throw new Error(`the command ended before it reached the step: ${stderr}`);
  });
  ended.catch(() => undefined);
  await Promise.race([reached, ended]);
}

/**
 * Kills the operator's command when it has reached a step, and runs it again.
 * @param left tables in which the killed process has left rows of its series
 * @param missing tables in which it has left none
 * @returns what the second command says of its hours
 */
export async function killAndRepeat(
  { rig, app, symbol, backfill }: Place,
  {
    reached,
    left,
    missing,
  }: {
    readonly reached: Promise<void>;
    readonly left: readonly string[];
    readonly missing: readonly string[];
  },
): Promise<string> {
  const command = rig.startCli(backfill);
  await untilReached(command, reached);
  command.kill('SIGKILL');
  expect(await command.done).toMatchObject({ exitCode: undefined });
  const found = await tablesWith(app.sql, symbol);
  expect(found).toEqual(expect.arrayContaining([...left]));
  expect(found.filter((table) => missing.includes(table))).toEqual([]);

  rig.exchange.setFaults([]);
  const again = await rig.cli(backfill);
  expect(again, again.stderr).toMatchObject({ exitCode: 0 });
  return lineWith(again, ' proven, ');
}

/** The first line of a command's standard error that contains `text`; '' when there is none. */
export function lineWith({ stderr }: CliResult, text: string): string {
  return stderr.split('\n').find((line) => line.includes(text)) ?? '';
}
