import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TIER_MINUTES } from '../../src/adapters/questdb/bar-lines.ts';
import { compactBars } from '../../src/app/compact/compact-bars.ts';
import { DEFAULT_TIERS } from '../../src/domain/bars/tier.ts';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { type ArchiveServer, startArchiveServer } from '../exchange/archive-server.ts';
import { withExcludedFills } from '../exchange/excluded-fills.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { barStatements, COOKBOOK_DAY as DAY } from '../support/bar-statements.ts';
import { copyRows } from '../support/copied-rows.ts';
import { Asker } from '../support/grafana-dashboard.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { type ProxiedServices, proxyServices } from '../support/proxied-services.ts';
import { NEVER } from '../support/store.ts';
import { cm, Rig, spot, um } from './rig.ts';

/** Two days, and hours of a third. */
const RANGE = { startMs: DAY, endMs: DAY + 2 * DAY_MS + 2 * HOUR_MS };
const FROM_TO = ['--from', '2024-01-01', '--to', '2024-01-03T02:00Z'];
/** Makes the partitions of 2024 those before the newest, also by year. */
const LATER = { startMs: Date.UTC(2025, 1, 3), endMs: Date.UTC(2025, 1, 3, 2) };

/** Files of futures need those of the days around. */
const SPAN = { fromMs: DAY - DAY_MS, toMs: DAY + 4 * DAY_MS };
const busy = syntheticTrades({ seed: 81, ...SPAN, tradesPerHour: 900, typicalLots: 60_000 });
const thin = syntheticTrades({
  seed: 82,
  fromMs: DAY - HOUR_MS,
  toMs: LATER.endMs + HOUR_MS,
  tradesPerHour: 12,
  price: 2_300,
});
const perpetual = syntheticTrades({ seed: 83, ...SPAN, tradesPerHour: 60, typicalLots: 60_000 });
const contracts = withExcludedFills(
  syntheticTrades({ seed: 84, ...SPAN, tradesPerHour: 60, qtyDecimals: 0, typicalLots: 20 }),
);
/** The documentation asks for these; the store is this test's own. */
const [BUSY, THIN] = ['BTCUSDT', 'ETHUSDT'];

/** Partitions of 2024: three days each, a week, a month, a year. */
const OLD = {
  cdv_exact_1m: ['2024-01-01', '2024-01-02', '2024-01-03'],
  cdv_exact_3m: ['2024-01-01', '2024-01-02', '2024-01-03'],
  cdv_exact_5m: ['2024-01-01', '2024-01-02', '2024-01-03'],
  cdv_exact_15m: ['2024-W01'],
  cdv_exact_30m: ['2024-W01'],
  cdv_exact_1h: ['2024-01'],
  cdv_exact_4h: ['2024-01'],
  cdv_exact_1d: ['2024'],
  tier_minutes: ['2024-01-01', '2024-01-02', '2024-01-03'],
  tiers_exact_1h: ['2024-W01'],
  tiers_exact_1d: ['2024'],
};
const COUNT = Object.values(OLD).flat().length;

let own: OwnServices;
let services: ProxiedServices;
let archive: ArchiveServer;
let rig: Rig;
let app: App;
let asker: Asker;

beforeAll(async () => {
  own = await makeOwnServices();
  services = await proxyServices(await own.start());
  const futures = [
    { market: 'um' as const, symbol: BUSY, trades: perpetual },
    { market: 'cm' as const, symbol: 'BTCUSD_PERP', trades: contracts },
  ];
  archive = await startArchiveServer(futures);
  rig = await Rig.start({
    services: services.urls,
    symbols: [{ symbol: BUSY, trades: busy }, { symbol: THIN, trades: thin }, ...futures],
    archiveUrl: archive.url,
  });
  app = await rig.app();
  asker = await Asker.connect(services.urls.questdbReadonlyPgUrl);
  const days = { startMs: DAY, endMs: DAY + 2 * DAY_MS };
  const runs = [
    await rig.backfill(app, [spot(BUSY), spot(THIN)], RANGE),
    await rig.backfill(app, [spot(THIN)], LATER),
    await rig.backfill(app, [um(BUSY), cm('BTCUSD_PERP')], days, 'auto'),
  ];
  expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
}, 300_000);

afterAll(async () => {
  await asker.close();
  await rig.dispose();
  await archive.close();
  await services.close();
  await own.dispose();
});

