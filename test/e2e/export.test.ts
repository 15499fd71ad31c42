import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS, hoursOf } from '../../src/domain/time/hour.ts';
import { INTERVAL_MS } from '../../src/domain/time/interval.ts';
import type { SliceRecord } from '../../src/domain/proof/ledger.ts';
import { faultySeries } from '../exchange/data-faults.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { type CliResult, unique } from '../support/command-line.ts';
import {
  contentOf,
  duckdbLines,
  type Manifest,
  sha256,
  volume,
} from '../support/exported-files.ts';
import { CAN_RUN_CLIENTS_PYTHON, clientsPythonMissing } from '../support/python-environment.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { NEVER, tradesTable } from '../support/store.ts';
import { truth } from './reference.ts';
import { Rig, spot } from './rig.ts';

/** The last hours of a day and the first hours of the next one. */
const MIDNIGHT = Date.UTC(2024, 8, 10);
const RANGE = { startMs: MIDNIGHT - 2 * HOUR_MS, endMs: MIDNIGHT + 3 * HOUR_MS };
const base = syntheticTrades({
  seed: 81,
  fromMs: RANGE.startMs - HOUR_MS,
  toMs: RANGE.endMs + 3 * HOUR_MS,
  tradesPerHour: 900,
  firstId: 7_000,
});
const idIn = (hourMs: number, n: number) => base.firstId + base.indexAtTime(hourMs * 1000) + n;
const trades = faultySeries(base, [
  { kind: 'invalidRow', id: idIn(MIDNIGHT, 7) },
  // Its time is in the hour before, but by its id it is a trade of the later hour.
  { kind: 'timeBackwards', id: idIn(MIDNIGHT + HOUR_MS, 3), byMs: 1_200_000 },
]);
const rows = truth(trades, RANGE);
const SYMBOL = unique('EXPORT');

let rig: Rig;
let app: App;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cdvault-export-'));
  rig = await Rig.start({ symbols: [{ symbol: SYMBOL, trades }], concurrency: 1 });
  app = await rig.app();
  const run = await rig.backfill(app, [spot(SYMBOL)], RANGE);
  expect(run).toMatchObject({ exitCode: 0 });
});

afterAll(async () => {
  await rig.dispose();
  await rm(folder, { recursive: true });
});

function rangeArgs({ startMs, endMs }: { startMs: number; endMs: number } = RANGE): string[] {
  return ['--from', new Date(startMs).toISOString(), '--to', new Date(endMs).toISOString()];
}

async function exported(
  out: string,
  more: readonly string[] = [],
  range: readonly string[] = rangeArgs(),
): Promise<CliResult> {
  return rig.cli(['export', SYMBOL, ...range, '--out', path.join(folder, out), ...more]);
}

const seriesFolder = (out: string, kind = 'trades') =>
  path.join(folder, out, kind, 'market=binance_spot', `symbol=${SYMBOL}`);

function manifestOf(out: string, kind?: string): Manifest {
  const file = path.join(seriesFolder(out, kind), '_manifest.json');
  return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
}

test('trades are exported as a file for each day and a manifest of ids, sums and hashes', async () => {
  const { exitCode, stdout, stderr } = await exported('trades');
  expect(stderr).not.toContain('error');
  expect(exitCode).toBe(0);
  expect(Math.max(...stdout.split('\n').map((line) => line.length - folder.length))).toBeLessThan(
    81,
  );
  expect(await contentOf(seriesFolder('trades'))).toEqual({
    '_manifest.json': expect.any(String),
    'day=2024-09-09/part.parquet': expect.any(String),
    'day=2024-09-10/part.parquet': expect.any(String),
  });
  const manifest = manifestOf('trades');
  const firstOfDay = idIn(MIDNIGHT, 0);
  const days = [
    rows.filter(({ aggId }) => aggId < firstOfDay),
    rows.filter(({ aggId }) => aggId >= firstOfDay),
  ];
  for (const [index, file] of manifest.files.entries()) {
    const day = days[index] ?? [];
    const content = readFileSync(path.join(seriesFolder('trades'), file.path));
    expect(file).toEqual({
      day: ['2024-09-09', '2024-09-10'][index],
      path: `day=${file.day}/part.parquet`,
      rows: day.length,
      bytes: content.length,
      sha256: sha256(content),
      firstId: day[0]?.aggId,
      lastId: day.at(-1)?.aggId,
      buyVolume: volume(day, false),
      sellVolume: volume(day, true),
    });
  }
  expect(manifest).toMatchObject({
    type: 'export',
    what: 'trades',
    unit: 'base',
    rows: rows.length,
    from: '2024-09-09T22:00:00Z',
    to: '2024-09-10T03:00:00Z',
    before: { id: (rows[0]?.aggId ?? 0) - 1 },
    after: { id: (rows.at(-1)?.aggId ?? 0) + 1 },
    numbers: 'decimal',
    verification: {
      verdict: 'proven',
      checked: ['ids', 'counts', 'content_hashes', 'neighbours', 'file_read_back'],
    },
  });
  const records = await app.ledger.records(spot(SYMBOL), RANGE);
  expect(manifest.hours.map(({ contentHash }) => contentHash)).toEqual(
    records.map(({ contentHash }) => contentHash),
  );
  const fingerprint = await rig.cli(['fingerprint', SYMBOL, ...rangeArgs(), '--json']);
  expect(manifest.fingerprint.root).toBe((JSON.parse(fingerprint.stdout) as { root: string }).root);
});

