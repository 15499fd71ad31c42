import { describe, expect, it, test } from 'vitest';
import fc from 'fast-check';
import { CsvRows } from '../../../src/adapters/archive/csv-rows.ts';
import { canonicalLine, isInvalid, type AggTrade } from '../../../src/domain/trade/agg-trade.ts';
import { contentHasher } from '../../../src/domain/trade/content-hash.ts';
import { createHourRun } from '../../../src/domain/proof/continuity.ts';
import { parseDecimal, QTY_SCALE } from '../../../src/domain/trade/decimal.ts';
import { HOUR_MS } from '../../../src/domain/time/hour.ts';
import { blockOf, invalidTradeOf, tradeOf } from '../../support/trades.ts';

const HOUR = Date.UTC(2025, 2, 4, 5);

const decimal = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 20n - 1n }), fc.nat(99_999_999), fc.nat(8))
  .map(([whole, fraction, places]) =>
    places === 0 ? String(whole) : `${whole}.${String(fraction).padStart(8, '0').slice(0, places)}`,
  );
const trade: fc.Arbitrary<AggTrade> = fc.record({
  aggId: fc.nat(2 ** 40),
  price: decimal,
  qty: decimal,
  firstId: fc.oneof(fc.constant(-1), fc.nat(2 ** 41)),
  lastId: fc.oneof(fc.constant(-1), fc.nat(2 ** 41)),
  timeUs: fc.integer({ min: 10 ** 14, max: 2 ** 52 }),
  isBuyerMaker: fc.boolean(),
});

describe('a block of trades', () => {
  it('gives the same trades, canonical lines, validity and quantities as objects do', () => {
    fc.assert(
      fc.property(fc.array(trade, { minLength: 1, maxLength: 20 }), (trades) => {
        const block = blockOf(trades);
        expect(block.trades(0, block.rows)).toEqual(trades);
        const target = new Uint8Array(200);
        for (const [row, one] of trades.entries()) {
          const end = block.copyCanonical(row, target, 0);
          expect(Buffer.from(target.subarray(0, end)).toString()).toBe(canonicalLine(one));
          expect(block.valids[row]).toBe(isInvalid(one) ? 0 : 1);
          const e8 = parseDecimal(one.qty, QTY_SCALE);
          expect(block.qtysE8[row]).toBe(e8 < 2n ** 53n ? Number(e8) : Infinity);
        }
      }),
    );
  });

  it('has the same hash as objects, in one piece and in several', () => {
    const trades = Array.from({ length: 2_500 }, (_, index) => tradeOf(index, HOUR + index));
    const [byTrade, byBlock, mixed] = [contentHasher(), contentHasher(), contentHasher()];
    for (const one of trades) byTrade.update(one);
    const block = blockOf(trades);
    byBlock.updateBlock(block, 0, 1_000);
    byBlock.updateBlock(block, 1_000, block.rows);
    for (const one of trades.slice(0, 700)) mixed.update(one);
    mixed.updateBlock(block, 700, block.rows);
    const hash = byTrade.digest();
    expect([byBlock.digest(), mixed.digest()]).toEqual([hash, hash]);
  });
});