/** Names of the Parquet partitions of each table of bars. */
async function parquet(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const table of app.partitions.bars.tables) {
    const names = (await app.partitions.bars.list(table)).filter(({ isParquet }) => isParquet);
    if (names.length > 0) found[table] = names.map(({ name }) => name);
  }
  return found;
}

const compact = async (...more: string[]) =>
  rig.cli(['compact', '--bars', '--older-than', '0h', ...more]);

/** The answer to every statement over bars that ships. */
async function answers(): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const [name, sql] of await barStatements(services.urls.questdbReadonlyPgUrl, [BUSY, THIN]))
    found[name] = (await asker.ask(sql)).rows;
  return found;
}

/** A hash of each day of each table of bars. */
async function digests(): Promise<Record<string, unknown>> {
  const { bars } = app.partitions;
  const range = { startMs: RANGE.startMs, endMs: LATER.endMs };
  const found: Record<string, unknown> = {};
  for (const table of bars.tables) found[table] = await bars.digests(table, range, NEVER);
  return found;
}

/** A stored bar as a fault of the store would leave it: of another close, under the same key. */
async function damage(table: string, ts: string): Promise<void> {
  const of =
    table === TIER_MINUTES
      ? `series_tier = 'binance_spot ${BUSY} 0'`
      : `market = 'binance_spot' AND symbol = '${BUSY}'`;
  await copyRows(app.sql, table, `${of} AND ts = '${ts}'`, {
    close: '(close + 1m)::decimal(38,8)',
  });
}

async function repair(): Promise<void> {
  const { exitCode, stderr } = await rig.cli(['repair', BUSY, ...FROM_TO, '--no-klines']);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
}

