import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { Rig, spot } from './rig.ts';

const MAIN = path.join(import.meta.dirname, '../../src/cli/main.ts');
const DAY = Date.UTC(2024, 7, 3);
const hour = (index: number): number => DAY + index * HOUR_MS;
/** So few trades that some minutes have none. Hours 3 and 4 of eight are not stored. */
const SYMBOL = unique('SHOW');
const RANGE = ['--from', '2024-08-03T00:00Z', '--to', '2024-08-03T08:00Z'];
const MISSING_NOTE =
  '* 120 bars are absent, the first at 2024-08-03T03:00Z: not fetched, so unknown (not empty)';
const trades = syntheticTrades({
  seed: 74,
  fromMs: hour(-1),
  toMs: hour(9),
  tradesPerHour: 90,
});

let rig: Rig;
let app: App;

beforeAll(async () => {
  rig = await Rig.start({ symbols: [{ symbol: SYMBOL, trades }] });
  app = await rig.app();
  for (const [from, to] of [
    [0, 3],
    [5, 8],
  ] as const)
    await rig.backfill(app, [spot(SYMBOL)], { startMs: hour(from), endMs: hour(to) });
});

afterAll(async () => rig.dispose());

const show = async (...args: string[]) => {
  const shown = await rig.cli(['show', SYMBOL, ...RANGE, ...args]);
  expect(shown, shown.stderr).toMatchObject({ exitCode: 0 });
  return { ...shown, lines: shown.stdout.trimEnd().split('\n') };
};

test('JSON and CSV have the same exact values, and null or nothing where a bar has no trades', async () => {
  const json = (await show('--json')).lines.map(
    (line) => JSON.parse(line) as Record<string, string | number | null>,
  );
  expect(json).toHaveLength(6 * 60);
  const keys = Object.keys(json[0] ?? {});
  for (const bar of json) expect(Object.keys(bar)).toEqual(keys);
  const empty = json.filter(({ trades }) => trades === 0);
  expect(empty.length).toBeGreaterThan(10);
  for (const bar of empty)
    expect(bar).toMatchObject({
      buyVolume: '0.00000000',
      priceOpen: null,
      priceHigh: null,
      priceLow: null,
      priceClose: null,
      firstId: null,
      lastId: null,
    });

  const csv = await show('--csv');
  const [header = '', ...rows] = csv.lines;
  const names = header.split(',');
  expect(names).toHaveLength(keys.length);
  const camel = (name: string) =>
    ({ ts: 'openMs', ts_end: 'endMs', level_from: 'levelFromMs' })[name] ??
    name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const read = rows.map((row) =>
    Object.fromEntries(
      row.split(',').map((text, index) => {
        const name = names[index] ?? '';
        const isTime = ['ts', 'ts_end', 'level_from'].includes(name);
        return [camel(name), isTime ? String(Date.parse(text)) : text];
      }),
    ),
  );
  const texts = json.map((bar) =>
    Object.fromEntries(Object.entries(bar).map(([key, value]) => [key, String(value ?? '')])),
  );
  expect(read).toEqual(texts);
  expect(csv.stderr).toContain(MISSING_NOTE);
  expect(csv.stdout).not.toContain('*');
});

test('CSV into a pipe that its reader closes ends quietly', async () => {
  const command = `"${process.execPath}" "${MAIN}" show ${SYMBOL} ${RANGE.join(' ')} --csv | head -n 2`;
  const run = promisify(execFile);
  const { stdout, stderr } = await run('bash', ['-c', command], { env: rig.env });
  expect(stdout.split('\n').map((line) => line.slice(0, 6))).toEqual(['ts,ts_', '2024-0', '']);
  expect(stderr).not.toMatch(/error|EPIPE/i);
});

test('the table has price and volume on request, in 80 columns', async () => {
  const { lines } = await show('--columns', 'price,cdv,volume');
  expect(
    lines.filter((line) => line.startsWith('  ')).map((line) => line.trim().split(/ +/)),
  ).toEqual([
    ['open', 'high', 'low', 'close', 'delta'],
    ['price_open', 'price_high', 'price_low', 'price_close'],
    ['buy_volume', 'sell_volume', 'quote_volume', 'trades'],
  ]);
  const table = lines.filter((line) => !line.startsWith('*'));
  expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(80);
});

test('a plot has price and CDV in 80 columns; hours that are not stored are a gap with a mark', async () => {
  const { lines, stderr } = await show('--plot', '--anchor', 'day');
  expect(stderr).toContain('levels: from 0 at each UTC midnight');
  const notes = lines.filter((line) => line.startsWith('*'));
  expect(notes).toContain(MISSING_NOTE);
  const picture = lines.slice(0, -notes.length);
  expect(Math.max(...picture.map((line) => line.length))).toBeLessThanOrEqual(80);
  const axis = picture.findIndex((line) => line.includes('└'));
  const left = (picture[axis] ?? '').indexOf('└') + 1;
  const columns = 80 - left;
  const gap = [Math.ceil((columns * 3) / 8), Math.floor((columns * 5) / 8)] as const;
  const drawn = picture.slice(0, axis).filter((line) => /[│┤]/.test(line));
  expect(drawn).toHaveLength(16);
  for (const line of drawn)
    expect(
      line
        .slice(left)
        .slice(...gap)
        .trim(),
    ).toBe('');
  for (const pane of [drawn.slice(0, 8), drawn.slice(8)])
    for (const part of [
      pane.map((line) => line.slice(left, left + gap[0])),
      pane.map((line) => line.slice(left + gap[1])),
    ])
      expect(part.join('').trim()).not.toBe('');
  const marks = (picture.at(-1) ?? '').slice(left);
  expect(marks.slice(...gap)).toBe('×'.repeat(gap[1] - gap[0]));
  expect(marks.trim().length).toBeLessThanOrEqual(gap[1] - gap[0] + 2);
});

test.each([
  [['--plot', '--json'], "error: option '--plot' cannot be used with option '--json'"],
  [['--plot', '--csv'], "error: option '--plot' cannot be used with option '--csv'"],
  [['--csv', '--json'], "error: option '--csv' cannot be used with option '--json'"],
  [['--columns', 'price', '--plot'], "cannot be used with option '--plot'"],
  [['--columns', 'price,prise'], 'error USAGE: --columns "price,prise" is not a list of columns'],
  [['--columns', ''], 'error USAGE: --columns "" is not a list of columns'],
])('%j is refused before anything is started', async (args, words) => {
  // The services are not even connected to.
  const nowhere = { REDIS_URL: 'redis://127.0.0.1:1/0' };
  const result = await rig.cli(['show', SYMBOL, ...RANGE, ...args], nowhere);
  expect(result).toMatchObject({ exitCode: 2, stdout: '' });
  expect(result.stderr).toContain(words);
});
