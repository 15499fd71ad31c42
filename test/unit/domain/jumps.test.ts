import { describe, expect, it } from 'vitest';
import { oddJumps } from '../../../src/app/hour/odd-jumps.ts';
import type { AggTrade } from '../../../src/domain/trade/agg-trade.ts';
import { createHourRun } from '../../../src/domain/proof/continuity.ts';
import type { RunFacts } from '../../../src/domain/proof/hour-run.ts';
import { HOUR_MS, MINUTE_MS } from '../../../src/domain/time/hour.ts';
import { invalidTradeOf, tradeOf } from '../../support/trades.ts';

const HOUR = Date.UTC(2024, 0, 1, 10);
const END = HOUR + HOUR_MS;
const SECOND_MS = 1_000;

/** Facts of the hour over all these trades, the first of which lies before it. */
function factsOf(trades: readonly AggTrade[]): RunFacts {
  const run = createHourRun({ hourMs: HOUR }, { expectedId: trades[0]?.aggId ?? 0 });
  if (!run.accept(trades).done) run.accept([]);
  return run.facts;
}

/** One trade every `everyMs` from just before the hour on, with ids from 0, and none during the silences. */
function steady(
  everyMs: number,
  silences: readonly { readonly fromMs: number; readonly toMs: number }[],
  untilMs = END + HOUR_MS,
): AggTrade[] {
  const trades: AggTrade[] = [];
  for (let timeMs = HOUR - everyMs / 2; timeMs < untilMs; timeMs += everyMs) {
    const isSilent = silences.some(({ fromMs, toMs }) => timeMs >= fromMs && timeMs < toMs);
    if (!isSilent) trades.push(tradeOf(trades.length, timeMs));
  }
  return trades;
}

const minutes = (from: number, to: number) => ({
  fromMs: HOUR + from * MINUTE_MS,
  toMs: HOUR + to * MINUTE_MS,
});

describe('a halt', () => {
  it('is a silence of minutes where there were trades every second; its ids and times are recorded', () => {
    const trades = steady(SECOND_MS, [minutes(20, 50)]);
    const last = trades.findLast(({ timeUs }) => timeUs < (HOUR + 20 * MINUTE_MS) * 1000);
    const next = trades.find(({ aggId }) => aggId === (last?.aggId ?? 0) + 1);
    const { halts } = factsOf(trades);
    expect(halts).toEqual({
      count: 1,
      longest: {
        from: { id: last?.aggId, timeUs: last?.timeUs },
        to: { id: next?.aggId, timeUs: next?.timeUs },
        size: 30 * MINUTE_MS * 1000 + 1_000_000,
      },
    });
  });

  it('is not the pause of a symbol that trades hourly, also when the trade before is unknown', () => {
    const hourly = [1, 2, 3].map((id) => tradeOf(id, HOUR + (id - 1) * HOUR_MS + SECOND_MS));
    const run = createHourRun({ hourMs: HOUR }, { expectedId: 1 });
    run.accept(hourly);
    expect(run.facts).toMatchObject({ rows: 1, prev: undefined, halts: undefined });
  });

  it('is found from the run alone when the trade before is unknown', () => {
    const trades = steady(SECOND_MS, [minutes(20, 50)]).slice(1);
    expect(factsOf(trades)).toMatchObject({ prev: undefined, halts: { count: 1 } });
  });

  it('that reaches beyond the hour belongs to the hour in which it begins, and to no other', () => {
    const trades = steady(SECOND_MS, [minutes(30, 90)]);
    expect(factsOf(trades).halts).toMatchObject({ count: 1, longest: { size: 3_601_000_000 } });
    const after = createHourRun({ hourMs: END }, { expectedId: 0 });
    after.accept(trades);
    expect(after.facts.first?.timeUs).toBeGreaterThan(END * 1000 + 29 * MINUTE_MS * 1000);
    expect(after.facts.halts).toBeUndefined();
  });

  it('is counted with others of its hour; the longest is named', () => {
    const silences = [minutes(5, 15), minutes(20, 40), minutes(50, 57)];
    expect(factsOf(steady(SECOND_MS, silences)).halts).toMatchObject({
      count: 3,
      longest: { size: 1_201_000_000 },
    });
  });

  it.each([
    ['shorter than five minutes', SECOND_MS, minutes(20, 24.9)],
    ['shorter than a hundred spacings', 10 * SECOND_MS, minutes(20, 30)],
    ['usual for the symbol', 8 * MINUTE_MS, minutes(0, 0)],
  ])('is not a silence %s', (_, everyMs, silence) => {
    expect(factsOf(steady(everyMs, [silence])).halts).toBeUndefined();
  });

  it('is not the pause between two bursts of a quiet symbol', () => {
    const burst = (id: number, timeMs: number) =>
      Array.from({ length: 40 }, (_, index) => tradeOf(id + index, timeMs + index));
    const trades = [
      tradeOf(0, HOUR - 5 * MINUTE_MS),
      ...burst(1, HOUR + MINUTE_MS),
      tradeOf(41, END + MINUTE_MS),
    ];
    expect(factsOf(trades).halts).toBeUndefined();
  });

  it('is not reported where ids are missing, nor where a time runs backwards and forwards again', () => {
    const trades = steady(SECOND_MS, [minutes(20, 50)]);
    const gone = trades.filter(({ timeUs }) => timeUs !== (HOUR + 50 * MINUTE_MS) * 1000 + 500_000);
    expect(gone).toHaveLength(trades.length - 1);
    expect(factsOf(gone).halts).toBeUndefined();

    const backwards = steady(SECOND_MS, []).map((trade) =>
      trade.aggId === 2_000 ? { ...trade, timeUs: trade.timeUs - 20 * MINUTE_MS * 1000 } : trade,
    );
    expect(factsOf(backwards)).toMatchObject({ backwardRows: 1, halts: undefined });
  });

  it('is unknown while no trade follows', () => {
    const trades = steady(SECOND_MS, [], HOUR + 30 * MINUTE_MS);
    expect(factsOf(trades)).toMatchObject({ next: undefined, halts: undefined });
  });
});

