import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { Rig, spot } from './rig.ts';

const DAY = Date.UTC(2024, 7, 3);
const hour = (index: number): number => DAY + index * HOUR_MS;
/** So few trades that some minutes have none. Hours 3 and 4 of eight are not stored. */
const SYMBOL = unique('SHOW');
const RANGE = ['--from', '2024-08-03T00:00Z', '--to', '2024-08-03T08:00Z'];
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

test.each([
  [['--columns', 'price', '--json'], "cannot be used with option '--json'"],
  [['--columns', 'price,prise'], 'error USAGE: --columns "price,prise" is not a list of columns'],
  [['--columns', ''], 'error USAGE: --columns "" is not a list of columns'],
])('%j is refused before anything is started', async (args, words) => {
  // The services are not even connected to.
  const nowhere = { REDIS_URL: 'redis://127.0.0.1:1/0' };
  const result = await rig.cli(['show', SYMBOL, ...RANGE, ...args], nowhere);
  expect(result).toMatchObject({ exitCode: 2, stdout: '' });
  expect(result.stderr).toContain(words);
});
