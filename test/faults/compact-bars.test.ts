import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { TIER_MINUTES } from '../../src/adapters/questdb/bar-lines.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import type { CliProcess, CliResult } from '../support/command-line.ts';
import { copyRows } from '../support/copied-rows.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { type ProxiedServices, proxyServices } from '../support/proxied-services.ts';
import { fault, printFaultTable } from './fault.ts';
import { OneSymbol } from './one-symbol.ts';

/**
 * Faults of `compact --bars`: the command or the server is killed. The partitions of the first of two days
 * are settled, in the tables that are divided by day.
 */

const DAY = Date.UTC(2024, 8, 2);
const RANGE = { startMs: DAY, endMs: DAY + 2 * DAY_MS };
const trades = syntheticTrades({
  seed: 121,
  fromMs: RANGE.startMs - HOUR_MS,
  toMs: RANGE.endMs + HOUR_MS,
  tradesPerHour: 100,
});
const COMPACT = ['compact', '--bars', '--older-than', '0h'];
const CONVERSION = `${TIER_MINUTES} CONVERT PARTITION TO PARQUET`;

let own: OwnServices;
let services: ProxiedServices;

beforeAll(async () => {
  own = await makeOwnServices();
  services = await proxyServices(await own.start());
});

afterAll(async () => {
  await services.close();
  await own.dispose();
});

printFaultTable();

async function stored(): Promise<OneSymbol> {
  const one = await OneSymbol.start(trades, RANGE, { services: services.urls });
  expect(await one.backfill()).toMatchObject({ exitCode: 0 });
  onTestFinished(async () => void (await one.rig.cli([...COMPACT, '--undo'])));
  return one;
}

/** Tables whose first day is Parquet. */
async function converted({ app }: OneSymbol): Promise<string[]> {
  const found: string[] = [];
  for (const table of app.partitions.bars.tables) {
    const partitions = await app.partitions.bars.list(table);
    if (partitions.some(({ name, isParquet }) => name === '2024-09-02' && isParquet))
      found.push(table);
  }
  return found;
}

const BY_DAY = [TIER_MINUTES, 'cdv_exact_5m', 'cdv_exact_3m', 'cdv_exact_1m'];

/** Another run ends what was begun, and every bar is right. */
async function expectEnded(one: OneSymbol): Promise<CliResult> {
  const again = await one.rig.cli(COMPACT);
  expect(again).toMatchObject({ exitCode: 0 });
  expect(again.stdout).toContain('converted  4 partitions');
  expect(await converted(one)).toEqual(BY_DAY);
  await one.expectNothingLost();
  return again;
}

const started = ({ rig }: OneSymbol): CliProcess => rig.startCli(COMPACT);

async function killed(command: CliProcess): Promise<void> {
  command.kill('SIGKILL');
  await command.done;
}

for (const side of ['request', 'answer'] as const)
  fault(
    `compact --bars is killed with the ${side} of a conversion on its way`,
    'slow',
    async (report) => {
      const one = await stored();
      const held = services.questdbPg.hold(CONVERSION, side);
      const command = started(one);
      await held.reached;
      await killed(command);
      expect(await converted(one)).toEqual(side === 'answer' ? [TIER_MINUTES] : []);
      report.saw((await expectEnded(one)).stdout.split('\n')[0] ?? '');
    },
  );

fault(
  'compact --bars is killed between a conversion and its comparison',
  'slow',
  async (report) => {
    const one = await stored();
    const conversion = services.questdbPg.hold(CONVERSION, 'answer');
    const command = started(one);
    await conversion.reached;
    const comparison = services.questdbHttp.hold(TIER_MINUTES, 'request');
    conversion.release();
    await comparison.reached;
    await killed(command);
    expect(await converted(one)).toEqual([TIER_MINUTES]);
    report.saw((await expectEnded(one)).stdout.split('\n')[0] ?? '');
  },
);

fault(
  'a bar is lost in a conversion that is killed before its comparison',
  'slow',
  async (report) => {
    const one = await stored();
    const { sql } = one.app;
    const conversion = services.questdbPg.hold(CONVERSION, 'answer');
    const command = started(one);
    await conversion.reached;
    await killed(command);
    const bar = `starts_with(series_tier, 'binance_spot ${one.symbol} ') AND ts = '2024-09-02T03:00'`;
    await copyRows(sql, TIER_MINUTES, bar, { close: '(close + 1m)::decimal(38,8)' });
    const again = await one.rig.cli(COMPACT);
    expect(again).toMatchObject({ exitCode: 11 });
    expect(again.stderr).toContain('error COMPACT_MISMATCH: tier_minutes 2024-09-02 does not have');
    report.saw(again.stderr.split('\n')[0] ?? '');
    expect(await converted(one)).toEqual([]);
    const days = ['--from', '2024-09-02', '--to', '2024-09-04', '--no-klines'];
    expect(await one.rig.cli(['repair', one.symbol, ...days])).toMatchObject({ exitCode: 0 });
    await expectEnded(one);
  },
);

fault('QuestDB is killed in a conversion of bars', 'slow', async (report) => {
  const one = await stored();
  const held = services.questdbPg.hold(CONVERSION, 'answer');
  const command = started(one);
  await held.reached;
  await own.kill('questdb');
  held.release();
  const result = await command.done;
  expect(result).toMatchObject({ exitCode: 5 });
  report.saw(result.stderr.split('\n').find((line) => line.startsWith('error ')) ?? '');
  await own.start();
  await expectEnded(one);
});
