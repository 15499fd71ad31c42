import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import type { Bar } from '../../src/domain/bars/bar.ts';
import { cdvBars } from '../support/reference-bars.ts';
import { formatDecimalShort, QTY_SCALE, QUOTE_SCALE } from '../../src/domain/trade/decimal.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { tablesOf } from '../support/markdown.ts';
import {
  CANDLE_ESTIMATES,
  countDeltas,
  deltaE8,
  estimate,
  floatSum,
  minutesOpenedByAggregates,
  otherOpenRule,
  tickRule,
} from './other-answers.ts';
import { REAL_DAY_PATH, realDayIsHere, realDayTrades } from './real-day.ts';

const DAY = Date.UTC(2024, 0, 1);
const DAY_HOURS = 24;
const PAGE = readFileSync(path.join(import.meta.dirname, '../../docs/why-different.md'), 'utf8');

const btc = (units: bigint): string => formatDecimalShort(units, QTY_SCALE);
const count = (value: number): string => value.toLocaleString('en-US');
const share = (part: bigint, whole: bigint): string =>
  `${((100 * Number(part)) / Number(whole)).toFixed(1)} %`;

/** The cells of a table, without its headings and its first column, which names the row. */
function documented(heading: string): string[][] {
  return tablesOf(PAGE, `… ${heading}`).flatMap(({ rows }) => rows.map((row) => row.slice(1)));
}

if (!realDayIsHere()) {
  const missing = `REAL DAY MISSING: the numbers of docs/why-different.md were not checked. Put the archive at ${REAL_DAY_PATH}, or name it in CDVAULT_REAL_DAY`;
  // Reporters leave the names of skipped tests out.
  process.stderr.write(`${missing}\n`);
  it.skip(missing, () => undefined);
}

