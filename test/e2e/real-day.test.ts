import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { BATCH_ROWS } from '../../src/app/hour/fetch-hour.ts';
import { enqueueRun, isRunOver } from '../../src/app/plan/run-backfill.ts';
import { createSql } from '../../src/adapters/questdb/sql.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { type Interval, INTERVAL_MS, INTERVALS } from '../../src/domain/time/interval.ts';
import { TIER_INTERVALS } from '../../src/domain/bars/tier.ts';
import { uniformSequence } from '../exchange/random.ts';
import { REAL_DAY_PATH, realDayIsHere } from '../golden/real-day.ts';
import { type CliResult, unique } from '../support/command-line.ts';
import {
  exportSeries,
  type OrderedExport,
  RESULT_TABLES,
  type SeriesTable,
} from '../support/exports.ts';
import { type AnchorCase, expectAnchored } from './anchor-cases.ts';
import { AnchoredReference } from './anchored-reference.ts';
import {
  DAY,
  DAY_ROWS,
  eventually,
  exactRows,
  fileLine,
  type HourIds,
  HOURS,
  NOTEBOOK_ROWS,
  PAGE_ROWS,
  PATIENCE_MS,
  PUBLISHED,
  RealDayRig,
  type Reference,
  reference,
  refetched,
  storedTrades,
  windowTables,
} from './real-day-rig.ts';

/** 2024-01-01 is a Monday and the first day of a month. */
const ANCHOR_CASES: readonly AnchorCase[] = [
  { anchor: 'day', lengths: ['1m', '3m', '1d'] },
  { anchor: 'total', lengths: ['30m', '2h', '12h'] },
  { anchor: 'week', lengths: ['15m'] },
  { anchor: 'month', lengths: ['5m', '4h'] },
  { anchor: 'from', lengths: ['1h'] },
  { anchor: '2024-01-01T10:31Z', lengths: ['1m'] },
  { anchor: 'rolling:24', lengths: ['1m'] },
  { anchor: 'session:00:00@America/New_York', lengths: ['1h', '4h'] },
  { anchor: 'session:09:30@America/New_York', lengths: ['1m', '1h'] },
  { anchor: 'session:08:00@Europe/London', lengths: ['1h'] },
  { anchor: 'session:09:00@Asia/Tokyo', lengths: ['12h', '1d'] },
  { anchor: 'session:09:15@Asia/Kolkata', lengths: ['15m', '1h'] },
];

const MEMORY_BOUND_BYTES = 300 * 1024 * 1024;
const DAY_ARGS = ['--from', '2024-01-01', '--to', '2024-01-02'];
const BY_REST = [...DAY_ARGS, '--source', 'rest'];
/** `CDVAULT_FULL=1` takes the whole day, which would make this test the longest by far. */
const KILL_HOURS = process.env['CDVAULT_FULL'] === '1' ? 24 : 8;
const NEVER = new AbortController().signal;

if (!realDayIsHere()) {
  const missing = `REAL DAY MISSING: the pipeline was not checked against real trades. Put the archive at ${REAL_DAY_PATH}, or name it in CDVAULT_REAL_DAY`;
  // Also written here, since reporters omit the names of skipped tests.
  process.stderr.write(`${missing}\n`);
  it.skip(missing, () => undefined);
}