describe('a raw-id gap', () => {
  const plain = steady(SECOND_MS, [], END + MINUTE_MS);
  const shifted = (fromId: number, by: number, trades: readonly AggTrade[] = plain) =>
    trades.map((trade) =>
      trade.aggId < fromId
        ? trade
        : { ...trade, firstId: trade.firstId + by, lastId: trade.lastId + by },
    );

  it('is a jump of raw ids between consecutive aggregate ids; the longest is named', () => {
    const { rawIdGaps } = factsOf(shifted(900, 70, shifted(500, 3)));
    expect(rawIdGaps).toMatchObject({
      count: 2,
      longest: { from: { id: 899 }, to: { id: 900 }, size: 70 },
    });
  });

  it('may also be an overlap', () => {
    expect(factsOf(shifted(500, -1)).rawIdGaps).toMatchObject({ count: 1, longest: { size: -1 } });
  });

  it('is none where raw ids are consecutive', () => {
    expect(factsOf(plain).rawIdGaps).toBeUndefined();
  });

  it('is not looked for next to rows that the exchange marked invalid, nor across missing ids', () => {
    const marked = plain.map((trade) =>
      trade.aggId === 500 ? { ...invalidTradeOf(500, 0), timeUs: trade.timeUs } : trade,
    );
    expect(factsOf(marked).rawIdGaps).toBeUndefined();
    expect(factsOf(plain.filter(({ aggId }) => aggId !== 500)).rawIdGaps).toBeUndefined();
  });

  it('just after the last row belongs to the hour, just before the first row does not', () => {
    const firstId = factsOf(plain).first?.id ?? 0;
    const nextId = factsOf(plain).next?.id ?? 0;
    expect(factsOf(shifted(nextId, 5)).rawIdGaps).toMatchObject({
      longest: { to: { id: nextId } },
    });
    expect(factsOf(shifted(firstId, 5)).rawIdGaps).toBeUndefined();
  });
});

describe('the evidence of jumps', () => {
  const raw = (aggId: number, firstId: number) => ({
    ...tradeOf(aggId, HOUR + aggId * SECOND_MS),
    firstId,
    lastId: firstId,
  });

  it.each([
    [[0, 5, 6], '1 jump of raw trade ids leaves out 4 between id 0'],
    [[0, 5, 16], '2 jumps of raw trade ids, the longest leaves out 10 between id 1'],
  ])('has their number: raw ids %s', (firstIds, words) => {
    const facts = factsOf(firstIds.map((firstId, aggId) => raw(aggId, firstId)));
    const [gap] = oddJumps('binance_spot', HOUR, facts);
    expect(gap?.evidence).toContain(words);
  });
});
