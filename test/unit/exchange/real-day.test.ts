import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTradesFile } from '../../exchange/trades-file.ts';
import type { TradeSeries } from '../../exchange/trade-series.ts';
import { ask, askTrades, runExchange, START_MS } from './asking.ts';

const FILE =
  process.env['CDVAULT_REAL_DAY'] ??
  join(import.meta.dirname, '../../../../shared/data/BTCUSDT-aggTrades-2024-01-01.zip');
const HOUR_MS = 3_600_000;

/** The value of an eight-decimal text in units of 1e-8. */
function units(text: string): bigint {
  return BigInt(text.replace('.', ''));
}

const delta = (candle: string[] | undefined): bigint =>
  2n * units(candle?.[9] ?? '0') - units(candle?.[5] ?? '0');

const present = existsSync(FILE);

describe.runIf(present)('the real day', () => {
  let trades: TradeSeries;
  beforeAll(async () => {
    trades = await loadTradesFile(FILE);
  });

  it('is loaded whole: 863403 rows, ids and raw ids without a gap', () => {
    expect(trades.count).toBe(863_403);
    let flaws = 0;
    let previous = trades.at(0);
    for (let index = 1; index < trades.count; index++) {
      const trade = trades.at(index);
      if (
        trade.a !== previous.a + 1 ||
        trade.f !== previous.l + 1 ||
        trade.timeUs < previous.timeUs
      )
        flaws++;
      previous = trade;
    }
    expect([trades.firstId, previous.a, flaws]).toEqual([2_807_759_891, 2_808_623_293, 0]);
  });

  it('gives the published candles', async () => {
    const exchange = await runExchange({ symbols: [{ symbol: 'BTCUSDT', trades }] });
    const candles = async (interval: string): Promise<string[][]> =>
      JSON.parse(
        (
          await ask(
            exchange,
            `klines?symbol=BTCUSDT&interval=${interval}&startTime=${START_MS}&limit=3`,
          )
        ).text,
      ) as string[][];
    const days = await candles('1d');
    expect(days).toHaveLength(1);
    expect(days[0]).toMatchObject({ 5: '27174.29903000', 8: 1_114_623, 9: '14331.73180000' });
    expect(days.map(delta)).toEqual([148_916_457_000n]);
    expect((await candles('1h')).slice(0, 2).map(delta)).toEqual([9_347_054_000n, 22_826_598_000n]);
    expect((await candles('5m')).slice(0, 2).map(delta)).toEqual([5_685_733_000n, -240_790_000n]);
    expect((await candles('1m')).map(delta)).toEqual([1_044_808_000n, 578_187_000n, 83_211_000n]);
  });

  it('gives the hour 10:00 in pages, and its first page has the wrong sign', async () => {
    const exchange = await runExchange({ symbols: [{ symbol: 'BTCUSDT', trades }] });
    let delta = 0n;
    let rows = 0;
    const after: bigint[] = [];
    const endMs = START_MS + 11 * HOUR_MS;
    for (let fromId = 2_808_045_203; ; fromId += 1000) {
      const page = (await askTrades(exchange, `fromId=${fromId}&limit=1000`)).filter(
        (row) => row.T < endMs,
      );
      for (const row of page) {
        delta += row.m ? -units(row.q) : units(row.q);
        rows++;
        if (rows === 500 || rows === 1000) after.push(delta);
      }
      if (page.length < 1000) break;
    }
    expect([rows, delta, ...after]).toEqual([26_340, 5_971_163_000n, -24_776_000n, -122_551_000n]);
    const [first] = await askTrades(exchange, `startTime=${START_MS + 10 * HOUR_MS}&limit=1`);
    expect(first?.a).toBe(2_808_045_203);
  });
});

if (!present) {
  it.skip(`NOT TESTED: ${FILE} is missing; set CDVAULT_REAL_DAY to the exchange's BTCUSDT daily archive of 2024-01-01`, () =>
    undefined);
}