test('a second export writes the same files to the last byte; only the time in the manifest differs', async () => {
  await exported('again');
  const files = await contentOf(seriesFolder('again'));
  const { createdAt, ...manifest } = manifestOf('again');
  const { exitCode, stdout } = await exported('again', ['--json']);
  expect(exitCode).toBe(0);
  const { createdAt: createdLater, ...later } = JSON.parse(stdout) as Manifest;
  expect(later).toEqual(manifest);
  expect(createdLater > createdAt).toBe(true);
  const { '_manifest.json': _, ...parquet } = await contentOf(seriesFolder('again'));
  expect(files).toMatchObject(parquet);
});

describe('a folder that holds an export', () => {
  const inner = { startMs: RANGE.startMs, endMs: RANGE.startMs + HOUR_MS };

  test('accepts a range that contains it; another one is refused with exit code 2', async () => {
    expect(await exported('grown', [], rangeArgs(inner))).toMatchObject({ exitCode: 0 });
    expect(await exported('grown')).toMatchObject({ exitCode: 0 });
    const before = await contentOf(folder);
    const { exitCode, stderr } = await exported('grown', [], rangeArgs(inner));
    expect(stderr).toContain('holds an export of 2024-09-09T22:00:00Z to 2024-09-10T03:00:00Z');
    expect(exitCode).toBe(2);
    expect(await contentOf(folder)).toEqual(before);
  });
});