describe('an hour’s run over blocks', () => {
  const rows = fc.array(
    fc.record({
      skip: fc.oneof(
        { weight: 20, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.nat(3) },
      ),
      // Minutes from the row before: mostly forwards, sometimes over the hour's end, rarely backwards.
      step: fc.integer({ min: -2, max: 9 }),
      invalid: fc.integer({ min: 0, max: 9 }),
      maker: fc.boolean(),
      qty: decimal,
    }),
    { minLength: 1, maxLength: 60 },
  );

  it('equals the run over the same trades as objects', () => {
    fc.assert(
      fc.property(rows, fc.nat(59), (made, cut) => {
        let aggId = 100;
        let timeMs = HOUR - 3 * 60_000;
        const trades = made.map(({ skip, step, invalid, maker, qty }) => {
          aggId += 1 + skip;
          timeMs += step * 60_000;
          return invalid === 0
            ? invalidTradeOf(aggId, timeMs)
            : tradeOf(aggId, timeMs, { isBuyerMaker: maker, qty });
        });
        const [objects, blocks] = [100, 100].map((expectedId) =>
          createHourRun({ hourMs: HOUR }, { expectedId }),
        );
        if (objects === undefined || blocks === undefined) throw new Error('expected two runs');
        for (const part of [trades.slice(0, cut), trades.slice(cut)]) {
          if (part.length === 0 || objects.done) continue;
          const accepted = objects.accept(part);
          const { from, to, holes, done, nextId } = blocks.acceptBlock(blockOf(part), 0);
          expect(part.slice(from, to)).toEqual(accepted.kept);
          expect({ holes, done, nextId }).toEqual({
            holes: accepted.holes,
            done: accepted.done,
            nextId: accepted.nextId,
          });
        }
        expect(blocks.facts).toEqual(objects.facts);
      }),
    );
  });

  it('refuses an id that is lower than expected', () => {
    const run = createHourRun({ hourMs: HOUR }, { expectedId: 5 });
    expect(() => run.acceptBlock(blockOf([tradeOf(4, HOUR)]), 0)).toThrow(
      /EXCHANGE_BAD_PAGE|contains id 4/,
    );
  });
});

test.each([
  ['a letter in an id', '1x,1,1,0,0,1735689600000000,True,True', 'agg_trade_id "1x"'],
  [
    'an id beyond 2^53',
    '9007199254740993,1,1,0,0,1735689600000000,True,True',
    'agg_trade_id "9007199254740993"',
  ],
  ['a leading zero', '01,1,1,0,0,1735689600000000,True,True', 'agg_trade_id "01"'],
  ['an exponent', '1,1e5,1,0,0,1735689600000000,True,True', 'price "1e5"'],
  ['a negative quantity', '1,1,-1,0,0,1735689600000000,True,True', 'quantity "-1"'],
  ['nine places', '1,1.000000001,1,0,0,1735689600000000,True,True', 'price "1.000000001"'],
  ['a point with nothing after it', '1,1.,1,0,0,1735689600000000,True,True', 'price "1."'],
  ['two points', '1,1.1.1,1,0,0,1735689600000000,True,True', 'price "1.1.1"'],
  ['an empty field', '1,,1,0,0,1735689600000000,True,True', 'price ""'],
  ['no boolean', '1,1,1,0,0,1735689600000000,Trve,True', 'is_buyer_maker "Trve"'],
  ['six columns', '1,1,1,0,0,1735689600000000', 'it has 6 columns'],
  ['nine columns', '1,1,1,0,0,1735689600000000,True,True,True', 'it has 9 columns'],
  ['a quoted field', '1,"1",1,0,0,1735689600000000,True,True', 'price "\\"1\\""'],
])('a row with %s is refused and named', (_, line, why) => {
  const good = '0,1,1,0,0,1735689600000000,True,True';
  expect(() => new CsvRows('f.csv').push(Buffer.from(`${good}\n${line}\n${good}\n`))).toThrow(
    `f.csv line 2: ${why}`,
  );
});

test('rows are read whole, wherever the pieces of the file are cut', () => {
  const trades = Array.from({ length: 40 }, (_, index) => tradeOf(index, HOUR + index * HOUR_MS));
  const text = Buffer.from(
    trades
      .map(({ aggId, price, qty, firstId, lastId, timeUs }) =>
        [aggId, price, qty, firstId, lastId, timeUs, 'false'].join(','),
      )
      .join('\r\n'),
  );
  for (const size of [1, 7, 64, 4_096]) {
    const rows = new CsvRows('f.csv');
    const read: AggTrade[] = [];
    for (let at = 0; at < text.length; at += size) {
      const block = rows.push(text.subarray(at, at + size));
      read.push(...block.trades(0, block.rows));
    }
    const last = rows.end();
    expect([...read, ...last.trades(0, last.rows)]).toEqual(trades);
    expect(rows.format).toEqual({ hasHeader: false, columns: 7, unit: 'us' });
  }
});
