import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createExchangeStateStore } from '../../src/adapters/questdb/exchange-state.ts';
import { literal, timestamp } from '../../src/adapters/questdb/sql.ts';
import type { App } from '../../src/cli/compose.ts';
import { formatDecimal, QTY_SCALE } from '../../src/domain/trade/decimal.ts';
import type { DayReport } from '../../src/domain/proof/finding.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { exportSeries, RESULT_TABLES } from '../support/exports.ts';
import { deltaE8Of, truth } from './reference.ts';
import { Rig, spot } from './rig.ts';
import { tradesTable } from '../support/store.ts';

const DAY = Date.UTC(2024, 5, 10);
const HOURS = 4;
const RANGE = { startMs: DAY, endMs: DAY + HOURS * HOUR_MS };
const ARGS = ['--from', '2024-06-10T00:00Z', '--to', '2024-06-10T04:00Z'];
const trades = syntheticTrades({
  seed: 71,
  fromMs: DAY - HOUR_MS,
  toMs: DAY + (HOURS + 2) * HOUR_MS,
  tradesPerHour: 2_500,
});
const offered = truth(trades, RANGE);
/** A trade of the third hour. */
const VICTIM = truth(trades, { startMs: DAY + 2 * HOUR_MS, endMs: DAY + 3 * HOUR_MS })[700];
const SYMBOL = unique('VERIFY');

let rig: Rig;
let app: App;
let whole: Awaited<ReturnType<typeof exportSeries>>;

beforeAll(async () => {
  rig = await Rig.start({ symbols: [{ symbol: SYMBOL, trades }] });
  app = await rig.app();
  expect(await rig.backfill(app, [spot(SYMBOL)], RANGE)).toMatchObject({
    exitCode: 0,
    proven: HOURS,
  });
  whole = await tables();
});

beforeEach(() => rig.exchange.requests.clear());

afterAll(async () => rig.dispose());

/** Without agg_trades, where buried rows stay as tombstones, and gaps, which is a log. */
async function tables() {
  const compared = RESULT_TABLES.filter((table) => table !== 'gaps' && table !== 'agg_trades');
  return exportSeries(rig.services, SYMBOL, compared);
}

async function verify(
  ...more: string[]
): Promise<{ exitCode: number | undefined; days: DayReport[]; text: string }> {
  const { exitCode, stdout, stderr } = await rig.cli([
    'verify',
    SYMBOL,
    ...ARGS,
    '--json',
    ...more,
  ]);
  const lines = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as DayReport & { type: string });
  return { exitCode, days: lines.filter(({ type }) => type === 'day'), text: stdout + stderr };
}

function findings(days: readonly DayReport[]): string[] {
  return days.flatMap((day) =>
    day.findings.map(
      ({ kind, atMs, detail }) => `${kind} ${new Date(atMs).toISOString().slice(11, 16)} ${detail}`,
    ),
  );
}

function victim() {
  if (VICTIM === undefined) throw new Error('the series is too short');
  return VICTIM;
}

async function upsertTrade(
  change: Partial<Record<'qty' | 'price' | 'first_id' | 'last_id' | 'agg_id', string>>,
): Promise<void> {
  const { aggId, timeUs, price, qty, firstId, lastId, isBuyerMaker } = victim();
  const row = {
    agg_id: String(aggId),
    price,
    qty,
    first_id: String(firstId),
    last_id: String(lastId),
    ...change,
  };
  const table = await tradesTable(app.sql, SYMBOL);
  await app.sql.query(
    `INSERT INTO ${table} VALUES (${timeUs}::timestamp, ${row.agg_id}, ` +
      `${row.price}m::decimal(18,8), ${row.qty}m::decimal(28,8), ${row.first_id}, ${row.last_id}, ${isBuyerMaker})`,
  );
  await app.sql.waitApplied(table);
}

async function expectRepaired(mostRequests: number): Promise<void> {
  const { exitCode, stdout, stderr } = await rig.cli(['repair', SYMBOL, ...ARGS]);
  expect(stdout + stderr).toContain('all ids, sums and bars verified');
  expect(exitCode).toBe(0);
  expect(await tables()).toEqual(whole);
  expect(rig.exchange.requests.tradeRequests().length).toBeLessThanOrEqual(mostRequests);
}