describe('an export is refused and the folder unchanged', () => {
  test('when an hour of the range is not proven: exit code 3, and the hour is named', async () => {
    const wider = { startMs: RANGE.startMs, endMs: RANGE.endMs + 2 * HOUR_MS };
    const { exitCode, stderr } = await exported('unproven', [], rangeArgs(wider));
    expect(stderr).toContain(
      `error NOT_PROVEN: ${SYMBOL} has unproven hours: 2 hours from 2024-09-10T03Z (unknown)`,
    );
    expect(exitCode).toBe(3);
    expect(await contentOf(path.join(folder, 'unproven'))).toEqual({});
  });

  test('when a stored trade is not the one that was proven: exit code 11', async () => {
    await exported('changed');
    const before = await contentOf(path.join(folder, 'changed'));
    const victim = rows.find(({ timeUs }) => timeUs > (MIDNIGHT + 2 * HOUR_MS) * 1000);
    if (victim === undefined) throw new Error('no trade');
    await app.trades.write(spot(SYMBOL), [{ ...victim, price: '1.00000001' }], NEVER);
    try {
      const { exitCode, stderr } = await exported('changed');
      expect(stderr).toContain('error STORE_MISMATCH');
      expect(stderr).toContain('2024-09-10T02Z (all');
      expect(exitCode).toBe(11);
    } finally {
      await app.trades.write(spot(SYMBOL), [victim], NEVER);
    }
    expect(await contentOf(path.join(folder, 'changed'))).toEqual(before);
  });

  test('when a stored trade belongs to no hour: exit code 11', async () => {
    const victim = rows.find(({ timeUs }) => timeUs > (MIDNIGHT + 2 * HOUR_MS) * 1000);
    if (victim === undefined) throw new Error('no trade');
    const stranger = { ...victim, aggId: 9_999_999 };
    await app.trades.write(spot(SYMBOL), [stranger], NEVER);
    try {
      const { exitCode, stderr } = await exported('strange');
      expect(stderr).toContain('2024-09-10T02Z (1 rows that no fetch has proven)');
      expect(exitCode).toBe(11);
    } finally {
      await app.trades.bury(spot(SYMBOL), [stranger], NEVER);
    }
  });

  test.each([
    ['delta', 'delta + 1m', 'delta - 1m'],
    ['close', 'close + 1m', 'close - 1m'],
    ['buy_volume', 'buy_volume + 1m', 'buy_volume - 1m'],
    ['agg_trades', 'agg_trades + 1', 'agg_trades - 1'],
    ['low', 'low + 1000000m', 'low - 1000000m'],
  ])('when %s of a bar is not what the hour gives: exit code 11', async (column, wrong, right) => {
    const set = async (value: string) => {
      const bar = `symbol = '${SYMBOL}' AND ts = '2024-09-10T01:05:00Z'`;
      await app.sql.query(`UPDATE cdv_exact_5m SET ${column} = ${value} WHERE ${bar}`);
      await app.sql.waitApplied('cdv_exact_5m');
    };
    await set(wrong);
    try {
      const { exitCode, stderr } = await exported('bars', ['--what', 'bars', '--interval', '5m']);
      expect(stderr).toMatch(/2024-09-10T01Z \(bar_differs\)/);
      expect(exitCode).toBe(11);
    } finally {
      await set(right);
    }
  });

  test('when bars are older than their hours: exit code 3', async () => {
    const [day] = await app.bars.days(spot(SYMBOL), { startMs: MIDNIGHT, endMs: MIDNIGHT + 1 });
    if (day === undefined) throw new Error('no day');
    const stamp = async (inputs: string) => {
      await app.sql.query(
        `UPDATE bar_days SET inputs = '${inputs}' WHERE symbol = '${SYMBOL}' AND ts = '2024-09-10'`,
      );
      await app.sql.waitApplied('bar_days');
    };
    await stamp(day.inputs.replace('01=proven', '01=gap'));
    try {
      const { exitCode, stderr } = await exported('old', ['--what', 'bars']);
      expect(stderr).toContain('2024-09-10 are older than their hours');
      expect(exitCode).toBe(3);
    } finally {
      await stamp(day.inputs);
    }
  });

  test.each([
    {
      when: 'the folder is a file',
      out: '/dev/null/here',
      words: 'error EXPORT_UNWRITABLE',
      code: 7,
    },
    {
      when: 'the folder can’t be made',
      out: '/proc/here',
      words: 'error EXPORT_UNWRITABLE',
      code: 7,
    },
    {
      when: 'a bar would be cut',
      more: ['--what', 'bars', '--interval', '1d'],
      out: 'cut',
      words: 'cuts a 1d bar',
      code: 2,
    },
    {
      when: 'trades have no interval',
      more: ['--interval', '1m'],
      out: 'no',
      words: '--interval applies to bars only',
      code: 2,
    },
    {
      when: 'trades are never plain numbers',
      more: ['--double'],
      out: 'no',
      words: '--double applies to bars only',
      code: 2,
    },
  ])('when $when', async ({ more = [], out, code, words }) => {
    const place = path.resolve(folder, out);
    const { exitCode, stderr } = await rig.cli([
      'export',
      SYMBOL,
      ...rangeArgs(),
      '--out',
      place,
      ...more,
    ]);
    expect(stderr).toContain(words);
    expect(exitCode).toBe(code);
  });
});

describe('an export that is stopped while it writes', () => {
  test.each([
    ['SIGKILL', undefined],
    ['SIGTERM', 130],
  ] as const)(
    'by %s leaves no file under its final name, and the next export writes all files',
    async (signal, code) => {
      const place = path.join(folder, signal);
      const args = ['export', SYMBOL, ...rangeArgs(), '--out', place];
      const command = rig.startCli(args, (line) => {
        if (line.includes('2024-09-09: ')) command.kill(signal);
      });
      expect(await command.done).toMatchObject({ exitCode: code });
      const left = Object.keys(await contentOf(place));
      expect(left.filter((name) => !name.endsWith('.unfinished'))).toEqual([]);
      if (signal === 'SIGTERM') expect(left).toEqual([]);
      expect(await rig.cli(args)).toMatchObject({ exitCode: 0 });
      const names = Object.keys(await contentOf(place)).map((name) => path.basename(name));
      expect(names.toSorted()).toEqual(['_manifest.json', 'part.parquet', 'part.parquet']);
    },
  );
});