/** A seed, which the test prints; `CDVAULT_SEED` repeats a run. */
function newSeed(): number {
  return Number(process.env['CDVAULT_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
}

/** Prints a figure for information only: a test must not fail because a machine is slow. */
function print(line: string): void {
  process.stderr.write(`real day: ${line}\n`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

describe.runIf(realDayIsHere())('the real day, end to end', () => {
  // Symbols that no earlier run on the same services has used; the exchange accepts at most 20 characters.
  const hour = unique('REALHOUR');
  const day = unique('REALDAY');
  const shuffled = unique('REALMIXED');
  const killed = unique('REALKILLED');
  let rig: RealDayRig;
  let expected: Reference;
  let dayEnv: Record<string, string>;
  let dayRun: CliResult;
  /** Ordered exports of the uninterrupted day, which every other way must equal. */
  let dayTables: Readonly<Record<string, OrderedExport>>;

  beforeAll(async () => {
    rig = await RealDayRig.start(inject('services'), [hour, day, shuffled, killed]);
    expected = await reference();
    dayEnv = rig.env();
    dayRun = await rig.startCli(['backfill', day, ...BY_REST, '--json'], {
      env: dayEnv,
      via: 'bin',
    }).done;
    dayTables = await exportSeries(rig.services, day);
    print(`the day took ${seconds(dayRun.durationMs)}, ${await rig.rowsServed(day)} rows served`);
  }, PATIENCE_MS);

  // So that a failed test leaves no worker to the next one.
  afterEach(() => rig.endCommands());
  afterAll(() => rig.dispose());

  const q = async (text: string) => rig.query(text);
  const numbersOf = (lines: readonly string[]) =>
    lines.map((line) => line.trim().split(/ {2,}/).slice(0, 5).join(' '));

  it('stores the complete real hour', async () => {
    const args = ['backfill', hour, '--from', '2024-01-01T10:00Z', '--to', '2024-01-01T11:00Z'];
    const run = await rig.startCli(args, { env: rig.env() }).done;
    expect(run).toMatchObject({ exitCode: 0 });
    expect(
      await q(
        `SELECT count() n, min(agg_id) first, max(agg_id) last, count_distinct(agg_id) ids FROM ${await rig.tradesOf(hour)}`,
      ),
    ).toEqual([{ n: '26340', first: '2808045203', last: '2808071542', ids: '26340' }]);
    expect(
      await q(
        `SELECT delta, close, status, level_from = '2024-01-01T10' from_ten FROM cdv_exact_1h WHERE symbol = '${hour}' AND status <> 'void'`,
      ),
    ).toEqual([{ delta: '59.71163000', close: '59.71163000', status: 'final', from_ten: 't' }]);
    expect(await q(`SELECT verdict, rows, delta FROM coverage WHERE symbol = '${hour}'`)).toEqual([
      { verdict: 'proven', rows: '26340', delta: '59.71163' },
    ]);
    print(`the hour took ${seconds(run.durationMs)}`);
  });

  it('stores the whole day, every trade digit for digit', async () => {
    expect(dayRun).toMatchObject({ exitCode: 0 });
    const summary = JSON.parse(dayRun.stdout.trim().split('\n').at(-1) ?? '{}') as unknown;
    expect(summary).toMatchObject({
      type: 'summary',
      proven: 24,
      gap: 0,
      open: 0,
      unknown: 0,
      rows: DAY_ROWS,
      failures: [],
    });
    const stored = await storedTrades(rig, day);
    expect(stored.rows).toBe(DAY_ROWS);
    const hash = createHash('sha256');
    for (const trade of expected.trades) hash.update(`${fileLine(trade)}\n`);
    expect(stored.lines[0]).toBe(expected.trades.slice(0, 1).map(fileLine)[0]);
    expect(stored.sha256).toBe(hash.digest('hex'));
  });

  it('has the bars that the window functions of the database compute from its stored trades', async () => {
    const byWindows = await windowTables(rig, await rig.app(dayEnv), day);
    for (const [table, rows] of Object.entries(byWindows))
      expect(dayTables[table], table).toEqual(rows);
  });

  it('proves 24 of 24 hours, chained by their ids', async () => {
    const rows = await q(
      `SELECT s.first_id, s.last_id, s.prev_id, s.next_id, c.verdict, c.rows FROM (slices WHERE symbol = '${day}') s ` +
        `JOIN (coverage WHERE symbol = '${day}') c ON s.ts = c.ts ORDER BY s.ts`,
    );
    expect(rows).toHaveLength(24);
    let nextId = 2_807_759_891;
    for (const row of rows) {
      expect(row).toMatchObject({
        verdict: 'proven',
        first_id: String(nextId),
        prev_id: String(nextId - 1),
      });
      nextId += Number(row['rows']);
      expect(row).toMatchObject({ last_id: String(nextId - 1), next_id: String(nextId) });
    }
    expect(nextId).toBe(2_807_759_891 + DAY_ROWS);
    expect(await q(`SELECT * FROM gaps WHERE symbol = '${day}'`)).toEqual([]);
  });

  // The simulator makes its candles from the same file, so this tests the comparison, not the exchange.
  it('verifies every trade, bar and level, and 1,440 of 1,440 minutes against the candles', async () => {
    const run = await rig.startCli(['verify', day, ...DAY_ARGS, '--json'], { env: dayEnv }).done;
    const [report] = run.stdout.split('\n').map((line) => JSON.parse(line || '{}') as object);
    expect(report).toMatchObject({
      proven: 24,
      rows: DAY_ROWS,
      delta: '1489.16457000',
      bars: { state: 'compared' },
      klines: { minutes: 1_440, equal: 1_440 },
      findings: [],
    });
    expect(run.exitCode).toBe(0);
    print(`verifying the day took ${seconds(run.durationMs)}`);
  });

  it.each(PUBLISHED)(
    'has the published delta of the %s bar of %s',
    async (interval, time, delta) => {
      const at = `symbol = '${day}' AND ts = '2024-01-01T${time}:00Z'`;
      expect(await q(`SELECT delta, status FROM cdv_exact_${interval} WHERE ${at}`)).toEqual([
        { delta, status: 'final' },
      ]);
      for (const view of [`cdv_${interval}`, `cdv_${interval}_total`, `bars_${interval}`]) {
        const [row] = await q(`SELECT delta FROM ${view} WHERE ${at}`);
        expect([view, Number(row?.['delta'])]).toEqual([view, Number(delta)]);
      }
    },
  );

  it('has the published volume, trade count and taker buy volume of the day', async () => {
    expect(
      await q(`SELECT volume, trades, buy_volume, delta FROM bars_1d WHERE symbol = '${day}'`),
    ).toEqual([
      { volume: '27174.29903', trades: '1114623', buy_volume: '14331.7318', delta: '1489.16457' },
    ]);
  });

  it('shows the notebook’s four rows', async () => {
    const shown = await rig.startCli(['show', day, '--from', '2024-01-01'], { env: dayEnv }).done;
    expect(shown).toMatchObject({ exitCode: 0 });
    const lines = shown.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(1 + 1440);
    expect(lines[0]?.trim().split(/ +/)).toEqual(['open', 'high', 'low', 'close', 'delta']);
    expect(numbersOf(lines.slice(1 + 600, 1 + 604))).toEqual(NOTEBOOK_ROWS);
  });

  it.each(INTERVALS)(
    'has every %s bar of the reference, digit for digit in every column',
    async (interval) => {
      const bars = await exactRows(rig, interval, day);
      expect(bars).toHaveLength(DAY_MS / INTERVAL_MS[interval]);
      expect(bars).toEqual(expected.bars.get(interval));
    },
  );

  it.each(TIER_INTERVALS)('has tiers that add up to every %s bar', async (interval) => {
    const sums = ['delta', 'close', 'buy_volume'].map(
      (name) => `sum(${name})::decimal(38,8) ${name}`,
    );
    const from = `FROM tiers_exact_${interval} WHERE symbol = '${day}' AND status = 'final' ORDER BY us`;
    const added = await q(
      `SELECT ts::long us, ${sums.join(', ')}, sum(agg_trades) agg_trades, count() tiers ${from}`,
    );
    const whole = await q(
      `SELECT ts::long us, delta, close, buy_volume, agg_trades ${from.replace('tiers', 'cdv')}`,
    );
    expect(added).toEqual(whole.map((bar) => ({ ...bar, tiers: '4' })));
    expect(whole).toHaveLength(DAY_MS / INTERVAL_MS[interval]);
  });

  it('has views with the exact values rounded once', async () => {
    const exact = expected.bars.get('1m') ?? [];
    const rows = await q(
      `SELECT open, high, low, close, delta, buy_volume, sell_volume, price_open, price_close FROM cdv_1m WHERE symbol = '${day}' ORDER BY ts`,
    );
    const names = [
      'open',
      'high',
      'low',
      'close',
      'delta',
      'buyVolume',
      'sellVolume',
      'priceOpen',
      'priceClose',
    ];
    expect(rows.map((row) => Object.values(row).map(Number))).toEqual(
      exact.map((bar) => names.map((name) => Number(bar[name]))),
    );
  });

  it.each(ANCHOR_CASES)(
    'has the levels from every anchor as sums of its trades, by show and by the documented SQL: $anchor',
    async (anchorCase) => {
      const app = await rig.app(dayEnv);
      const range = { startMs: DAY, endMs: DAY + 24 * HOUR_MS };
      const trades = expected.trades.map((trade) => ({
        timeUs: trade.timeUs,
        a: trade.aggId,
        p: trade.price,
        q: trade.qty,
        f: trade.firstId,
        l: trade.lastId,
        m: trade.isBuyerMaker,
      }));
      const reader = createSql(rig.services.questdbReadonlyPgUrl, 1);
      try {
        const reference = new AnchoredReference(trades);
        const store = { app, reader, symbol: day, range, reference };
        const { shown, bySql } = await expectAnchored(store, anchorCase);
        expect(Math.min(shown, bySql)).toBeGreaterThan(0);
      } finally {
        await reader.close();
      }
    },
  );

  it('requests no trade and changes no row the second time', async () => {
    // With all columns, since nothing may have been written at all.
    const all = async () => exportSeries(rig.services, day, RESULT_TABLES, { columns: ['*'] });
    const before = { requests: (await rig.exchange.tradeRequests()).length, tables: await all() };
    const again = await rig.startCli(['backfill', day, ...BY_REST], { env: dayEnv, via: 'bin' })
      .done;
    expect(again).toMatchObject({ exitCode: 0 });
    expect({ requests: (await rig.exchange.tradeRequests()).length, tables: await all() }).toEqual(
      before,
    );
    print(`the second run took ${seconds(again.durationMs)}`);
  });

  it.runIf(process.platform === 'linux')('uses at most 300 MB of memory', () => {
    const { peakBytes = Number.NaN } = dayRun;
    print(`peak memory ${(peakBytes / 1024 / 1024).toFixed(0)} MB`);
    expect(peakBytes).toBeGreaterThan(0);
    expect(peakBytes).toBeLessThanOrEqual(MEMORY_BOUND_BYTES);
  });

  describe('through the read-only user', () => {
    const read = async (text: string) => rig.query(text, 'reader');
    const bigDeltas = (interval: Interval, from: number, to: number) =>
      (expected.bars.get(interval) ?? [])
        .slice(from, to)
        .filter(({ delta }) => Math.abs(Number(delta)) > 0.4);

    /** The scans of a query plan, with their intervals. */
    async function scansOf(text: string): Promise<string[]> {
      const plan = (await read(`EXPLAIN ${text}`)).map(
        (row) => Object.values(row)[0]?.trim() ?? '',
      );
      return plan.filter((line) => /scan on:|^intervals:/.test(line));
    }

    it('answers for an hour of minutes and reads that hour only', async () => {
      const text = `select * from cdv_1m where symbol='${day}' and ts in '2024-01-01T10' and abs(delta) > 0.4`;
      const rows = await read(text);
      expect(rows.map((row) => Number(row['delta']))).toEqual(
        bigDeltas('1m', 600, 660).map(({ delta }) => Number(delta)),
      );
      expect(rows.length).toBeGreaterThan(0);
      expect(await scansOf(text)).toEqual([
        'Interval forward scan on: cdv_exact_1m',
        'intervals: [("2024-01-01T10:00:00.000000Z","2024-01-01T10:59:59.999999Z")]',
      ]);
    });

    it('answers for a day of continuous hours and reads that day only', async () => {
      const text = `select * from cdv_1h_total where symbol='${day}' and ts in '2024-01-01' and abs(delta) > 0.4`;
      const rows = await read(text);
      expect(rows.map((row) => Number(row['close']))).toEqual(
        bigDeltas('1h', 0, 24).map(({ close }) => Number(close)),
      );
      expect(rows.length).toBeGreaterThan(0);
      expect(await scansOf(text)).toEqual([
        'Interval forward scan on: cdv_exact_1h',
        'intervals: [("2024-01-01T00:00:00.000000Z","2024-01-01T23:59:59.999999Z")]',
        // One row for each midnight; the join searches them from the newest on.
        'Frame forward scan on: anchors',
      ]);
    });

    it.each([
      ["INSERT INTO series VALUES (0, 'binance_spot', 'NOBODY', 0, 0)"],
      ['UPDATE series SET scheduled_from = 0'],
      ['TRUNCATE TABLE series'],
      ['DROP TABLE series'],
      ['CREATE TABLE real_day_reader (a INT)'],
    ])('refuses %s', async (text) => {
      await expect(read(text)).rejects.toThrow(/permission denied/);
    });
  });

  it(
    'gives the same tables with hours in random order and four workers at once',
    async () => {
      const seed = newSeed();
      const random = uniformSequence(seed);
      const order = HOURS.map((hourMs) => ({ hourMs, place: random() })).toSorted(
        (a, b) => a.place - b.place,
      );
      print(
        `four workers, seed ${seed}: ${order.map(({ hourMs }) => (hourMs - DAY) / HOUR_MS).join(' ')}`,
      );
      const env = rig.env({ CDVAULT_CONCURRENCY: '2' });
      const app = await rig.app(env);
      const series = { market: 'binance_spot', symbol: shuffled } as const;
      const startedMs = performance.now();
      const workers = Array.from({ length: 4 }, () => rig.startCli(['worker'], { env }));
      const runIds: string[] = [];
      for (const { hourMs } of order) {
        // One detached backfill for each hour, so that bars and chain jobs run while slices are in progress.
        const range = { startMs: hourMs, endMs: hourMs + HOUR_MS };
        const runId = unique('run-');
        runIds.push(runId);
        await enqueueRun(app, { runId, series: [series], range }, NEVER);
      }
      await eventually('all runs are over', workers, async () => {
        for (const runId of runIds) if (!(await isRunOver(app, runId, [series]))) return false;
        const counts = await app.queue.counts();
        return counts.every(({ waiting, active, delayed }) => waiting + active + delayed === 0);
      });
      print(`four workers took ${seconds(performance.now() - startedMs)}`);
      for (const worker of workers) worker.kill('SIGTERM');
      for (const worker of workers) expect(await worker.done).toMatchObject({ exitCode: 0 });
      expect(await exportSeries(rig.services, shuffled)).toEqual(dayTables);
      const [moved] = await q(`SELECT count() n FROM restatements WHERE symbol = '${shuffled}'`);
      print(`levels moved and were logged ${moved?.['n']} times on the way`);
    },
    PATIENCE_MS,
  );

  it(
    'gives the same tables after five kills',
    async () => {
      const seed = newSeed();
      const random = uniformSequence(seed);
      const env = rig.env({ CDVAULT_CONCURRENCY: '4' });
      const toMs = DAY + KILL_HOURS * HOUR_MS;
      const args = [
        'backfill',
        killed,
        '--from',
        '2024-01-01',
        '--to',
        new Date(toMs).toISOString(),
        '--source',
        'rest',
      ];
      const start = () => rig.startCli(args, { env });
      const ids = await hourIds();
      const rowsWanted = (ids.at(-1)?.[1] ?? 0) - (ids[0]?.[0] ?? 0) + 1;
      // Four during the fetch, and one when every hour is in the ledger and the bars are due.
      const points = Array.from({ length: 4 }, () => random() * rowsWanted).toSorted(
        (a, b) => a - b,
      );
      const moments = [
        ...points.map((rows) => async () => (await rig.rowsServed(killed)) >= rows),
        async () => {
          const [row] = await q(`SELECT count() n FROM slices WHERE symbol = '${killed}'`);
          return Number(row?.['n']) === KILL_HOURS;
        },
      ];
      print(
        `kills over ${KILL_HOURS} hours (24 with CDVAULT_FULL=1), seed ${seed}: ${points.map((rows) => Math.round(rows)).join(', ')} of ${rowsWanted} rows, and the bars`,
      );
      const startedMs = performance.now();
      const kills: number[] = [];
      for (const isReached of moments) {
        const command = start();
        await eventually('the moment of the kill', [command], isReached);
        await sleep(random() * 500);
        command.kill('SIGKILL');
        // Ended by the signal, and not before it.
        expect(await command.done).toMatchObject({ exitCode: undefined });
        kills.push((await rig.requestsOf(killed)).length);
      }
      expect(await start().done).toMatchObject({ exitCode: 0 });
      print(`five kills took ${seconds(performance.now() - startedMs)}`);

      const whole: readonly SeriesTable[] =
        KILL_HOURS === 24 ? [] : ['bar_days', 'cdv_exact_1d', 'tiers_exact_1d'];
      const tables = RESULT_TABLES.filter((table) => !whole.includes(table));
      expect(await exportSeries(rig.services, killed, tables, { toMs })).toEqual(
        await exportSeries(rig.services, day, tables, { toMs }),
      );
      const [dayBar] = await q(
        `SELECT close, agg_trades FROM cdv_exact_1d WHERE symbol = '${killed}'`,
      );
      const lastHour = expected.bars.get('1h')?.[KILL_HOURS - 1];
      expect(dayBar).toEqual({ close: lastHour?.['close'], agg_trades: String(rowsWanted) });
      const requests = await rig.requestsOf(killed);
      const again = kills.map((moment) => refetched(requests, moment, ids));
      const served = requests.reduce((total, { rows }) => total + rows, 0);
      print(
        `${served - rowsWanted} rows were served twice or beyond the hours; most of one hour after each kill: ${again.map((hours) => Math.max(...hours)).join(', ')}`,
      );
      // One batch that was not flushed, the page that filled it, and the page in flight.
      expect(Math.max(...again.flat())).toBeLessThanOrEqual(BATCH_ROWS + 2 * PAGE_ROWS);
    },
    PATIENCE_MS,
  );

  /** Ids of the hours of the test with kills. */
  async function hourIds(): Promise<HourIds[]> {
    const rows = await q(
      `SELECT first_id, last_id FROM slices WHERE symbol = '${day}' ORDER BY ts LIMIT ${KILL_HOURS}`,
    );
    return rows.map((row) => [Number(row['first_id']), Number(row['last_id'])]);
  }
});
