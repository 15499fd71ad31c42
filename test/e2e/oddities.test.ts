import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import type { ExchangeSymbol } from '../exchange/exchange.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { type Trade, type TradeSeries, tradesFromArray } from '../exchange/trade-series.ts';
import { unique } from '../support/command-line.ts';
import { Rig, spot } from './rig.ts';

const DAY = Date.UTC(2024, 9, 7);
const RANGE = { startMs: DAY, endMs: DAY + 4 * HOUR_MS };
const SPAN = { fromMs: DAY - HOUR_MS, toMs: DAY + 6 * HOUR_MS };
const busy = syntheticTrades({ seed: 71, ...SPAN, tradesPerHour: 2_500, firstId: 1_000 });

function edited(series: TradeSeries, edit: (trade: Trade) => Trade): TradeSeries {
  const rows = Array.from({ length: series.count }, (_, index) => edit(series.at(index)));
  return tradesFromArray(rows);
}

function idAt(series: TradeSeries, timeMs: number): number {
  return series.at(series.indexAtTime(timeMs * 1000)).a;
}

/** A halt of 70 minutes without a trade; ids continue after it without a gap. */
const HALTED_AT = DAY + HOUR_MS + 30 * MINUTE_MS;
const HALT_MS = 70 * MINUTE_MS;
const halted = edited(busy, (trade) =>
  trade.timeUs < HALTED_AT * 1000 ? trade : { ...trade, timeUs: trade.timeUs + HALT_MS * 1000 },
);
const resumedId = idAt(halted, HALTED_AT);

/** Twelve raw trades that are in no aggregate trade. */
const skippingId = idAt(busy, DAY + 2 * HOUR_MS + 15 * MINUTE_MS);
const skipping = edited(busy, (trade) =>
  trade.a < skippingId ? trade : { ...trade, f: trade.f + 12, l: trade.l + 12 },
);

const HALT = unique('ODHALT');
const RAW = unique('ODRAW');
const symbols: ExchangeSymbol[] = [
  { symbol: HALT, trades: halted },
  { symbol: RAW, trades: skipping },
];

let rig: Rig;
let app: App;

beforeAll(async () => {
  rig = await Rig.start({ symbols });
  app = await rig.app();
});

afterAll(async () => rig.dispose());

test('a halt and a jump of raw ids are recorded with ids and times, and change nothing else', async () => {
  const result = await rig.backfill(app, [spot(HALT), spot(RAW)], RANGE);
  expect(result).toMatchObject({ exitCode: 0, proven: 8, gap: 0, open: 0 });

  const [halt, ...otherHalts] = await app.ledger.openGaps(spot(HALT), RANGE);
  expect(otherHalts).toEqual([]);
  expect(halt).toMatchObject({
    hourMs: DAY + HOUR_MS,
    gapClass: 'halt',
    fromId: resumedId - 1,
    toId: resumedId + 1,
  });
  const before = halted.at(halted.indexOfId(resumedId - 1));
  const after = halted.at(halted.indexOfId(resumedId));
  for (const { a, timeUs } of [before, after]) {
    expect(halt?.evidence).toContain(
      `id ${a} (${new Date(Math.floor(timeUs / 1000)).toISOString()})`,
    );
  }

  const [raw, ...otherRaws] = await app.ledger.openGaps(spot(RAW), RANGE);
  expect(otherRaws).toEqual([]);
  expect(raw).toMatchObject({
    hourMs: DAY + 2 * HOUR_MS,
    gapClass: 'raw_id_gap',
    fromId: skippingId - 1,
    toId: skippingId + 1,
  });
  expect(raw?.evidence).toContain('leaves out 12');

  const statuses = await app.sql.query(
    `SELECT DISTINCT status FROM cdv_1h WHERE symbol IN ('${HALT}', '${RAW}')`,
  );
  expect(statuses).toEqual([{ status: 'final' }]);
});