// Four commands one after the other take minutes on a busy machine.
describe('backfill --source dir: imports it into another store', { timeout: 400_000 }, () => {
  let own: OwnServices;
  let there: Rig;

  beforeAll(async () => {
    own = await makeOwnServices();
    there = await Rig.start({ symbols: [], services: await own.start(), concurrency: 1 });
  });

  afterAll(async () => {
    await there.dispose();
    await own.dispose();
  });

  test('with the same hashes and root, proven by the same rules; the exchange is not asked for trades', async () => {
    await exported('moved');
    const args = ['backfill', SYMBOL, ...rangeArgs(), '--source', `dir:${folder}/moved`];
    const { exitCode, stderr } = await there.cli(args);
    expect(stderr).toContain('5 of 5 hours proven');
    expect(exitCode, stderr).toBe(0);
    expect(there.exchange.requests.tradeRequests()).toEqual([]);
    const thereApp = await there.app();
    const [ours, theirs] = [
      await app.ledger.records(spot(SYMBOL), RANGE),
      await thereApp.ledger.records(spot(SYMBOL), RANGE),
    ];
    const facts = (record: SliceRecord) => ({ ...record, runId: '', fetchedAtMs: 0, source: '' });
    expect(theirs.map(facts)).toEqual(ours.map(facts));
    const fingerprint = await there.cli(['fingerprint', SYMBOL, ...rangeArgs()]);
    expect(fingerprint.stdout).toContain(`root    ${manifestOf('moved').fingerprint.root}\n`);
    expect(await there.cli(['verify', SYMBOL, ...rangeArgs(), '--no-klines'])).toMatchObject({
      exitCode: 0,
    });
  });

  test('which exports the same bytes, also from a Parquet partition and after rows were written again', async () => {
    const exportThere = async () => {
      const out = path.join(folder, 'there');
      const args = ['export', SYMBOL, ...rangeArgs(), '--out', out];
      const { exitCode, stderr } = await there.cli(args);
      expect(exitCode, stderr).toBe(0);
      const { '_manifest.json': _, ...files } = await contentOf(seriesFolder('there'));
      return files;
    };
    const { '_manifest.json': _, ...here } = await contentOf(seriesFolder('moved'));
    expect(await exportThere()).toEqual(here);
    const { sql, trades: store } = await there.app();
    const table = await tradesTable(sql, SYMBOL);
    await sql.query(`ALTER TABLE ${table} CONVERT PARTITION TO PARQUET LIST '2024-09'`);
    await sql.waitApplied(table);
    expect(
      await sql.query(`SELECT name FROM table_partitions('${table}') WHERE "isParquet"`),
    ).toEqual([{ name: '2024-09' }]);
    expect(await exportThere()).toEqual(here);
    const [first, ...others] = rows.slice(0, 30).toReversed();
    if (first === undefined) throw new Error('no trade');
    await store.write(spot(SYMBOL), [{ ...first, price: '1.00000001' }], NEVER);
    await store.write(spot(SYMBOL), [first, ...others], NEVER);
    expect(await exportThere()).toEqual(here);
  });

  test('and a file that differs from its manifest proves nothing: exit code 3', async () => {
    await exported('altered');
    const place = seriesFolder('altered');
    const file = path.join(place, 'day=2024-09-09/part.parquet');
    const bytes = readFileSync(file);
    bytes[1_000] = (bytes[1_000] ?? 0) ^ 1;
    await writeFile(file, bytes);
    // Under another symbol, since the store already has the hours of this one.
    const later = unique('EXPORT');
    await cp(place, place.replace(SYMBOL, later), { recursive: true });
    const manifest = path.join(place.replace(SYMBOL, later), '_manifest.json');
    await writeFile(manifest, readFileSync(manifest, 'utf8').replace(SYMBOL, later));
    const args = ['backfill', later, ...rangeArgs(), '--source', `dir:${folder}/altered`];
    const { exitCode, stderr } = await there.cli(args);
    expect(stderr).toContain('its manifest says');
    expect(exitCode).toBe(3);
    expect(
      await (await there.app()).ledger.totals(spot(later), { ...RANGE, endMs: MIDNIGHT }),
    ).toMatchObject({ proven: 0, rows: 0 });
  });
});

