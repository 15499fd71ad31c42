import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsvTrades } from '../../src/adapters/questdb/csv-trades.ts';
import { DayMinutes } from '../../src/app/verify/day-minutes.ts';
import { cdvBars, compareForBars } from '../support/reference-bars.ts';
import { DEFAULT_TIERS } from '../../src/domain/bars/tier.ts';
import { TierPass } from '../support/reference-tiers.ts';
import { type AggTrade, canonicalLine, isInvalid } from '../../src/domain/trade/agg-trade.ts';
import { parseDecimal, QTY_SCALE } from '../../src/domain/trade/decimal.ts';
import { priceE8, qtyE8, type StoredTrades } from '../../src/domain/trade/stored-trades.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { DAY, dayTrades } from './arbitraries.ts';

const HEADER = '"agg_id","price","qty","first_id","last_id","time_us","is_buyer_maker"\r\n';

/** The store's CSV of trades, written in another way than it is read. */
function csvOf(trades: readonly AggTrade[]): Buffer {
  const lines = trades.map(
    ({ aggId, price, qty, firstId, lastId, timeUs, isBuyerMaker }) =>
      `${aggId},"${price}","${qty}",${firstId},${lastId},${timeUs},${isBuyerMaker}\r\n`,
  );
  return Buffer.from(HEADER + lines.join(''));
}

function read(
  trades: readonly AggTrade[],
  cuts: readonly number[],
  use: (batch: StoredTrades) => void,
): void {
  const csv = csvOf(trades);
  const reader = new CsvTrades();
  const places = [...new Set(cuts.map((cut) => cut % csv.length))].toSorted((a, b) => a - b);
  for (const [index, place] of [0, ...places].entries())
    use(reader.push(csv.subarray(place, places[index] ?? csv.length)));
  reader.end();
}

const cuts = fc.array(fc.nat(20_000), { maxLength: 12 });
const rowsOf = ({ rows }: StoredTrades) => Array.from({ length: rows }, (_, row) => row);

describe('stored trades', () => {
  it('have the same lines and values as the trades, wherever the answer is cut', () => {
    fc.assert(
      fc.property(dayTrades, cuts, (trades, places) => {
        const found: unknown[] = [];
        let lines = '';
        read(trades, places, (batch) => {
          const { aggIds, timesUs, makers, valids, lineAt } = batch;
          lines += new TextDecoder().decode(batch.lines.subarray(0, lineAt[batch.rows]));
          for (const row of rowsOf(batch))
            found.push([
              aggIds[row],
              timesUs[row],
              makers[row] === 1,
              valids[row] === 0,
              priceE8(batch, row),
              qtyE8(batch, row),
            ]);
        });
        expect(lines).toBe(trades.map(canonicalLine).join(''));
        expect(found).toEqual(
          trades.map((trade) => [
            trade.aggId,
            trade.timeUs,
            trade.isBuyerMaker,
            isInvalid(trade),
            parseDecimal(trade.price, QTY_SCALE),
            parseDecimal(trade.qty, QTY_SCALE),
          ]),
        );
      }),
    );
  });

  it.each([
    ['another text', '{"error":"timeout, query aborted"}\r\n'],
    ['a number that is no decimal', '1,"1.5","1.00000000",1,1,1700000000000000,true\r\n'],
    ['a row that ends early', '1,"1.50000000","1.00000000",1,1,1700'],
    ['a missing column', '1,"1.50000000","1.00000000",1,1,true\r\n'],
  ])('are refused when the answer has %s', (_, text) => {
    const reader = new CsvTrades();
    expect(() => {
      reader.push(Buffer.from(HEADER + text));
      reader.end();
    }).toThrow(expect.objectContaining({ code: 'STORE_REFUSED' }));
  });
});

const EDGE = Date.UTC(2024, 1, 29) * 1000;

/** Trades as if time ran backwards now and then: each is moved back by up to a quarter of an hour. */
const outOfOrder = fc
  .tuple(dayTrades, fc.array(fc.nat(900_000_000), { minLength: 1, maxLength: 20 }))
  .map(([trades, moves]) =>
    trades.map((trade, index) => {
      const move = index % 3 === 0 ? (moves[index % moves.length] ?? 0) : 0;
      return { ...trade, timeUs: Math.max(EDGE, trade.timeUs - move) };
    }),
  );

const contracts = fc.constantFrom(
  undefined,
  { size: '100' },
  { size: '0.01' },
  { size: undefined },
);

describe('the minutes of a day for verification', () => {
  it('equal the reference of bars and tiers, in any order of the rows of an hour', () => {
    fc.assert(
      fc.property(outOfOrder, contracts, fc.array(fc.nat(23)), (made, contract, dense) => {
        const trades = made.filter(({ timeUs }) => timeUs < (DAY + 24 * HOUR_MS) * 1000);
        const denseHours = [...new Set(dense)].map((hour) => DAY + hour * HOUR_MS);
        const ordered = trades.toSorted(compareForBars);
        const tiers = new TierPass(DEFAULT_TIERS, contract);
        for (const trade of ordered) tiers.accept(trade);
        const minutes = [...cdvBars(ordered, { intervalMs: MINUTE_MS, denseHours })];

        const day = new DayMinutes({
          tiers: DEFAULT_TIERS,
          contract,
          denseHours: new Set(denseHours),
        });
        for (let hourMs = DAY; hourMs < DAY + 24 * HOUR_MS; hourMs += HOUR_MS) {
          const inHour = trades.filter(
            ({ timeUs }) => Math.floor(timeUs / 1000 / HOUR_MS) * HOUR_MS === hourMs,
          );
          read(inHour, [], (batch) => day.add(batch, 0, batch.rows));
          day.endHour(hourMs);
        }
        expect(day.minutes).toEqual(minutes);
        expect(day.tiers).toEqual(tiers.finish(minutes));
      }),
    );
  });
});