describe.runIf(realDayIsHere())('docs/why-different.md, on the real day', () => {
  const trades: AggTrade[] = [];
  let minutes: Bar[] = [];

  beforeAll(async () => {
    for await (const trade of realDayTrades()) trades.push(trade);
    const denseHours = Array.from({ length: DAY_HOURS }, (_, hour) => DAY + hour * HOUR_MS);
    minutes = [...cdvBars(trades, { intervalMs: MINUTE_MS, denseHours })];
  }, 60_000);

  const at = (time: string): number => DAY + Date.parse(`1970-01-01T${time}Z`);
  const minute = (time: string): Bar => {
    const bar = minutes[(at(time) - DAY) / MINUTE_MS];
    if (bar === undefined) throw new Error(`no minute ${time}`);
    return bar;
  };
  const between = (fromMs: number, toMs: number): AggTrade[] =>
    trades.filter(({ timeUs }) => timeUs >= fromMs * 1000 && timeUs < toMs * 1000);

  it('one that starts elsewhere', () => {
    const endMs = at('10:00') + MINUTE_MS;
    const levels = ['00:00', '05:00', '10:00'].map((from) => deltaE8(between(at(from), endMs)));
    expect(documented('one that starts elsewhere').map(([level]) => level)).toEqual(
      levels.map(btc),
    );
  });

  it('one whose bars open where the last one closed', () => {
    const { open, high, low, close, delta } = minute('10:01');
    const before = close - delta;
    const highest = high > before ? high : before;
    const lowest = low < before ? low : before;
    const differ = otherOpenRule(minutes);
    expect(documented('one whose bars open where the last one closed')).toEqual([
      [open, high, low, close].map(btc),
      [before, highest, lowest, close].map(btc),
      [count(differ.open)],
      [count(differ.high)],
      [count(differ.low)],
      ['0'],
    ]);
  });

  it('one that is made of raw trades', () => {
    const raw = trades.reduce((sum, { firstId, lastId }) => sum + lastId - firstId + 1, 0);
    const deltas = countDeltas(trades);
    const delta = btc(deltaE8(trades));
    const begun = count(minutesOpenedByAggregates(trades, MINUTE_MS * 1000));
    expect(documented('one that is made of raw trades')).toEqual([
      [count(trades.length), count(raw)],
      [count(deltas.aggregate), count(deltas.raw)],
      [delta, delta],
      [begun, '0'],
    ]);
  });

  it('the answer to a single call', () => {
    const hour = between(at('10:00'), at('11:00'));
    const answers = [500, 1_000, hour.length].map((rows) => {
      const read = hour.slice(0, rows);
      const last = new Date((read.at(-1)?.timeUs ?? Number.NaN) / 1000).toISOString();
      return [last.slice(11, 23), btc(deltaE8(read))];
    });
    expect(documented('the answer to a single call')).toEqual(answers);
    expect(tablesOf(PAGE, '… the answer to a single call')[0]?.rows.at(-1)?.[0]).toBe(
      `${count(hour.length)}, all`,
    );
  });

  it('one that is estimated from candles', () => {
    const total = Number(deltaE8(trades)) / 1e8;
    const balanced = minutes.filter(({ delta }) => delta === 0n).length;
    const estimates = CANDLE_ESTIMATES.map((formula) => estimate(minutes, formula));
    expect(documented('one that is estimated from candles')).toEqual([
      [total.toFixed(2), '0', count(balanced)],
      ...estimates.map((each) => [
        each.total.toFixed(2),
        count(each.wrongMinutes),
        count(each.silentMinutes),
      ]),
    ]);
  });

  it('one whose sides are guessed from prices', () => {
    const total = deltaE8(trades);
    const volume = minutes.reduce((sum, bar) => sum + bar.buyVolume + bar.sellVolume, 0n);
    const guess = tickRule(trades);
    expect(documented('one whose sides are guessed from prices')).toEqual([
      [btc(total), '0', share(0n, volume)],
      [btc(guess.totalE8), count(guess.wrongTrades), share(guess.wrongVolumeE8, volume)],
      [btc(-total), count(trades.length), share(volume, volume)],
    ]);
  });

  it('a sum of floats', () => {
    const sums = [floatSum(trades), floatSum(trades, Math.fround)];
    expect(documented('a sum of floats')).toEqual([
      [btc(deltaE8(trades)), '0', '0'],
      ...sums.map(({ total, largestError, inexactLevels }) => [
        String(total),
        largestError.toPrecision(2),
        count(inexactLevels),
      ]),
    ]);
  });

  it('the candles of the exchange: the same', () => {
    const buys = trades.filter(({ isBuyerMaker }) => !isBuyerMaker);
    const buyE8 = deltaE8(buys);
    const volumeE8 = 2n * buyE8 - deltaE8(trades);
    const raw = trades.reduce((sum, { firstId, lastId }) => sum + lastId - firstId + 1, 0);
    const ours = [btc(volumeE8), btc(buyE8), count(raw), btc(deltaE8(trades))];
    const [published, own] = documented('the candles of the exchange');
    expect(own).toEqual(ours);
    // As the exchange writes it, with all five decimals.
    expect(published).toEqual(['27174.29903', '14331.73180', '1,114,623', '1489.16457']);
    expect(published?.map((text) => Number(text.replaceAll(',', '')))).toEqual(
      ours.map((text) => Number(text.replaceAll(',', ''))),
    );
  });

  it('another day', () => {
    const days = [
      ['00:00', '24:00'],
      ['05:00', '24:00'],
      ['00:00', '15:00'],
    ] as const;
    const parts = days.map(([from, to]) => {
      const endMs = to === '24:00' ? DAY + DAY_HOURS * HOUR_MS : at(to);
      return [from, to, btc(deltaE8(between(at(from), endMs)))];
    });
    const hours = ['10:00', '09:00'].map((time) => [
      btc(deltaE8(between(at(time), at(time) + HOUR_MS))),
    ]);
    expect(documented('another day')).toEqual([...parts, ...hours]);
  });

  it('one with holes', () => {
    const without = [
      [],
      between(at('10:00'), at('11:00')),
      between(at('10:44'), at('10:45')),
      trades.filter(({ aggId }) => aggId % 100 === 0),
    ];
    expect(documented('one with holes')).toEqual(
      without.map((lost) => [btc(deltaE8(trades) - deltaE8(lost)), count(lost.length)]),
    );
  });

  it('another unit, another market', () => {
    const quoteE16 = minutes.reduce((sum, { quoteDelta }) => sum + quoteDelta, 0n);
    const last = minutes.at(-1)?.priceClose ?? 0n;
    expect(documented('another unit, another market')).toEqual([
      [btc(deltaE8(trades))],
      [formatDecimalShort(quoteE16, QUOTE_SCALE)],
      [formatDecimalShort(deltaE8(trades) * last, QUOTE_SCALE)],
    ]);
  });
});

it('every table of docs/why-different.md has a test', () => {
  const tests = readFileSync(import.meta.filename, 'utf8');
  const headings = [...PAGE.matchAll(/^## … (.+)$/gm)].map(([, heading = '']) => heading);
  expect(headings.length).toBeGreaterThan(9);
  for (const heading of headings) expect(tests).toContain(`documented('${heading}')`);
});