if (!CAN_RUN_CLIENTS_PYTHON) test.skip(clientsPythonMissing('exports were'), () => undefined);

describe.runIf(CAN_RUN_CLIENTS_PYTHON)('DuckDB', () => {
  test('reads the exchange’s trades from an export, digit for digit, and the same sums', async () => {
    await exported('duckdb');
    const files = `read_parquet('${folder}/duckdb/trades/**/*.parquet', hive_partitioning = true)`;
    const read = await duckdbLines(
      `select agg_id, price, qty, first_id, last_id, epoch_us(ts), is_buyer_maker from ${files} order by agg_id`,
    );
    expect(read).toEqual(
      rows.map((row) =>
        [
          row.aggId,
          row.price,
          row.qty,
          row.firstId,
          row.lastId,
          row.timeUs,
          row.isBuyerMaker ? 'True' : 'False',
        ].join(','),
      ),
    );
    const sums = await duckdbLines(
      `select market, symbol, day, count(*), sum(qty) filter (not is_buyer_maker), sum(qty) filter (is_buyer_maker)
       from ${files} where first_id >= 0 group by all order by day`,
    );
    expect(sums).toEqual(
      manifestOf('duckdb').files.map(({ day, rows, buyVolume, sellVolume }, index) =>
        // One row of the second day is invalid: it has an id, but does not count in any sum.
        ['binance_spot', SYMBOL, day, rows - index, buyVolume, sellVolume].join(','),
      ),
    );
  });

  test.each([
    ['1m', 'decimals', []],
    ['1h', 'decimals', []],
    ['1h', 'plain numbers', ['--double']],
  ] as const)(
    'reads bars of %s as %s from an export as the tables have them',
    async (interval, numbers, options) => {
      const out = `tables-${numbers}`;
      const { exitCode, stderr } = await exported(out, [
        '--what',
        'bars',
        '--interval',
        interval,
        ...options,
      ]);
      expect(stderr).not.toContain('error');
      expect(exitCode).toBe(0);
      const decimals =
        'open, high, low, close, delta, buy_volume, sell_volume, quote_delta, quote_volume';
      const prices = 'price_open, price_high, price_low, price_close';
      const counts = 'agg_trades, trades, buy_agg_trades, buy_trades, first_id, last_id';
      const files = `read_parquet('${folder}/${out}/bars/interval=${interval}/**/*.parquet')`;
      const isDouble = numbers === 'plain numbers';
      const columns = `${decimals}, ${prices}, ${counts}, status, level_missing`;
      const read = await duckdbLines(
        `select epoch_us(ts), epoch_us(ts_end), epoch_us(level_from), ${columns} from ${files} order by ts`,
      );
      const exact = isDouble
        ? [...decimals.split(', '), ...prices.split(', ')].map((name) => `${name}::double ${name}`)
        : [decimals, prices];
      const stored = await app.sql.query(
        `SELECT ts::long us, ts::long + ${INTERVAL_MS[interval]} * 1000 end_us, level_from::long level_us, ` +
          `${exact.join(', ')}, ${counts}, status, level_missing FROM cdv_exact_${interval} ` +
          `WHERE symbol = '${SYMBOL}' AND status <> 'void' ORDER BY ts`,
      );
      const asNumbers = (line: string) => line.split(',').map((text) => Number(text) || text);
      const wanted = stored.map((row) =>
        Object.values(row)
          .map((value) => value ?? 'None')
          .join(','),
      );
      // Python and the store write doubles with other digits for the same value.
      if (isDouble) expect(read.map(asNumbers)).toEqual(wanted.map(asNumbers));
      else expect(read).toEqual(wanted);
      const vwaps = await app.sql.query(
        `SELECT vwap FROM cdv_${interval} WHERE symbol = '${SYMBOL}' ORDER BY ts`,
      );
      expect((await duckdbLines(`select vwap from ${files} order by ts`)).map(Number)).toEqual(
        vwaps.map(({ vwap }) => Number(vwap ?? Number.NaN)),
      );
      expect(manifestOf(out, `bars/interval=${interval}`)).toMatchObject({
        what: 'bars',
        interval,
        numbers: isDouble ? 'double' : 'decimal',
        rows: stored.length,
        hours: [...hoursOf(RANGE)].map((): unknown => expect.anything()),
      });
    },
  );
});