test('every trade, bar, level and candle of a whole range agrees; only candles are requested', async () => {
  const { exitCode, days } = await verify();
  expect(exitCode).toBe(0);
  expect(days).toHaveLength(1);
  expect(days[0]).toMatchObject({
    proven: HOURS,
    rows: offered.length,
    findings: [],
    bars: { state: 'compared' },
    klines: { minutes: 240, equal: 240 },
  });
  expect(rig.exchange.requests.tradeRequests()).toEqual([]);
  expect(
    rig.exchange.requests.entries.filter(({ path: asked }) => asked.endsWith('/klines')),
  ).toHaveLength(1);
});

test('every figure of a part of a day counts its hours alone', async () => {
  const part = { startMs: DAY + HOUR_MS, endMs: DAY + 3 * HOUR_MS };
  const args = ['--from', '2024-06-10T01:00Z', '--to', '2024-06-10T03:00Z'];
  const stored = truth(trades, part);
  const file = path.join(tmpdir(), `${unique('report')}.md`);
  const { stdout } = await rig.cli(['verify', SYMBOL, ...args, '--report', file]);
  const json = await rig.cli(['verify', SYMBOL, ...args, '--json']);
  const day = JSON.parse(json.stdout.split('\n')[0] ?? '') as DayReport;

  // 120 bars of 1m, 40, 24, 8, 4 and 2 longer ones, and the bars of 4h and 1d that contain them; 1m, 1h and 1d by four tiers.
  const bars = 120 + 40 + 24 + 8 + 4 + 2 + 1 + 1 + (120 + 2 + 1) * 4;
  const delta = formatDecimal(deltaE8Of(stored), QTY_SCALE);
  expect(day).toMatchObject({
    range: part,
    proven: 2,
    rows: stored.length,
    delta,
    bars: { state: 'compared', bars },
    klines: { minutes: 120, equal: 120 },
    findings: [],
  });
  expect(day.hashes.map(({ rows }) => rows)).toEqual(
    [1, 2].map((hour) => {
      const startMs = DAY + hour * HOUR_MS;
      return truth(trades, { startMs, endMs: startMs + HOUR_MS }).length;
    }),
  );
  const rows = stored.length.toLocaleString('en-US');
  const figures = [SYMBOL, '2024-06-10', '2/2', rows, delta, String(bars), '120/120', 'proven'];
  expect(stdout.split('\n')[1]?.split(/\s+/)).toEqual(figures);
  expect(stdout).toContain(`proven: 2 hours, ${rows} trades, all ids, sums and bars`);
  expect(await readFile(file, 'utf8')).toContain(`| ${figures.join(' | ')} |`);
});

test('--report writes a document with the verdict, every hash and the command that reproduces it', async () => {
  const file = path.join(tmpdir(), `${unique('report')}.md`);
  const { exitCode } = await rig.cli(['verify', SYMBOL, ...ARGS, '--report', file]);
  expect(exitCode).toBe(0);
  const text = await readFile(file, 'utf8');
  for (const { contentHash } of await app.ledger.records(spot(SYMBOL), RANGE))
    expect(text).toContain(contentHash);
  expect(text).toContain(
    `cdvault verify ${SYMBOL} --market spot --from 2024-06-10T00:00:00Z --to 2024-06-10T04:00:00Z`,
  );
});

test.each(['/dev/null/report.md', '/proc/report.md', tmpdir()])(
  '--report %s is refused before any work when it can’t be written',
  async (file) => {
    const { exitCode, stdout, stderr } = await rig.cli([
      'verify',
      SYMBOL,
      ...ARGS,
      '--report',
      file,
    ]);
    expect(stderr).toMatch(new RegExp(`^error EXPORT_UNWRITABLE: ${file}: `));
    expect({ exitCode, stdout }).toEqual({ exitCode: 7, stdout: '' });
  },
);

const COLUMNS =
  'ts, market, symbol, open, high, low, close, delta, buy_volume, sell_volume, quote_delta, quote_volume, ' +
  'agg_trades, trades, price_open, price_high, price_low, price_close, first_id, last_id, status, level_from, ' +
  'level_missing, base_buy_volume, base_sell_volume, buy_agg_trades, buy_trades';