describe('compact --bars', () => {
  beforeEach(async () => {
    expect(await compact('--undo')).toMatchObject({ exitCode: 0 });
    expect(await parquet()).toEqual({});
  });

  test('takes no symbols and no market, because all series share the partitions', async () => {
    for (const more of [[BUSY], ['--market', 'spot']]) {
      const { exitCode, stderr } = await compact(...more);
      expect(exitCode).toBe(2);
      expect(stderr).toContain('error USAGE: --bars takes no symbols and no --market: all series');
    }
  });

  test('a dry run says what would be converted and about how small, and changes nothing', async () => {
    const { exitCode, stdout, stderr } = await compact('--dry-run');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toMatch(
      new RegExp(
        `^would convert {2}${COUNT} partitions, [\\d,]+ bars, [\\d.]+ MiB, would be about [\\d.]+ MiB$`,
        'm',
      ),
    );
    expect(stdout).toContain('skipped    11: the newest partition of its table');
    expect(stderr).toMatch(
      /^cdv_exact_1m 2024-01: 3 partitions, [\d,]+ bars, [\d.]+ MiB, would be about /m,
    );
    expect(await parquet()).toEqual({});
  });

  test('every statement that ships answers the same from Parquet and after --undo', async () => {
    const before = await answers();
    const { exitCode, stdout } = await compact();
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
    expect(stdout).toMatch(new RegExp(`^converted {2}${COUNT} partitions, .* bytes a bar$`, 'm'));
    expect(await parquet()).toEqual(OLD);
    expect(await answers()).toEqual(before);
    const verify = await rig.cli(['verify', BUSY, THIN, ...FROM_TO, '--no-klines']);
    expect(verify).toMatchObject({ exitCode: 0 });
    expect((await compact()).stdout).toContain(`unchanged  ${COUNT} partitions`);
    expect(await compact('--undo')).toMatchObject({ exitCode: 0 });
    expect(await answers()).toEqual(before);
  }, 300_000);

  test('a partition stays native while one of its series is not settled', async () => {
    const later = await compact('--older-than', '7d');
    expect(later.stdout).toContain(`skipped    ${COUNT}: fetched or built more recently`);
    // A day of the thin series, as a build that was killed leaves it.
    const day = `market = 'binance_spot' AND symbol = '${THIN}' AND ts = '2024-01-02'`;
    await copyRows(app.sql, 'bar_days', day, { layout: "'unfinished'" });
    const due = await compact();
    expect(due.stdout).toContain('skipped    11: bars are not up to date');
    const firstDays = ['tier_minutes', 'cdv_exact_5m', 'cdv_exact_3m', 'cdv_exact_1m'];
    const others = ['2024-01-01', '2024-01-03'];
    expect(await parquet()).toEqual(Object.fromEntries(firstDays.map((one) => [one, others])));
    expect(await rig.cli(['backfill', THIN, ...FROM_TO])).toMatchObject({ exitCode: 0 });
    // An hour of the busy series, as it was before a later trade was known.
    const hour = `market = 'binance_spot' AND symbol = '${BUSY}' AND ts = '2024-01-02T05'`;
    const [known] = await app.sql.query(`SELECT next_id FROM slices WHERE ${hour}`);
    await copyRows(app.sql, 'slices', hour, { next_id: 'NULL::long' });
    expect((await compact()).stdout).toContain('skipped    11: with hours that are open');
    await copyRows(app.sql, 'slices', hour, { next_id: `${known?.['next_id']}` });
    expect((await compact()).stdout).toContain('converted  11 partitions');
    expect(await parquet()).toEqual(OLD);
  });

  test('a repair writes into Parquet, and the next run converts exactly those partitions again', async () => {
    const before = await digests();
    await compact();
    await damage('cdv_exact_1m', '2024-01-01T03:07');
    await damage(TIER_MINUTES, '2024-01-01T04:00');
    expect(await digests()).not.toEqual(before);
    await repair();
    expect(await digests()).toEqual(before);
    expect(await parquet()).toEqual(OLD);
    const { stdout, stderr } = await compact();
    expect({ stdout, stderr }).toMatchObject({
      stdout: expect.stringContaining('converted  11 partitions') as string,
    });
    expect(stdout).toContain(`unchanged  ${COUNT - 11} partitions`);
    expect(await parquet()).toEqual(OLD);
    expect(await digests()).toEqual(before);
  });

  test('other tiers write the same rows over Parquet as over native partitions, void ones included', async () => {
    const withTiers = async (tiers: string) => {
      const more = { CDVAULT_TIERS: tiers };
      const run = await rig.cli(['backfill', BUSY, THIN, ...FROM_TO], more);
      expect(run).toMatchObject({ exitCode: 0 });
      return digests();
    };
    const both = async () => [
      await withTiers('50000'),
      await withTiers(DEFAULT_TIERS.slice(1).join(',')),
    ];
    const native = await both();
    expect((await compact()).stdout).toContain(`converted  ${COUNT} partitions`);
    expect(await both()).toEqual(native);
    expect(await parquet()).toEqual(OLD);
  }, 300_000);

  test('a bar that differs after the conversion of its partition: it is converted back and named', async () => {
    const held = services.questdbPg.hold('tier_minutes CONVERT PARTITION TO PARQUET', 'answer');
    const command = rig.startCli(['compact', '--bars', '--older-than', '0h']);
    await held.reached;
    await damage(TIER_MINUTES, '2024-01-01T04:00');
    held.release();
    const { exitCode, stderr } = await command.done;
    expect(exitCode).toBe(11);
    expect(stderr).toContain('error COMPACT_MISMATCH: tier_minutes 2024-01-01 was not the same');
    expect(stderr).toContain('1 day from 2024-01-01 on); it was converted back');
    expect((await parquet())['tier_minutes']).toBeUndefined();
    await repair();
  });

  test('a partition that a build writes to while it is converted is left native, and is no error', async () => {
    const held = services.questdbPg.hold('tier_minutes CONVERT PARTITION TO PARQUET', 'answer');
    const command = rig.startCli(['compact', '--bars', '--older-than', '0h']);
    await held.reached;
    await damage(TIER_MINUTES, '2024-01-01T04:00');
    await repair();
    await damage(TIER_MINUTES, '2024-01-01T05:00');
    held.release();
    const { exitCode, stdout, stderr } = await command.done;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toMatch(/skipped {4}\d+: fetched or built more recently/);
    expect((await parquet())['tier_minutes']).toEqual(['2024-01-02', '2024-01-03']);
    await repair();
  });

  test('too little free disk ends it before anything is converted', async () => {
    const deps = { ...app, freeBytes: () => 1_000 };
    const steps = compactBars(deps, { isDryRun: false, beforeMs: Date.now() }, NEVER);
    const error = Array.fromAsync(steps);
    await expect(error).rejects.toMatchObject({ code: 'DISK_TOO_SMALL', exitCode: 7 });
    expect(await parquet()).toEqual({});
  });
});