describe('verify finds and names damage, and repair fixes it with no more requests than needed', () => {
  // An hour of 2,500 trades takes three pages, and one more for its neighbours.
  const HOUR_REQUESTS = 4;

  test('a trade that was voided', async () => {
    await upsertTrade({ price: '0', qty: '0', first_id: '-2', last_id: '-2' });
    const { exitCode, days } = await verify();
    expect(exitCode).toBe(11);
    expect(findings(days)[0]).toMatch(new RegExp(`^trades_missing 02:00 .*ids ${victim().aggId}$`));
    await expectRepaired(HOUR_REQUESTS);
  });

  test('a trade that was altered', async () => {
    await upsertTrade({ price: '1.00000000' });
    const { exitCode, days } = await verify();
    expect(exitCode).toBe(11);
    expect(findings(days)[0]).toMatch(/^content_differs 02:00 /);
    expect(findings(days)[1]).toMatch(/^kline_differs 02:\d\d .*the exchange's candle has/);
    const storeOnly = await verify('--no-klines');
    expect(storeOnly.days[0]).not.toHaveProperty('klines');
    expect(findings(storeOnly.days)).toEqual([expect.stringMatching(/^content_differs 02:00 /)]);
    await expectRepaired(HOUR_REQUESTS);
    const [gap] = await app.sql.query(
      `SELECT class, evidence FROM gaps WHERE symbol = ${literal(SYMBOL)} AND from_id = ${victim().aggId}`,
    );
    expect(gap?.['class']).toBe('duplicate_id');
    expect(gap?.['evidence']).toContain('the store had price 1.00000000');
    expect(gap?.['evidence']).toContain(`the exchange gives price ${victim().price}`);
  });

  test('a trade that the exchange never had', async () => {
    await upsertTrade({ agg_id: '999999999' });
    const { exitCode, days } = await verify();
    expect(exitCode).toBe(11);
    expect(findings(days)[0]).toMatch(
      /^trades_strange 02:00 1 rows that no fetch has proven: ids 999999999$/,
    );
    await expectRepaired(HOUR_REQUESTS);
  });

  test('a tier bar that was altered', async () => {
    const columns =
      'ts, market, symbol, tier, open, high, low, close, delta, buy_volume, sell_volume, agg_trades, trades, status, level_from, level_missing, series_tier';
    await app.sql.query(
      `INSERT INTO tiers_exact_1h (${columns}) SELECT ${columns.replace(' agg_trades,', ' agg_trades + 1,')} FROM tiers_exact_1h ` +
        `WHERE symbol = ${literal(SYMBOL)} AND ts = ${timestamp(DAY + HOUR_MS)} AND tier = '0'`,
    );
    await app.sql.waitApplied('tiers_exact_1h');
    const { exitCode, days } = await verify();
    expect(exitCode).toBe(11);
    expect(findings(days)).toEqual([
      expect.stringMatching(/^bar_differs 01:00 1h tier 0 bar aggTrades is \d+, the trades give /),
    ]);
    await expectRepaired(0);
  });

  test('a bar that was altered', async () => {
    const [bar] = await app.sql.query(
      `SELECT * FROM cdv_exact_5m WHERE symbol = ${literal(SYMBOL)} AND ts = ${timestamp(DAY + HOUR_MS)}`,
    );
    expect(bar).toBeDefined();
    await app.sql.query(
      `INSERT INTO cdv_exact_5m (${COLUMNS}) SELECT ${COLUMNS.replace(' close,', ' (close + 1m)::decimal(38,8),')} FROM cdv_exact_5m WHERE symbol = ${literal(SYMBOL)} AND ts = ${timestamp(DAY + HOUR_MS)}`,
    );
    await app.sql.waitApplied('cdv_exact_5m');
    const { exitCode, days } = await verify();
    expect(exitCode).toBe(11);
    expect(findings(days)).toEqual([
      expect.stringMatching(/^bar_differs 01:00 5m bar close is .*, the trades give /),
    ]);
    await expectRepaired(0);
    const [logged] = await app.sql.query(
      `SELECT what, reason FROM restatements WHERE symbol = ${literal(SYMBOL)} ORDER BY seen_at DESC LIMIT 1`,
    );
    expect(logged).toMatchObject({
      what: 'bars',
      reason: expect.stringContaining('5m bar close is'),
    });
  });

  test('a continuous level that was altered', async () => {
    const { originMs = 0, bases: anchors } = await app.bars.midnightBases(spot(SYMBOL));
    await app.bars.writeMidnightBases(
      spot(SYMBOL),
      originMs,
      anchors.map((anchor) => ({ ...anchor, baseE8: anchor.baseE8 + 1n })),
    );
    const { exitCode, days } = await verify();
    expect(exitCode).toBe(11);
    expect(findings(days)).toEqual([
      expect.stringMatching(
        /^anchor_differs 00:00 .*stored as 0\.00000001 .*the days give 0\.00000000/,
      ),
    ]);
    await expectRepaired(0);
  });

  test('a ledger row that was lost', async () => {
    // The database can't delete rows; under another symbol this row no longer belongs to the series.
    await app.sql.query(
      `UPDATE slices SET symbol = ${literal(`${SYMBOL}LOST`)} WHERE symbol = ${literal(SYMBOL)} AND ts = ${timestamp(DAY + 2 * HOUR_MS)}`,
    );
    await app.sql.waitApplied('slices');
    const { exitCode, days } = await verify();
    expect(exitCode).toBe(11);
    expect(findings(days)).toEqual([expect.stringMatching(/^ledger_lost 02:00 /)]);
    // The stored rows equal those of the bars, so they are taken, and only the end of the hour is requested.
    await expectRepaired(1);
  });
});

describe('when the exchange can’t be asked for its candles', () => {
  const UNREACHABLE = { BINANCE_SPOT_URL: 'http://127.0.0.1:1' };

  test.each([
    {
      code: 0,
      damage: false,
      hours: '04:00',
      conclusion: /^proven: 4 hours, .*; klines of 1 day not compared$/m,
    },
    {
      code: 3,
      damage: false,
      hours: '05:00',
      conclusion: /^nothing wrong, but 1 hour not proven/m,
    },
    { code: 11, damage: true, hours: '04:00', conclusion: /^WRONG: 1 finding;/m },
  ])(
    'exit code $code depends on the store alone, and missing comparisons are reported',
    async ({ code, damage, hours, conclusion }) => {
      const args = ['verify', SYMBOL, '--from', '2024-06-10', '--to', `2024-06-10T${hours}Z`];
      if (damage) await upsertTrade({ price: '1.00000000' });
      const text = await rig.cli(args, UNREACHABLE);
      const json = await rig.cli([...args, '--json'], UNREACHABLE);
      if (damage) await upsertTrade({});

      expect(text.exitCode).toBe(code);
      expect(text.stdout).toMatch(conclusion);
      expect(text.stdout).toMatch(
        new RegExp(`^${SYMBOL} 2024-06-10: klines not compared: EXCHANGE_UNREACHABLE: `, 'm'),
      );
      expect(json.exitCode).toBe(code);
      const day = JSON.parse(json.stdout.split('\n')[0] ?? '') as DayReport;
      expect(day).toMatchObject({
        rows: offered.length,
        klines: { minutes: 0, equal: 0 },
        unheard: [{ witness: 'klines', reason: expect.stringMatching(/^EXCHANGE_UNREACHABLE: /) }],
      });
      expect(day.findings.map(({ kind }) => kind)).toEqual(damage ? ['content_differs'] : []);
    },
  );

  test('verify does not wait for the end of a ban', async () => {
    const egress = unique('banned-');
    const bannedUntilMs = Date.now() + 2 * HOUR_MS;
    await createExchangeStateStore(app.sql).save('binance_spot', egress, {
      weightLimit: 6_000,
      windowMs: 60_000,
      limitsAtMs: 0,
      bannedUntilMs,
    });
    const { exitCode, stdout } = await rig.cli(['verify', SYMBOL, ...ARGS], {
      CDVAULT_EGRESS: egress,
    });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(
      `klines not compared: EXCHANGE_BANNED: this address is banned until ${new Date(bannedUntilMs).toISOString()}`,
    );
    expect(rig.exchange.requests.entries).toEqual([]);
  });
});

test('an hour that is not proven is no mismatch: it is counted and named, with exit code 3', async () => {
  const wider = ['--from', '2024-06-10T00:00Z', '--to', '2024-06-10T05:00Z'];
  const { exitCode, stdout } = await rig.cli(['verify', SYMBOL, ...wider]);
  expect(exitCode).toBe(3);
  expect(stdout).toMatch(/2024-06-10T04:00Z not proven: unknown/);
  expect(stdout).toMatch(/nothing wrong, but 1 hour not proven/);
});
